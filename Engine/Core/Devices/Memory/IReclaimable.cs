namespace QuadEngine.Devices;

/// <summary>Keeps on a device what it can do without, though slower: a data set that the host has too.</summary>
public interface IReclaimable
{
    /// <summary>Drops its tensors of the device, which has no memory left for others. Called on any thread.</summary>
    void Reclaim();
}
