using System.Collections;

namespace QuadEngine.Data;

/// <summary>
/// The batches of one epoch of a data set, shuffled and augmented, prepared ahead on other threads.
/// Batch b of epoch e is a function of the data, the seed, e and b alone: any number of threads and any place to start
/// give the same bits.
/// </summary>
public sealed class Loader : IEnumerable<Batch>
{
    readonly BatchSource data;
    readonly Device? device;
    readonly ulong? seed;
    readonly int epoch, start, prefetch;

    internal Loader(
        BatchSource data, int batchSize, ulong? seed, int epoch, bool dropLast, int start, int prefetch, Device? device)
    {
        const string operation = nameof(ImageDataset.Batches);
        Check.That(batchSize >= 1, operation, $"{nameof(batchSize)} is {batchSize}, expected 1 or more.");
        Check.That(epoch >= 0, operation, $"{nameof(epoch)} is {epoch}, expected 0 or more.");
        Check.That(prefetch >= 0, operation, $"{nameof(prefetch)} is {prefetch}, expected 0 (prepare on the caller's thread) or more.");

        BatchSize = batchSize;
        Count = data.Count / batchSize + (dropLast || data.Count % batchSize == 0 ? 0 : 1);
        Check.That(start >= 0 && start <= Count, operation, $"{nameof(start)} is {start}, expected 0 to {Count}, the number of batches.");

        Check.That(seed is not null || data.Randomness is null, operation,
            $"{data.Randomness} draws random numbers, but there is no seed; give one (seed: 1), or leave the augmentation out.");

        this.data = data;
        this.seed = seed;
        this.epoch = epoch;
        this.start = start;
        this.prefetch = prefetch;
        this.device = device;
    }

    /// <summary>Images in a batch; the last batch may have fewer.</summary>
    public int BatchSize { get; }

    /// <summary>Batches in the whole epoch, wherever it starts.</summary>
    public int Count { get; }

    /// <summary>The batches in order. Leaving the loop early stops the threads.</summary>
    public IEnumerator<Batch> GetEnumerator()
    {
        using var batches = HostBatches();
        while (batches.MoveNext())
            yield return batches.Current.ToTensors(device);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal Prefetch<HostBatch> HostBatches()
    {
        var order = seed is { } s ? EpochRandom.Permutation(data.Count, s, epoch) : null;
        return new(start, Count, prefetch, () => new HostBatch(Math.Min(BatchSize, data.Count), data.ImageShape), (b, batch) => Prepare(b, batch, order));
    }

    void Prepare(int b, HostBatch batch, int[]? order)
    {
        int first = b * BatchSize, length = data.ImageShape.Elements;
        batch.Count = Math.Min(BatchSize, data.Count - first);
        for (var i = 0; i < batch.Count; i++)
        {
            var image = order is null ? first + i : order[first + i];
            data.Write(image, seed ?? 0, epoch, batch.Images.AsSpan(i * length, length));
            batch.Labels[i] = data.Label(image);
        }
    }
}
