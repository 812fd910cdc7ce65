namespace QuadEngine.Devices;

/// <summary>A block of memory on a device, as the device's pool hands it out.</summary>
public abstract class DeviceMemory : IDisposable
{
    /// <summary>Size in bytes, as allocated (at least what was asked for).</summary>
    public abstract long Bytes { get; }

    /// <summary>Gives the block back to the operating system or the driver.</summary>
    public abstract void Dispose();
}

/// <summary>
/// Memory shared by tensor handles and by what the tape has saved. It counts its owners; at zero the block returns to the
/// pool of its device. Elements are 4 bytes: float, or int for labels and indices.
/// </summary>
public sealed class Storage
{
    readonly DeviceMemory memory;
    int owners = 1;

    internal Storage(Device device, DeviceMemory memory, int length)
    {
        Device = device;
        this.memory = memory;
        Length = length;
    }

    /// <summary>The device that holds the memory.</summary>
    public Device Device { get; }

    /// <summary>Number of 4-byte elements.</summary>
    public int Length { get; }

    /// <summary>The block itself.</summary>
    /// <exception cref="ObjectDisposedException">All owners have let go of it.</exception>
    public DeviceMemory Memory => Volatile.Read(ref owners) > 0
        ? memory
        : throw new ObjectDisposedException(nameof(Storage), "The memory of this tensor has gone back to the pool.");

    /// <summary>Counts the writes in place, so that the tape can tell when something it saved was changed.</summary>
    public int Version { get; private set; }

    /// <summary>One owner only: writing in place is seen by nobody else.</summary>
    internal bool IsExclusive => Volatile.Read(ref owners) == 1;

    internal void Written() => Version++;

    internal Storage Retain()
    {
        Interlocked.Increment(ref owners);
        return this;
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref owners) == 0) Device.Pool.Return(memory);
    }
}
