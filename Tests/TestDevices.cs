using QuadEngine.Gpu;

namespace QuadEngine.Tests;

/// <summary>The devices on which kernels run where there is no GPU.</summary>
public static class TestDevices
{
    /// <summary>OpenCL, on the CPU through PoCL where there is no GPU: tests ILGPU's code generation, barriers and numerics.</summary>
    public static GpuDevice OpenCl
    {
        get
        {
            GpuDevices.Register();
            try
            {
                return (GpuDevice)Device.Get("opencl:0");
            }
            catch (ArgumentException) when (Environment.GetEnvironmentVariable("CI") != "true")
            {
                Assert.Ignore("There is no OpenCL device here; on Debian, `apt-get install pocl-opencl-icd ocl-icd-libopencl1` gives one on the CPU.");
                throw;
            }
        }
    }

    /// <summary>ILGPU's simulator runs the .NET code of a kernel, a thread for each of the GPU's: for tiny shapes.</summary>
    public static GpuDevice Simulator
    {
        get
        {
            GpuDevices.Register();
            return (GpuDevice)Device.Get("simulator");
        }
    }
}
