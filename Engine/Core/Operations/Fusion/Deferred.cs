using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>
/// A result that was asked for but is not computed until somebody reads its memory. The operation that comes next may take it into
/// its own pass instead: then the memory in between is never written. The user writes the plain network and sees plain tensors;
/// results differ from those of separate passes by the rounding of a fused multiply-add at most.
/// </summary>
/// <remarks>
/// It holds shares of its own in its operands, and is told before one of them is overwritten (<see cref="Storage.Writing"/>), so that
/// it always computes what it would have computed at once. Its lock is held while it computes: any thread may read the result.
/// </remarks>
abstract class Deferred
{
    readonly Deferred? origin;
    readonly List<Tensor> shares = [];
    int owners = 1;

    /// <param name="shape">Of the result.</param>
    /// <param name="device">Where it will be.</param>
    /// <param name="origin">What this one goes on from, whose operands it reads as well; or null.</param>
    protected Deferred(Shape shape, Device device, Deferred? origin = null)
    {
        (Shape, Device, this.origin) = (shape, device, origin);
        origin?.Retain();
    }

    /// <summary>Off while every output is to be checked (<see cref="NonFiniteGuard"/>).</summary>
    public static bool Enabled => !NonFiniteGuard.Active;

    public Shape Shape { get; }

    public Device Device { get; }

    /// <summary>What waits to fill this tensor, or null.</summary>
    protected static Deferred? Behind(Tensor tensor) => tensor.Storage.Pending is { } work && work.Shape == tensor.Shape ? work : null;

    /// <summary>Writes the result.</summary>
    /// <param name="y">Where to; uninitialised.</param>
    /// <param name="statistics">Statistics of its channels that are wanted too, or null.</param>
    /// <returns>Whether the statistics were gathered on the way.</returns>
    public abstract bool Compute(Tensor y, ChannelStatistics? statistics);

    /// <summary>A tensor that will hold the result.</summary>
    public Tensor Result()
    {
        var storage = new Storage(Device, this, Shape.Elements);
        for (var work = this; work is not null; work = work.origin)
            foreach (var share in work.shares) share.Storage.AddReader(storage);
        return Tensor.On(storage, Shape);
    }

    /// <summary>A handle on an operand that lives as long as this does. It is computed now: nothing waits for something that waits, however long the chain.</summary>
    /// <param name="operand">The operand, or null.</param>
    /// <param name="known">The origin's handle on it, where it is one of its operands.</param>
    protected Tensor? Share(Tensor? operand, Tensor? known)
    {
        if (operand is null || ReferenceEquals(operand, known)) return known;
        operand.Storage.Compute(null);
        var share = operand.Share();
        shares.Add(share);
        return share;
    }

    public void Retain() => Interlocked.Increment(ref owners);

    /// <summary>The result was computed or dropped (or its place in the graph recorded or dropped): lets go of the operands after both.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref owners) > 0) return;
        lock (this)
        {
            foreach (var share in shares) share.Dispose();
            shares.Clear();
        }

        origin?.Release();
    }

    // A share that the garbage collector has dropped first has nobody left to tell.
    public void StopReading(Storage storage)
    {
        for (var work = this; work is not null; work = work.origin)
            foreach (var share in work.shares) share.StorageOrNull?.RemoveReader(storage);
    }

    /// <summary>Reads a copy in the place of memory that is about to be overwritten.</summary>
    public void ReadInstead(Storage overwritten, Storage copy)
    {
        lock (this)
        {
            foreach (var share in shares.Where(share => share.StorageOrNull == overwritten)) share.ReadInstead(copy);
            origin?.ReadInstead(overwritten, copy);
        }
    }
}
