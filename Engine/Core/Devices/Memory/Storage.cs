using QuadEngine.Operations;

namespace QuadEngine.Devices;

/// <summary>
/// Memory of 4-byte elements (float, or int for labels and indices). Tensor handles, the tape and deferred results share it. It counts its
/// owners; at zero the block returns to the pool of its device.
/// </summary>
/// <remarks>
/// The block can be reached only through an <see cref="Operand"/>, which is an owner too. So no block is freed while a kernel uses it. Any
/// thread may read, write and drop. A thread that reads while another thread writes sees some old and some new elements.
/// </remarks>
public sealed class Storage
{
    Owners owners;

    // Null until a deferred result is computed. A thread that sees null in deferred sees the block here.
    DeviceMemory? memory;
    DeferredStep? deferred;

    // These are equal while nobody writes.
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

    /// <summary>The number of writes in place, by which the tape detects that a saved tensor was changed.</summary>
    public int Version => Volatile.Read(ref writesBegun);

    /// <summary>Whether there is only one owner, so that nobody else sees a write in place.</summary>
    internal bool IsExclusive => owners.Count == 1;

    /// <summary>Whether the last owner has left.</summary>
    internal bool IsFreed => owners.Count <= 0;

    /// <summary>The step that will fill this memory; null once it is filled.</summary>
    internal DeferredStep? Deferred => Volatile.Read(ref deferred);

    // ---- owners

    /// <summary>Adds an owner; the caller must own a share.</summary>
    internal Storage Retain()
    {
        owners.Add();
        return this;
    }

    /// <summary>Adds an owner; false if the memory is freed already.</summary>
    internal bool TryRetain() => owners.TryAdd();

    internal void Release()
    {
        if (!owners.Leave()) return;
        ReplaceArrangement(null);
        Interlocked.Exchange(ref deferred, null)?.Release();
        if (Interlocked.Exchange(ref memory, null) is { } block) Device.Pool.Return(block);
    }

    // ---- reading

    /// <summary>The block; a deferred result is computed first. The caller must own a share for as long as it uses the block.</summary>
    internal DeviceMemory Resolve()
    {
        Deferred?.Compute(this, null);
        return memory!;
    }

    /// <summary>Computes the result if it is deferred, and also gathers the statistics of its channels if its step can. Returns whether it gathered them.</summary>
    internal bool Resolve(ChannelStatistics<Tensor> statistics) => Deferred is { } step && step.Compute(this, statistics);

    /// <summary>Sets the block of a result that has been computed.</summary>
    internal void Complete(DeviceMemory block)
    {
        memory = block;
        Volatile.Write(ref deferred, null);
    }

    /// <summary>The present content, for a later reader. Writes in between do not change it.</summary>
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

    /// <summary>Drops a snapshot that nobody reads any more.</summary>
    internal void Forget(Snapshot unused) => Interlocked.CompareExchange(ref snapshot, null, unused);

    // ---- writing

    /// <summary>
    /// Begins a write. First, future readers of the old content get a copy of it. Then the write is counted. Then the arrangement of the old content
    /// (<see cref="Arranged"/>) is dropped. Elements change only after this, until <see cref="EndWrite"/>.
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

    /// <summary>A copy of the whole storage, which the caller owns. Its version is the version that a write begun now will have.</summary>
    internal Storage Clone()
    {
        var copy = new Storage(Device, Length) { writesBegun = Version + 1 };
        copy.writesEnded = copy.writesBegun;
        using Tensor from = Tensor.On(Retain(), [Length]), to = Tensor.On(copy.Retain(), [Length]);
        using var held = new Held();
        Device.Kernels.Copy(held.Read(from), held.WriteNew(to));
        return copy;
    }

    // ---- arrangements that kernels keep

    /// <summary>
    /// This memory in the form that a kernel needs, e.g. a transformed filter. If the same form is requested twice without a write in between, it is kept until the memory
    /// is written or freed. So a network at inference arranges its filters once. A network in training requests each form once per step and keeps none.
    /// </summary>
    /// <remarks>
    /// An arrangement belongs to the version that it was made from. It is kept only if no write ran or began while it was made. So it is valid
    /// exactly as long as <see cref="Version"/> does not change.
    /// </remarks>
    /// <param name="form">Identifies the arrangement.</param>
    /// <param name="arrange">Makes the arrangement.</param>
    /// <returns>A share in the arrangement, which the caller releases; null at the first request.</returns>
    internal Storage? Arranged(in ArrangedForm form, Func<Storage> arrange)
    {
        // The order matters: if both are equal, no write ran when the version was read.
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

/// <summary>The way in which a kernel arranges a matrix that lies in some memory.</summary>
/// <param name="Kernel">The kernel that uses the arrangement.</param>
/// <param name="Offset">The first element of the matrix.</param>
/// <param name="Rows">The rows of the matrix.</param>
/// <param name="Columns">The columns of the matrix.</param>
readonly record struct ArrangedForm(string Kernel, int Offset, int Rows, int Columns);
