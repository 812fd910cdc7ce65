using QuadEngine.Operations;

namespace QuadEngine.Devices;

/// <summary>A block of memory on a device, as the device's pool hands it out.</summary>
public abstract class DeviceMemory : IDisposable
{
    /// <summary>Size in bytes, as allocated (at least what was asked for).</summary>
    public abstract long Bytes { get; }

    /// <summary>Gives the block back to the operating system or the driver.</summary>
    public abstract void Dispose();

    /// <summary>Where the block goes when it is freed; null for the pool at large.</summary>
    internal BlockReserve? Reserve { get; set; }
}

/// <summary>
/// Memory shared by tensor handles and by what the tape has saved. It counts its owners; at zero the block returns to the
/// pool of its device. Elements are 4 bytes: float, or int for labels and indices. Where the operation that fills it waits for the
/// next one (<see cref="Deferred"/>), the block is allocated and filled when it is first read.
/// </summary>
public sealed class Storage
{
    DeviceMemory? memory;
    HashSet<Storage>? readers;
    int owners = 1;

    internal Storage(Device device, DeviceMemory memory, int length)
    {
        Device = device;
        this.memory = memory;
        Length = length;
    }

    internal Storage(Device device, Deferred pending, int length)
    {
        Device = device;
        Pending = pending;
        Length = length;
    }

    /// <summary>The device that holds the memory.</summary>
    public Device Device { get; }

    /// <summary>Number of 4-byte elements.</summary>
    public int Length { get; }

    /// <summary>The block itself.</summary>
    /// <exception cref="ObjectDisposedException">All owners have let go of it.</exception>
    public DeviceMemory Memory
    {
        get
        {
            if (Volatile.Read(ref owners) <= 0) throw new ObjectDisposedException(nameof(Storage), "The memory of this tensor has gone back to the pool.");
            if (Pending is not null) Compute(null);
            return memory!;
        }
    }

    /// <summary>Counts the writes in place, so that the tape can tell when something it saved was changed.</summary>
    public int Version { get; private set; }

    /// <summary>What will fill this memory, or null once it is filled.</summary>
    internal Deferred? Pending { get; private set; }

    /// <summary>One owner only: writing in place is seen by nobody else.</summary>
    internal bool IsExclusive => Volatile.Read(ref owners) == 1;

    /// <summary>Fills the memory if it is not yet; true where the statistics asked for were gathered on the way.</summary>
    internal bool Compute(ChannelStatistics? statistics)
    {
        if (Pending is not { } work) return false;
        Pending = null;
        memory = Device.Pool.Rent(4L * Length);
        using var y = Tensor.On(Retain(), work.Shape).Keep();
        var gathered = work.Compute(y, statistics);
        work.StopReading(this);
        work.Release();
        return gathered;
    }

    /// <summary>To be called before the memory is overwritten in place: results that still wait to read it are computed first.</summary>
    internal void Writing()
    {
        if (readers is not null)
            foreach (var reader in readers.ToArray()) reader.Compute(null);
        Version++;
        Recording.Current?.OnHost(Writing);
    }

    internal void AddReader(Storage reader) => (readers ??= []).Add(reader);

    internal void RemoveReader(Storage reader) => readers?.Remove(reader);

    internal Storage Retain()
    {
        Interlocked.Increment(ref owners);
        return this;
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref owners) > 0) return;
        if (memory is not null) Device.Pool.Return(memory);
        if (Pending is not { } work) return;
        Pending = null;
        work.StopReading(this);
        work.Release();
    }
}
