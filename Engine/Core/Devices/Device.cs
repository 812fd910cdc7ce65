using System.Runtime.InteropServices;
using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine;

/// <summary>A device holds tensors and runs kernels: "cpu", "cuda:0", "opencl:0", "simulator".</summary>
/// <remarks>A device is safe to use from any number of threads. Kernels of a GPU run in the order in which threads request them. Kernels of the CPU have run when the call returns.</remarks>
public abstract class Device
{
    static readonly Lock Registering = new();

    // The array is replaced, never changed, because it is read without a lock.
    static IDeviceProvider[] providers = [];

    // .NET does not load a package that no line of the program names. The full name of its type makes a trimmed program keep it.
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

    /// <summary>Makes a device whose pool allocates through <see cref="AllocateMemory"/>.</summary>
    /// <param name="name">The name, e.g. "cuda:0"; messages show it.</param>
    protected Device(string name)
    {
        Name = name;
        Pool = new BufferPool(AllocateMemory);
    }

    /// <summary>The CPU: SIMD kernels on all cores.</summary>
    public static Device Cpu { get; } = new CpuDevice();

    /// <summary>The number of threads that the kernels of <see cref="Cpu"/> use, including the calling thread. The default is the number of cores. It changes the speed, but no bit of the results.</summary>
    /// <exception cref="ArgumentException">The number is below 1.</exception>
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
    /// Whether the CPU computes 3x3 convolutions of stride 1 by Winograd's algorithm where this is faster. The default is true. The error is a few units in the last place of the largest number
    /// in a block of 6x6 pixels. So near an outlier of 1e8, outputs of the block whose windows do not contain it are off by 10; near an infinity they are NaN. If it is false, every output is the direct sum
    /// over its window. Under a <see cref="NonFiniteGuard"/> the direct sum is always used, so that the guard names the layer whose own sum is not finite.
    /// </summary>
    public static bool CpuWinograd
    {
        get => WinogradTransforms.Allowed;
        set => WinogradTransforms.Allowed = value;
    }

    /// <summary>The first CUDA device that works, otherwise the CPU. CUDA comes with the package QuadEngine.Gpu, which the engine finds if the program has it.</summary>
    public static Device Best => Providers.Select(provider => provider.TryGetBest()).FirstOrDefault(device => device is not null) ?? Cpu;

    /// <summary>"cpu", "cuda:0", ...</summary>
    public string Name { get; }

    /// <summary>The kernels, called with tensors.</summary>
    public Backend Backend => new(Kernels);

    /// <summary>The kernels, which work on memory that the caller holds.</summary>
    public abstract Kernels Kernels { get; }

    /// <summary>Whether a projection is deferred, so that the point-wise operations that follow run in its kernel; false for a device that runs each operation by itself.</summary>
    public virtual bool Fuses => true;

    /// <summary>The caching allocator, with its statistics.</summary>
    public BufferPool Pool { get; }

    /// <summary>Adds devices to the CPU. The devices of QuadEngine.Gpu (CUDA, OpenCL and the simulator) are added when they are first requested.</summary>
    /// <param name="provider">The provider. Earlier providers are asked before it. Adding it again changes nothing.</param>
    public static void Register(IDeviceProvider provider)
    {
        lock (Registering)
            if (!providers.Contains(provider)) providers = [.. providers, provider];
    }

    /// <summary>The device of a name.</summary>
    /// <param name="name">"cpu", or the name of a provider's device, e.g. "cuda:0", "opencl:0" or "simulator"; "cuda" means "cuda:0".</param>
    /// <exception cref="ArgumentException">There is no such device; the message lists the devices that exist.</exception>
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
    /// <param name="bytes">Size of the block, which the pool has rounded up to a multiple of 64.</param>
    /// <exception cref="OutOfMemoryException">There is not enough memory; the message gives the requested, held and free bytes.</exception>
    protected abstract DeviceMemory AllocateMemory(long bytes);

    /// <summary>Copies host bytes to the device.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="target">The memory that receives them.</param>
    /// <param name="offset">Bytes after the start of the operand's first element.</param>
    public abstract void Upload(ReadOnlySpan<byte> source, Operand target, long offset = 0);

    /// <summary>Copies device bytes to the host, and returns when the copy is complete.</summary>
    /// <param name="source">The memory that holds the bytes.</param>
    /// <param name="offset">Bytes after the start of the operand's first element.</param>
    /// <param name="target">Receives the bytes.</param>
    public abstract void Download(Operand source, long offset, Span<byte> target);

    /// <summary>
    /// Starts to copy device bytes to the host, as they are after all kernels requested so far. The returned function waits until the bytes have arrived,
    /// but not for later requests. A device that cannot do this copies at once.
    /// </summary>
    /// <param name="source">The memory that holds the bytes; it may be disposed before the function is called.</param>
    /// <param name="offset">Bytes after the start of the operand's first element.</param>
    /// <param name="bytes">The number of bytes; 0 gives an empty array.</param>
    public virtual Func<byte[]> BeginDownload(Operand source, long offset, int bytes)
    {
        var values = new byte[bytes];
        Download(source, offset, values);
        return () => values;
    }

    // A span holds fewer than 2^31 bytes, so larger tensors are copied in pieces.
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

    /// <summary>Waits until all kernels requested so far have finished.</summary>
    public abstract void Synchronize();

    /// <summary>Makes a recording, which keeps the launches of this thread to repeat them; null for a device that cannot record. See <see cref="RecordedStep"/>.</summary>
    public virtual Recording? Record() => null;

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>A family of devices, registered with <see cref="Device.Register"/>.</summary>
public interface IDeviceProvider
{
    /// <summary>The devices that exist on this machine.</summary>
    IEnumerable<string> Names { get; }

    /// <summary>The device of that name, or null if this family has no such device. It throws if the device exists but does not work.</summary>
    /// <param name="name">The name given to <see cref="Device.Get"/>. A name gives the same device each time.</param>
    Device? TryGet(string name);

    /// <summary>A device that is better than the CPU, or null.</summary>
    Device? TryGetBest();
}
