using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>
/// A source of random numbers: a seed, and the number of streams drawn so far. Each draw of a tensor takes one stream of
/// <see cref="Philox"/>. So two fields are the whole state, and a run that resumes from a checkpoint with them draws the same bits.
/// </summary>
/// <param name="seed">Any number; equal seeds give equal numbers.</param>
public sealed class Generator(ulong seed)
{
    /// <summary>The generator that initialization and dropout use by default. Its seed is 0 at the start.</summary>
    /// <remarks>
    /// There is one for the whole process. Threads that draw from it at the same time get different streams, but the timing decides which thread gets which
    /// stream. To get the same bits again, give each thread its own generator.
    /// </remarks>
    public static Generator Default { get; set; } = new(0);

    /// <summary>The seed, the key of every number drawn.</summary>
    public ulong Seed { get; private set; } = seed;

    ulong position;

    /// <summary>The next stream that will be drawn. Set it to resume.</summary>
    public ulong Position
    {
        get => Volatile.Read(ref position);
        set => Volatile.Write(ref position, value);
    }

    /// <summary>Sets the seed and the position to those of another generator.</summary>
    /// <param name="seed">The <see cref="Seed"/> of that generator.</param>
    /// <param name="position">The <see cref="Position"/> of that generator.</param>
    public void Restore(ulong seed, ulong position) => (Seed, Position) = (seed, position);

    /// <summary>Takes the next stream. No two callers get the same one, on any threads.</summary>
    /// <remarks>When <see cref="Recompute"/> runs a function again, this returns the stream of the first run and takes none.</remarks>
    public RandomStream Next() => Recompute.Draw(this);

    internal RandomStream Take()
    {
        Recording.Current?.Drawn(this);
        return new(Seed, Interlocked.Increment(ref position) - 1);
    }
}

/// <summary>One stream of <see cref="Philox"/>: element i of a tensor takes word i mod 4 of block i / 4.</summary>
/// <param name="Seed">The key of <see cref="Philox"/>.</param>
/// <param name="Stream">The number of the stream under that key.</param>
public readonly record struct RandomStream(ulong Seed, ulong Stream)
{
    /// <summary>Returns the words of a block.</summary>
    /// <param name="block">The index of the block, from 0.</param>
    public (uint X, uint Y, uint Z, uint W) At(int block) => Philox.At(Seed, Stream, (ulong)block);
}
