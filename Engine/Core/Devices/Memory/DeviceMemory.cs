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

    /// <summary>The block was freed while <see cref="BufferPool.IsGuarded"/>: fills it with NaN, so that whoever still reads it is found.</summary>
    /// <exception cref="InvalidOperationException">Somebody wrote in front of the block or behind it.</exception>
    protected internal virtual void Poison()
    {
    }

    /// <summary>The block is taken again: if it was poisoned, it must still be.</summary>
    /// <exception cref="InvalidOperationException">Somebody wrote to it after it was freed.</exception>
    protected internal virtual void CheckPoison()
    {
    }
}
