namespace QuadEngine.Devices;

/// <summary>An owner of device memory that can be dropped at the cost of speed, e.g. a data set that the host has too.</summary>
public interface IReclaimable
{
    /// <summary>Drops its tensors on the device, because the device has no memory left for others. It may be called on any thread.</summary>
    void Reclaim();
}
