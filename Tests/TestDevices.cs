using QuadEngine.Gpu;

namespace QuadEngine.Tests;

/// <summary>The devices that run kernels without a GPU.</summary>
public static class TestDevices
{
    /// <summary>OpenCL, on the CPU through PoCL if there is no GPU. It tests ILGPU's code generation, barriers and numerics.</summary>
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

    /// <summary>ILGPU's simulator, which runs the .NET code of a kernel with one thread for each GPU thread, so only for tiny shapes.</summary>
    public static GpuDevice Simulator
    {
        get
        {
            GpuDevices.Register();
            return (GpuDevice)Device.Get("simulator");
        }
    }
}
