using System.Collections;

namespace QuadEngine.Data;

/// <summary>
/// The batches of one epoch of a data set, shuffled and augmented: prepared ahead on other threads, or on the device that keeps the data.
/// Batch b of epoch e is a function of the data, the seed, e and b alone: any number of threads, any device and any place to start
/// give the same bits.
/// </summary>
public sealed class Loader : IEnumerable<Batch>
{
    readonly BatchSource data;
    readonly ulong? seed;
    readonly int epoch, start;
    readonly bool joinsLast;

    internal Loader(BatchSource data, int batchSize, ulong? seed, int epoch, bool dropLast, int start)
    {
        const string operation = nameof(ImageDataset.Batches);
        Check.That(batchSize >= 1, operation, $"{nameof(batchSize)} is {batchSize}, expected 1 or more.");
        Check.That(epoch >= 0, operation, $"{nameof(epoch)} is {epoch}, expected 0 or more.");

        BatchSize = batchSize;
        joinsLast = seed is not null && !dropLast && data.Count > batchSize && data.Count % batchSize == 1;
        Count = data.Count / batchSize + (dropLast || joinsLast || data.Count % batchSize == 0 ? 0 : 1);
        Check.That(start >= 0 && start <= Count, operation, $"{nameof(start)} is {start}, expected 0 to {Count}, the number of batches.");

        Check.That(seed is not null || data.Randomness is null, operation,
            $"{data.Randomness} draws random numbers, but there is no seed; give one (seed: 1), or leave the augmentation out.");

        (this.data, this.seed, this.epoch, this.start) = (data, seed, epoch, start);
    }

    /// <summary>Images in a batch; the last batch may have fewer or, shuffled, one more.</summary>
    public int BatchSize { get; }

    /// <summary>Batches in the whole epoch, wherever it starts.</summary>
    public int Count { get; }

    /// <summary>The batches in order. Leaving the loop early stops the threads.</summary>
    public IEnumerator<Batch> GetEnumerator()
    {
        var order = seed is { } drawn ? EpochRandom.Permutation(data.Count, drawn, epoch) : [.. Enumerable.Range(0, data.Count)];
        return data.Batches(new(order, BatchSize, start, Count, joinsLast, seed ?? 0, epoch)).GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
