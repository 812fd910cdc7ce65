using System.Runtime.InteropServices;
using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine;

/// <summary>Where tensors live and kernels run: "cpu", "cuda:0", "opencl:0", "simulator".</summary>
/// <remarks>Safe to use from any number of threads. Kernels of a GPU run in the order in which threads asked for them; those of the CPU have run when the call returns.</remarks>
public abstract class Device
{
    static readonly Lock Registering = new();

    // Replaced, never changed: it is read without a lock.
    static IDeviceProvider[] providers = [];

    // A package that was added to a program, but that no line of it names, would not be loaded. Its type is named in full, so that a trimmed program keeps it.
    static readonly Lazy<bool> gpuPackage = new(() =>
    {
        var register = Type.GetType("QuadEngine.Gpu.GpuDevices, QuadEngine.Gpu")?.GetMethod("Register", []);
        register?.Invoke(null, null);
        return register is not null;
    });

    static IDeviceProvider[] Providers
    {
        get
        {
            _ = gpuPackage.Value;
            return providers;
        }
    }

    /// <summary>A device whose pool allocates through <see cref="AllocateMemory"/>.</summary>
    /// <param name="name">Such as "cuda:0"; messages show it.</param>
    protected Device(string name)
    {
        Name = name;
        Pool = new BufferPool(AllocateMemory);
    }

    /// <summary>The CPU: SIMD kernels on all cores.</summary>
    public static Device Cpu { get; } = new CpuDevice();

    /// <summary>Threads that the kernels of <see cref="Cpu"/> use, the calling one included; all cores at start. Changes the speed, never a bit of the results.</summary>
    /// <exception cref="ArgumentException">Fewer than one.</exception>
    public static int CpuThreads
    {
        get => ThreadTeam.Threads;
        set
        {
            Check.That(value > 0, nameof(CpuThreads), $"{value} threads cannot work; use 1 or more.");
            ThreadTeam.Threads = value;
        }
    }

    /// <summary>
    /// The CPU computes 3x3 convolutions of step 1 by Winograd's algorithm where that is faster; on at start. Its error is a few last bits, but of the largest number
    /// in a block of 6x6 pixels: beside an outlier of 1e8, outputs of the block that do not see it are off by 10, beside an infinity they are NaN. Off, every output is the plain sum
    /// of what its window sees. Under a <see cref="NonFiniteGuard"/> it is always that, so that the guard names the layer whose own sum is not finite.
    /// </summary>
    public static bool CpuWinograd
    {
        get => WinogradTransforms.Allowed;
        set => WinogradTransforms.Allowed = value;
    }

    /// <summary>The first CUDA device that works, else the CPU. CUDA comes with the package QuadEngine.Gpu, which is found where a program has it.</summary>
    public static Device Best => Providers.Select(provider => provider.TryGetBest()).FirstOrDefault(device => device is not null) ?? Cpu;

    /// <summary>"cpu", "cuda:0", ...</summary>
    public string Name { get; }

    /// <summary>The kernels, called with tensors.</summary>
    public Backend Backend => new(Kernels);

    /// <summary>The kernels themselves, over memory that the caller holds.</summary>
    public abstract Kernels Kernels { get; }

    /// <summary>Projections are deferred, so that point-wise operations behind them join their kernel; off for a device that wants each on its own.</summary>
    public virtual bool Fuses => true;

    /// <summary>The caching allocator, with its statistics.</summary>
    public BufferPool Pool { get; }

    /// <summary>Adds devices beside the CPU. Those of QuadEngine.Gpu (CUDA, OpenCL and the simulator) are added when they are first asked for.</summary>
    /// <param name="provider">Asked after those that were added before; adding it again changes nothing.</param>
    public static void Register(IDeviceProvider provider)
    {
        lock (Registering)
            if (!providers.Contains(provider)) providers = [.. providers, provider];
    }

    /// <summary>The device of a name.</summary>
    /// <param name="name">"cpu", or one of a provider's such as "cuda:0", "opencl:0" and "simulator"; "cuda" is "cuda:0".</param>
    /// <exception cref="ArgumentException">No such device; the message lists those that exist.</exception>
    public static Device Get(string name)
    {
        if (name == Cpu.Name) return Cpu;
        foreach (var provider in Providers)
            if (provider.TryGet(name) is { } device) return device;
        var known = string.Join(", ", providers.SelectMany(provider => provider.Names).Prepend(Cpu.Name));
        throw new ArgumentException($"Device: there is no device \"{name}\" here (found: {known}). "
            + (gpuPackage.Value || providers.Length > 0 ? "`quad doctor` shows why a GPU is not found." : "Other devices come with the package QuadEngine.Gpu: dotnet add package QuadEngine.Gpu."));
    }

    /// <summary>Allocates from the system or the driver.</summary>
    /// <param name="bytes">Size of the block, as the pool rounds it up: a multiple of 64.</param>
    /// <exception cref="OutOfMemoryException">There is not enough; the message says what was asked, held and free.</exception>
    protected abstract DeviceMemory AllocateMemory(long bytes);

    /// <summary>Copies host bytes to the device.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="target">Where they go.</param>
    /// <param name="offset">Bytes from the operand's first element on.</param>
    public abstract void Upload(ReadOnlySpan<byte> source, Operand target, long offset = 0);

    /// <summary>Copies device bytes to the host; returns when they are there.</summary>
    /// <param name="source">Where they are.</param>
    /// <param name="offset">Bytes from the operand's first element on.</param>
    /// <param name="target">Receives them.</param>
    public abstract void Download(Operand source, long offset, Span<byte> target);

    /// <summary>
    /// Starts to copy device bytes to the host, as they are after all kernels asked for so far; the function given waits until they are there,
    /// not for what was asked for since. A device that cannot do that copies at once.
    /// </summary>
    /// <param name="source">Where they are; may be disposed before the function is called.</param>
    /// <param name="offset">Bytes from the operand's first element on.</param>
    /// <param name="bytes">How many; 0 gives an empty array.</param>
    public virtual Func<byte[]> BeginDownload(Operand source, long offset, int bytes)
    {
        var values = new byte[bytes];
        Download(source, offset, values);
        return () => values;
    }

    // Spans of bytes hold less than 2^31 of them: larger tensors are copied in pieces.
    const int Piece = 1 << 28;

    internal void Upload<T>(ReadOnlySpan<T> values, Operand target) where T : unmanaged
    {
        for (var start = 0; start < values.Length; start += Piece)
            Upload(MemoryMarshal.AsBytes(values.Slice(start, Math.Min(Piece, values.Length - start))), target, 4L * start);
    }

    internal void Download<T>(Operand source, Span<T> values) where T : unmanaged
    {
        for (var start = 0; start < values.Length; start += Piece)
            Download(source, 4L * start, MemoryMarshal.AsBytes(values.Slice(start, Math.Min(Piece, values.Length - start))));
    }

    internal Func<T[]> BeginDownload<T>(Operand source) where T : unmanaged
    {
        if (source.Length <= Piece)
        {
            var bytes = BeginDownload(source, 0, 4 * source.Length);
            return () => MemoryMarshal.Cast<byte, T>(bytes()).ToArray();
        }

        var values = new T[source.Length];
        Download(source, values.AsSpan());
        return () => values;
    }

    /// <summary>Waits until all kernels asked for so far have finished.</summary>
    public abstract void Synchronize();

    /// <summary>Keeps what this thread launches, to be launched again; null for a device that cannot. See <see cref="RecordedStep"/>.</summary>
    public virtual Recording? Record() => null;

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>A family of devices that registers itself with <see cref="Device.Register"/>.</summary>
public interface IDeviceProvider
{
    /// <summary>The devices that exist on this machine.</summary>
    IEnumerable<string> Names { get; }

    /// <summary>The device of that name, or null where it is none of this family's; throws where it is but does not work.</summary>
    /// <param name="name">As given to <see cref="Device.Get"/>; a name gives the same device each time.</param>
    Device? TryGet(string name);

    /// <summary>A device worth preferring to the CPU, or null.</summary>
    Device? TryGetBest();
}
