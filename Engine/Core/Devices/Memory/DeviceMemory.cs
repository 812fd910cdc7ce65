namespace QuadEngine.Devices;

/// <summary>A block of memory on a device, managed by the device's pool.</summary>
public abstract class DeviceMemory : IDisposable
{
    /// <summary>The allocated size in bytes, at least the requested size.</summary>
    public abstract long Bytes { get; }

    /// <summary>Returns the block to the operating system or the driver.</summary>
    public abstract void Dispose();

    /// <summary>The reserve to which the block returns when it is freed; null for the pool.</summary>
    internal BlockReserve? Reserve { get; set; }

    /// <summary>Called when the block is freed while <see cref="BufferPool.IsGuarded"/>: fills it with NaN, so that later reads are found.</summary>
    /// <exception cref="InvalidOperationException">The memory before or after the block was written.</exception>
    protected internal virtual void Poison()
    {
    }

    /// <summary>Called when the block is taken again: if it was poisoned, it must still hold NaN.</summary>
    /// <exception cref="InvalidOperationException">The block was written after it was freed.</exception>
    protected internal virtual void CheckPoison()
    {
    }
}
