using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using System.Runtime.CompilerServices;

namespace QuadEngine.Gpu;

/// <summary>
/// The devices "cuda:i", "opencl:i" and "simulator" of <see cref="Device.Get"/>, which finds them if the program has this package.
/// "cuda:0/tf32" and "cuda:0/bf16" are the same hardware with another <see cref="Precision"/> and separate memory.
/// </summary>
public sealed class GpuDevices : IDeviceProvider
{
    internal const string Cuda = "cuda", OpenCl = "opencl", Simulator = "simulator";

    static readonly GpuDevices Instance = new();

    readonly Dictionary<string, GpuDevice> open = [];
    readonly Lock gate = new();
    readonly Dictionary<string, Lazy<Context?>> families;

    internal GpuDevices()
    {
        NativeLibraries.Install();
        families = new()
        {
            [Cuda] = new(() => NativeLibraries.Exists("cuda") ? NewContext(builder => builder.Cuda()) : null),
            [OpenCl] = new(() => NativeLibraries.Exists("OpenCL") ? NewContext(builder => builder.OpenCL(Admit)) : null),
            [Simulator] = new(() => NewContext(builder => builder.CPU(new CPUDevice(32, IKernel.DefaultThreads / 32, 1)))),
        };
    }

    /// <summary>Makes GPUs available under their names. <see cref="Device.Get"/> and <see cref="Device.Best"/> do this by themselves. Calling it again changes nothing.</summary>
    public static void Register() => Device.Register(Instance);

    /// <inheritdoc/>
    public IEnumerable<string> Names => [.. families.Keys.SelectMany(NamesOf)];

    /// <inheritdoc/>
    public Device? TryGet(string name)
    {
        var (hardware, precision) = name.Split('/') is [var before, var after] && Enum.TryParse<Precision>(after, ignoreCase: true, out var named) && !char.IsAsciiDigit(after[0]) ? (before, named) : (name, Precision.Float32);
        var parts = hardware.Split(':');
        var (family, index) = (parts[0], 0);
        if (parts.Length > 2 || !families.ContainsKey(family) || parts.Length == 2 && !int.TryParse(parts[1], out index)) return null;
        if (index < 0 || index >= Listed(family).Count) return null;

        var full = precision == Precision.Float32 ? FullName(family, index) : $"{FullName(family, index)}/{precision.ToString().ToLowerInvariant()}";
        lock (gate)
        {
            if (open.TryGetValue(full, out var device)) return device;
            return open[full] = new GpuDevice(full, Listed(family)[index].CreateAccelerator(families[family].Value!)) { Precision = precision };
        }
    }

    /// <inheritdoc/>
    public Device? TryGetBest()
    {
        try
        {
            return TryGet(Cuda);
        }
        catch (AcceleratorException)
        {
            return null;
        }
    }

    /// <summary>The devices of a family as ILGPU lists them; empty if there is no driver.</summary>
    /// <remarks>If ILGPU finds no device of a family, it lists its CPU accelerator instead; this method leaves that out.</remarks>
    internal IReadOnlyList<ILGPU.Runtime.Device> Listed(string family) =>
        families[family].Value is { } context ? [.. context.Devices.Where(device => device.AcceleratorType == TypeOf(family))] : [];

    static AcceleratorType TypeOf(string family) => family switch
    {
        Cuda => AcceleratorType.Cuda,
        OpenCl => AcceleratorType.OpenCL,
        _ => AcceleratorType.CPU,
    };

    /// <summary>The names of a family's devices.</summary>
    internal IEnumerable<string> NamesOf(string family) => Enumerable.Range(0, Listed(family).Count).Select(index => FullName(family, index));

    /// <summary>The provider that <see cref="Register"/> registers.</summary>
    internal static GpuDevices Registered => Instance;

    static string FullName(string family, int index) => family == Simulator ? Simulator : $"{family}:{index}";

    // At the highest optimization level, ILGPU's OpenCL C needs the generic address space only in the places that OpenClText rewrites.
    static bool Admit(CLDevice device)
    {
        if (!device.Capabilities.GenericAddressSpace) SetGenericAddressSpace(device.Capabilities, true);
        return true;
    }

    static Context NewContext(Action<Context.Builder> addDevices) => Context.Create(builder =>
    {
        addDevices(builder);
        builder.EnableAlgorithms().Optimize(OptimizationLevel.O2);
    });

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_GenericAddressSpace")]
    static extern void SetGenericAddressSpace(CLCapabilityContext capabilities, bool value);
}
