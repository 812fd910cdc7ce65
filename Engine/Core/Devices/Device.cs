using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine;

/// <summary>Where tensors live and kernels run: "cpu", "cuda:0", "opencl:0", "simulator".</summary>
public abstract class Device
{
    static readonly Lock Registering = new();

    // Replaced, never changed: it is read without a lock.
    static IDeviceProvider[] providers = [];

    /// <summary>A device of the given name; its pool allocates through <see cref="AllocateMemory"/>.</summary>
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

    /// <summary>The first CUDA device that works, else the CPU.</summary>
    public static Device Best => providers.Select(provider => provider.TryGetBest()).FirstOrDefault(device => device is not null) ?? Cpu;

    /// <summary>"cpu", "cuda:0", ...</summary>
    public string Name { get; }

    /// <summary>The kernels.</summary>
    public abstract Backend Backend { get; }

    /// <summary>Projections wait for the point-wise operations behind them and take these into their kernel; off for a device that wants each on its own.</summary>
    public virtual bool Fuses => true;

    /// <summary>The caching allocator, with its statistics.</summary>
    public BufferPool Pool { get; }

    /// <summary>Adds devices beside the CPU; QuadEngine.Gpu calls this for CUDA, OpenCL and the simulator.</summary>
    public static void Register(IDeviceProvider provider)
    {
        lock (Registering)
            if (!providers.Contains(provider)) providers = [.. providers, provider];
    }

    /// <summary>The device of a name such as "cpu" or "cuda:0" ("cuda" is "cuda:0").</summary>
    /// <exception cref="ArgumentException">No such device; the message lists those that exist.</exception>
    public static Device Get(string name)
    {
        if (name == Cpu.Name) return Cpu;
        foreach (var provider in providers)
            if (provider.TryGet(name) is { } device) return device;
        var known = string.Join(", ", providers.SelectMany(provider => provider.Names).Prepend(Cpu.Name));
        throw new ArgumentException($"Device: there is no device \"{name}\" here (found: {known}). `quad doctor` shows why a GPU is not found.");
    }

    /// <summary>New uninitialised storage of 4-byte elements.</summary>
    public Storage Allocate(int length) => new(this, Pool.Rent(4L * length), length);

    /// <summary>Allocates from the system or the driver.</summary>
    /// <exception cref="OutOfMemoryException">There is not enough; the message says what was asked, held and free.</exception>
    protected abstract DeviceMemory AllocateMemory(long bytes);

    /// <summary>Copies host bytes to the device, starting <paramref name="offset"/> bytes into the block.</summary>
    public abstract void Upload(ReadOnlySpan<byte> source, DeviceMemory target, long offset);

    /// <summary>Copies device bytes to the host; returns when they are there.</summary>
    public abstract void Download(DeviceMemory source, long offset, Span<byte> target);

    /// <summary>
    /// Starts to copy device bytes to the host, as they are after all kernels asked for so far; the function given waits until they are there,
    /// not for what was asked for since. A device that cannot do that copies at once.
    /// </summary>
    public virtual Func<byte[]> BeginDownload(DeviceMemory source, long offset, int bytes)
    {
        var values = new byte[bytes];
        Download(source, offset, values);
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
    Device? TryGet(string name);

    /// <summary>A device worth preferring to the CPU, or null.</summary>
    Device? TryGetBest();
}
