using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace QuadEngine.Gpu;

/// <summary>Describes one device, or a family that has no device.</summary>
/// <param name="Name">"cuda:0", or "cuda" if there is no such device.</param>
/// <param name="Hardware">The name that the driver gives.</param>
/// <param name="Details">Driver, architecture, instruction set, memory; or why there is no device.</param>
/// <param name="Works">Whether a kernel was compiled, ran on the device and gave the correct result.</param>
public sealed record GpuDescription(string Name, string Hardware, string Details, bool Works)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Hardware}{(Hardware.Length > 0 ? ", " : "")}{Details}";
}

/// <summary>Finds the GPUs of the machine and tests whether kernels run on them; `quad doctor` shows the result.</summary>
public static class GpuDiagnostics
{
    const int Elements = 1000, OldestDriver = 11;

    /// <summary>Every device, tested with one kernel; and each family without a device, with the reason.</summary>
    public static IReadOnlyList<GpuDescription> Describe()
    {
        GpuDevices.Register();
        return
        [
            .. Family(GpuDevices.Cuda, "cuda", "no NVIDIA driver is installed (libcuda.so.1, nvcuda.dll)"),
            .. Family(GpuDevices.OpenCl, "OpenCL", "no OpenCL driver is installed; on Debian, `apt-get install pocl-opencl-icd ocl-icd-libopencl1` runs kernels on the CPU"),
            .. Family(GpuDevices.Simulator, "", ""),
        ];
    }

    static IEnumerable<GpuDescription> Family(string family, string library, string missing)
    {
        if (library.Length > 0 && !NativeLibraries.Exists(library)) return [new(family, "", missing, false)];
        try
        {
            var listed = GpuDevices.Registered.Listed(family);
            return listed.Count == 0
                ? [new(family, "", WhyNone(family), false)]
                : [.. GpuDevices.Registered.NamesOf(family).Zip(listed, Try)];
        }
        catch (Exception exception) when (exception is AcceleratorException or DllNotFoundException or TypeInitializationException or NotSupportedException)
        {
            return [new(family, "", $"the driver does not work: {exception.Message}", false)];
        }
    }

    /// <summary>Why a family whose driver is installed has no device.</summary>
    internal static string WhyNone(string family) => family != GpuDevices.Cuda ? "the driver is installed but finds no device" : CudaDriver.Describe() switch
    {
        null => "the NVIDIA driver is installed but does not start; after an update of it, restart the machine",
        (_, 0) => "the NVIDIA driver is installed but finds no GPU (CUDA_VISIBLE_DEVICES may hide it)",
        (var version, var devices) when version.Major >= OldestDriver => $"the NVIDIA driver, for CUDA {version}, sees {(devices == 1 ? "a GPU" : $"{devices} GPUs")}, but of an architecture that ILGPU has no instructions for (older than SM_30)",
        var (version, devices) => $"the NVIDIA driver, for CUDA {version}, is too old for {(devices == 1 ? "the GPU" : $"the {devices} GPUs")} here; install one for CUDA {OldestDriver} or later",
    };

    static GpuDescription Try(string name, ILGPU.Runtime.Device listed)
    {
        try
        {
            var device = (GpuDevice)Device.Get(name);
            using var y = Tensor.Full([Elements], 2f, device);
            var right = y.ToArray().All(value => value == 2f);
            return new(name, listed.Name, $"{Details(device)}; {(right ? "a kernel ran" : "a kernel ran and gave a WRONG result")}", right);
        }
        catch (Exception exception) when (exception is AcceleratorException or InvalidOperationException or OutOfMemoryException or NotSupportedException)
        {
            return new(name, listed.Name, exception.Message, false);
        }
    }

    static string Details(GpuDevice device)
    {
        var accelerator = device.Accelerator;
        var memory = $"{accelerator.MemorySize / (double)(1L << 30):F1} GiB";
        return accelerator switch
        {
            CudaAccelerator cuda => $"{cuda.Architecture}, {cuda.NumMultiprocessors} multiprocessors, {memory}, driver {cuda.DriverVersion}, PTX {cuda.InstructionSet}",
            CLAccelerator openCl => $"OpenCL C {openCl.CVersion}, {openCl.NumMultiprocessors} compute units, {memory}",
            _ => "kernels as .NET code, a thread each: slow, for tests",
        };
    }
}
