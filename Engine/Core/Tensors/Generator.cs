using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>
/// A source of random numbers: a seed, and the number of streams drawn so far. Each draw of a tensor takes one stream of
/// <see cref="Philox"/>, so two fields are the whole state, and a checkpoint that keeps them resumes with the same bits.
/// </summary>
/// <param name="seed">Any number; equal seeds give equal numbers.</param>
public sealed class Generator(ulong seed)
{
    /// <summary>The generator that initialization and dropout use unless told otherwise; seed 0 at start.</summary>
    /// <remarks>
    /// One for the whole process. Threads that draw from it at once get different streams, but which of them gets which depends on their
    /// timing; to get the same bits again, give each thread a generator of its own.
    /// </remarks>
    public static Generator Default { get; set; } = new(0);

    /// <summary>The seed, the key of every number drawn.</summary>
    public ulong Seed { get; private set; } = seed;

    ulong position;

    /// <summary>The next stream to be drawn; set it to resume.</summary>
    public ulong Position
    {
        get => Volatile.Read(ref position);
        set => Volatile.Write(ref position, value);
    }

    /// <summary>Goes to where a generator was that had this seed and position.</summary>
    /// <param name="seed">Its <see cref="Seed"/>.</param>
    /// <param name="position">Its <see cref="Position"/>.</param>
    public void Restore(ulong seed, ulong position) => (Seed, Position) = (seed, position);

    /// <summary>Takes the next stream; no two callers, on whatever threads, get the same.</summary>
    /// <remarks>Where <see cref="Recompute"/> runs a function again, it is the stream of the first time, and none is taken.</remarks>
    public RandomStream Next() => Recompute.Draw(this);

    internal RandomStream Take()
    {
        Recording.Current?.Drawn(this);
        return new(Seed, Interlocked.Increment(ref position) - 1);
    }
}

/// <summary>One stream of <see cref="Philox"/>: element i of a tensor takes word i mod 4 of the block at i / 4.</summary>
/// <param name="Seed">Key of <see cref="Philox"/>.</param>
/// <param name="Stream">Which of the streams under that key.</param>
public readonly record struct RandomStream(ulong Seed, ulong Stream)
{
    /// <summary>The words of a block.</summary>
    /// <param name="block">Counted from 0.</param>
    public (uint X, uint Y, uint Z, uint W) At(int block) => Philox.At(Seed, Stream, (ulong)block);
}
