using System.Runtime.InteropServices;
using QuadEngine.Gpu;
using QuadEngine.Tests.Gpu.Ptx;

namespace QuadEngine.Tests.Gpu;

/// <summary>
/// "cuda:0" of the stub driver, with kernels that run: an interpreter executes the PTX that a GPU would get, with the arguments that the driver gets.
/// Until the object is disposed, kernels of all devices of the stub run.
/// </summary>
sealed unsafe class InterpretedCuda : IDisposable
{
    // Separate devices, because the memory of devices that only count kernels holds no results.
    static readonly GpuDevices Devices = new();
    static readonly Dictionary<int, PtxKernel> Kernels = [];
    static readonly GlobalMemory Memory = new();

    // Native code keeps pointers to these delegates.
    static readonly Preparing PrepareLaunch = Prepare;
    static readonly Running RunLaunch = Run;
    static readonly Forgetting ForgetLaunch = Forget;

    readonly StubDriver stub;

    public InterpretedCuda()
    {
        stub = StubDriver.Instance;
        stub.SetMachine(Marshal.GetFunctionPointerForDelegate(PrepareLaunch), Marshal.GetFunctionPointerForDelegate(RunLaunch), Marshal.GetFunctionPointerForDelegate(ForgetLaunch));
    }

    /// <summary>The seed of the order in which blocks and warps run.</summary>
    public static int Seed { get; set; } = 1;

    /// <summary>Changes the text of a kernel before it is read, for tests that insert faults.</summary>
    public static Func<string, string> Rewrite { get; set; } = text => text;

    /// <summary>Returns the device at a precision, with a driver for CUDA 13, so that its texts use the newest instruction set that ILGPU writes.</summary>
    public GpuDevice Device(Precision precision = Precision.Float32, TileChoice? only = null)
    {
        stub.Set("version", 13000);
        try
        {
            var device = (GpuDevice)Devices.TryGet($"cuda:0/{precision}")!;
            device.OnlyTile = only;
            return device;
        }
        finally
        {
            stub.Set("version", 12080);
        }
    }

    public void Dispose() => stub.SetMachine(0, 0, 0);

    static nint Prepare(int module, nint text, int gx, int gy, int gz, int bx, int by, int bz, void* arguments, nuint bytes)
    {
        try
        {
            if (!Kernels.TryGetValue(module, out var kernel)) Kernels[module] = kernel = PtxParser.Parse(Rewrite(Marshal.PtrToStringUTF8(text)!));
            if ((int)bytes != kernel.ParameterBytes) throw new PtxFault($"{kernel.Name} takes {kernel.ParameterBytes} bytes of arguments and is given {bytes}");
            var parameters = new ReadOnlySpan<byte>(arguments, kernel.ParameterBytes).ToArray();
            return GCHandle.ToIntPtr(GCHandle.Alloc(new Launch(kernel, new Index3(gx, gy, gz), new Index3(bx, by, bz), parameters)));
        }
        catch (PtxFault fault)
        {
            StubDriver.Instance.SetFault(fault.Message);
            return 0;
        }
    }

    static int Run(nint launch)
    {
        const int Failed = 719;
        try
        {
            var (starts, ends) = StubDriver.Instance.Blocks();
            Memory.BeginLaunch(starts, ends);
            ((Launch)GCHandle.FromIntPtr(launch).Target!).Run(Memory, Seed);
            return 0;
        }
        catch (Exception fault)
        {
            StubDriver.Instance.SetFault(fault is PtxFault ? fault.Message : fault.ToString());
            return Failed;
        }
    }

    static void Forget(nint launch) => GCHandle.FromIntPtr(launch).Free();

    delegate nint Preparing(int module, nint text, int gx, int gy, int gz, int bx, int by, int bz, void* arguments, nuint bytes);

    delegate int Running(nint launch);

    delegate void Forgetting(nint launch);
}
