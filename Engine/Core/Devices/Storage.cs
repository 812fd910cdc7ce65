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
/// next one (<see cref="Deferred"/>), the block is allocated and filled when it is first read, on whichever thread that is.
/// </summary>
public sealed class Storage
{
    // Guards the readers of all storages; held for moments, and nothing else is waited for meanwhile.
    static readonly Lock Readers = new();

    DeviceMemory? memory;
    Deferred? pending;
    List<Storage>? readers;
    Arrangement? arrangement;
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
        this.pending = pending;
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
            // The kernel that fills the block asks for it too, on the thread that holds the lock.
            if (Pending is { } work && !Monitor.IsEntered(work)) Compute(null);
            return memory!;
        }
    }

    /// <summary>Counts the writes in place, so that the tape can tell when something it saved was changed.</summary>
    public int Version { get; private set; }

    /// <summary>What will fill this memory, or null once it is filled.</summary>
    internal Deferred? Pending => Volatile.Read(ref pending);

    /// <summary>One owner only: writing in place is seen by nobody else.</summary>
    internal bool IsExclusive => Volatile.Read(ref owners) == 1;

    /// <summary>
    /// Fills the memory if it is not yet; true where the statistics asked for were gathered on the way. Where that fails (out of
    /// memory), the result goes on waiting and the next reader tries again; another thread that reads it meanwhile waits for it.
    /// </summary>
    internal bool Compute(ChannelStatistics? statistics)
    {
        if (Pending is not { } work) return false;
        bool gathered;
        lock (work)
        {
            if (Pending is null) return false;
            memory = Device.Pool.Rent(4L * Length);
            try
            {
                using var y = Tensor.On(Retain(), work.Shape).Keep();
                gathered = work.Compute(y, statistics);
            }
            catch
            {
                Device.Pool.Return(memory);
                memory = null;
                throw;
            }

            Volatile.Write(ref pending, null);
        }

        work.StopReading(this);
        work.Release();
        return gathered;
    }

    /// <summary>
    /// To be called before the memory is overwritten in place: results that still wait to read it are computed first, or, where that
    /// takes less memory, keep a copy of it. So a large result that nobody will read any more costs no more than a copy of a filter.
    /// </summary>
    internal void Writing()
    {
        Storage[] waiting;
        lock (Readers) waiting = [.. readers ?? []];
        using Tensor? copy = waiting.Any(reader => reader.Length >= Length) ? Copy() : null;
        foreach (var reader in waiting)
        {
            if (!reader.TryRetain()) continue;
            try
            {
                if (reader.Length < Length) reader.Compute(null);
                else reader.Pending?.ReadInstead(this, copy!.Storage);
            }
            finally
            {
                reader.Release();
            }

            RemoveReader(reader);
        }

        Version++;
        Keep(null);
        Recording.Current?.OnHost(Writing);
    }

    /// <summary>
    /// This memory as a kernel wants it (a filter, transformed). What is asked for a second time while nothing was written stays until the memory
    /// is written or freed: a network at inference arranges its filters once; one in training asks once a step and keeps none.
    /// </summary>
    /// <param name="form">Tells one arrangement from another.</param>
    /// <param name="arrange">Makes it.</param>
    /// <returns>A share of it, which the caller releases; null the first time.</returns>
    internal Storage? Arranged(in ArrangedForm form, Func<Storage> arrange)
    {
        var known = Volatile.Read(ref arrangement);
        var again = known is not null && known.Form == form && known.Version == Version;
        if (again && known!.Result is { } kept && kept.TryRetain()) return kept;
        var version = Version;
        var result = again ? arrange() : null;
        Keep(new Arrangement(form, version, result?.Retain()));
        return result;
    }

    void Keep(Arrangement? next) => Interlocked.Exchange(ref arrangement, next)?.Result?.Release();

    internal void AddReader(Storage reader)
    {
        lock (Readers) (readers ??= []).Add(reader);
    }

    internal void RemoveReader(Storage reader)
    {
        lock (Readers)
        {
            // From the end: it is nearly always one of the last that came.
            var place = readers?.LastIndexOf(reader) ?? -1;
            if (place < 0) return;
            readers![place] = readers[^1];
            readers.RemoveAt(readers.Count - 1);
        }
    }

    internal Storage Retain()
    {
        Interlocked.Increment(ref owners);
        return this;
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref owners) > 0) return;
        Keep(null);
        if (memory is not null) Device.Pool.Return(memory);
        if (Interlocked.Exchange(ref pending, null) is not { } work) return;
        work.StopReading(this);
        work.Release();
    }

    // Another thread may be letting go of the last share just now.
    bool TryRetain()
    {
        for (var count = Volatile.Read(ref owners); count > 0; count = Volatile.Read(ref owners))
            if (Interlocked.CompareExchange(ref owners, count + 1, count) == count) return true;
        return false;
    }

    // Of the version that the overwritten memory will have: the tape refuses to differentiate through either.
    Tensor Copy()
    {
        using var whole = Tensor.On(Retain(), [Length]).Keep();
        var copy = Tensor.Like(whole).Keep();
        Device.Backend.Copy(whole, copy);
        copy.Storage.Version = Version + 1;
        return copy;
    }

    // Result is null after the first request.
    sealed record Arrangement(ArrangedForm Form, int Version, Storage? Result);
}

/// <summary>How a kernel arranges a matrix within some memory for itself.</summary>
/// <param name="Kernel">Whose arrangement.</param>
/// <param name="Offset">First element of the matrix.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Columns">Its columns.</param>
readonly record struct ArrangedForm(string Kernel, int Offset, int Rows, int Columns);
