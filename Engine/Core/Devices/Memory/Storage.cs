using QuadEngine.Operations;

namespace QuadEngine.Devices;

/// <summary>
/// Memory of 4-byte elements (float, or int for labels and indices) that tensor handles, the tape and deferred results own together. It counts its
/// owners; at zero the block returns to the pool of its device.
/// </summary>
/// <remarks>
/// Nobody reaches the block but through an <see cref="Operand"/>, which is an owner as well: no block is freed while a kernel uses it. Any
/// thread may read, write and drop; who reads while another thread writes sees some elements as before and some as after.
/// </remarks>
public sealed class Storage
{
    Owners owners;

    // Null until a deferred result is computed; whoever sees null in deferred sees the block here.
    DeviceMemory? memory;
    DeferredStep? deferred;

    // Equal while nobody writes.
    int writesBegun, writesEnded;
    Snapshot? snapshot;
    Arrangement? arrangement;

    internal Storage(Device device, int length)
    {
        Device = device;
        Length = length;
        memory = device.Pool.Rent(4L * length);
    }

    internal Storage(DeferredStep deferred)
    {
        Device = deferred.Device;
        Length = deferred.Shape.Elements;
        this.deferred = deferred;
    }

    /// <summary>The device that holds the memory.</summary>
    public Device Device { get; }

    /// <summary>Number of 4-byte elements.</summary>
    public int Length { get; }

    /// <summary>Counts the writes in place, so that the tape can tell when something it saved was changed.</summary>
    public int Version => Volatile.Read(ref writesBegun);

    /// <summary>One owner only: writing in place is seen by nobody else.</summary>
    internal bool IsExclusive => owners.Count == 1;

    /// <summary>Nobody owns it any more.</summary>
    internal bool IsFreed => owners.Count <= 0;

    /// <summary>The step whose result this is, computed when somebody first reads it; null once it is computed.</summary>
    internal DeferredStep? Deferred => Volatile.Read(ref deferred);

    // ---- owners

    /// <summary>One owner more, who calls <see cref="Release"/> once.</summary>
    internal Storage Retain()
    {
        owners.Add();
        return this;
    }

    /// <summary>One owner more; false where the memory is freed already.</summary>
    internal bool TryRetain() => owners.TryAdd();

    internal void Release()
    {
        if (!owners.Leave()) return;
        ReplaceArrangement(null);
        Interlocked.Exchange(ref deferred, null)?.Release();
        if (Interlocked.Exchange(ref memory, null) is { } block) Device.Pool.Return(block);
    }

    // ---- reading

    /// <summary>The block; a deferred result is computed first. The caller is an owner, and uses the block only as long as it is one.</summary>
    internal DeviceMemory Resolve()
    {
        Deferred?.Compute(this, null);
        return memory!;
    }

    /// <summary>Computes the result if it is deferred, and gathers the statistics of its channels on the way where its step can; tells whether it did.</summary>
    internal bool Resolve(ChannelStatistics<Tensor> statistics) => Deferred is { } step && step.Compute(this, statistics);

    /// <summary>The deferred result was computed: it is in this block.</summary>
    internal void Complete(DeviceMemory block)
    {
        memory = block;
        Volatile.Write(ref deferred, null);
    }

    /// <summary>The content as it is now, for somebody who reads it later, whatever is written in between.</summary>
    internal Snapshot TakeSnapshot()
    {
        Resolve();
        while (true)
        {
            var known = Volatile.Read(ref snapshot);
            if (known is not null && known.TryRetain()) return known;
            var fresh = new Snapshot(this);
            if (Interlocked.CompareExchange(ref snapshot, fresh, known) == known) return fresh;
            fresh.Release();
        }
    }

    /// <summary>Nobody reads the snapshot any more.</summary>
    internal void Forget(Snapshot unused) => Interlocked.CompareExchange(ref snapshot, null, unused);

    // ---- writing

    /// <summary>
    /// To write: whoever will read the old content gets a copy of it, then the write counts, then what was made from the old content
    /// (<see cref="Arranged"/>) is dropped. Elements change after that only, until <see cref="EndWrite"/>.
    /// </summary>
    internal void BeginWrite()
    {
        Resolve();
        while (Volatile.Read(ref snapshot) is { } old)
        {
            old.Freeze();
            Forget(old);
        }

        Interlocked.Increment(ref writesBegun);
        ReplaceArrangement(null);
        Recording.Current?.Writes(this);
    }

    internal void EndWrite() => Interlocked.Increment(ref writesEnded);

    /// <summary>A copy of the whole, whose owner the caller is. Its version is the one that a write begun now will have.</summary>
    internal Storage Clone()
    {
        var copy = new Storage(Device, Length) { writesBegun = Version + 1 };
        copy.writesEnded = copy.writesBegun;
        using Tensor from = Tensor.On(Retain(), [Length]), to = Tensor.On(copy.Retain(), [Length]);
        using var held = new Held();
        Device.Kernels.Copy(held.Read(from), held.WriteNew(to));
        return copy;
    }

    // ---- what kernels keep beside it

    /// <summary>
    /// This memory as a kernel wants it (a filter, transformed). What is asked for a second time while nothing was written stays until the memory
    /// is written or freed: a network at inference arranges its filters once; one in training asks once a step and keeps none.
    /// </summary>
    /// <remarks>
    /// An arrangement counts for the version that it was made from, and is kept only if no write ran or began while it was made. So it is valid
    /// exactly as long as <see cref="Version"/> is that one.
    /// </remarks>
    /// <param name="form">Tells one arrangement from another.</param>
    /// <param name="arrange">Makes it.</param>
    /// <returns>It, with the caller as one owner more; null the first time.</returns>
    internal Storage? Arranged(in ArrangedForm form, Func<Storage> arrange)
    {
        // In this order: where both are equal, no write ran when the version was read.
        var ended = Volatile.Read(ref writesEnded);
        var version = Version;
        if (ended != version) return null;

        var known = Volatile.Read(ref arrangement);
        if (known is null || known.Form != form || known.Version != version)
        {
            ReplaceArrangement(new Arrangement(form, version, null));
            return null;
        }

        if (known.Result is { } kept && kept.TryRetain()) return kept;
        var made = arrange();
        Interlocked.MemoryBarrier();        // the elements were read before the version is read again
        if (Version == version) ReplaceArrangement(new Arrangement(form, version, made.Retain()));
        return made;
    }

    void ReplaceArrangement(Arrangement? next) => Interlocked.Exchange(ref arrangement, next)?.Result?.Release();

    // Result is null after the first request.
    sealed record Arrangement(ArrangedForm Form, int Version, Storage? Result);
}

/// <summary>How a kernel arranges a matrix within some memory for itself.</summary>
/// <param name="Kernel">Whose arrangement.</param>
/// <param name="Offset">First element of the matrix.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Columns">Its columns.</param>
readonly record struct ArrangedForm(string Kernel, int Offset, int Rows, int Columns);
