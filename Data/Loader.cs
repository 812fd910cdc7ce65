using System.Collections;

namespace QuadEngine.Data;

/// <summary>
/// The batches of one epoch of a data set, shuffled and augmented. They are prepared ahead on other threads, or on the device that keeps the data.
/// Batch b of epoch e is a function only of the data, the seed, e and b, so any number of threads, any device and any start
/// give the same bits.
/// </summary>
public sealed class Loader : IEnumerable<Batch<Tensor, IntTensor>>
{
    readonly BatchSource data;
    readonly EpochOrder order;

    internal Loader(BatchSource data, EpochOrder order)
    {
        const string operation = nameof(ImageDataset.Batches);
        order.Validate(operation, data.Count);
        Check.That(order.Seed is not null || data.Randomness is null, operation,
            $"{data.Randomness} draws random numbers, but there is no seed; give one (seed: 1), or leave out the augmentation.");
        (this.data, this.order, Count) = (data, order, order.BatchesOf(data.Count));
    }

    /// <summary>The number of images in a batch; the last batch may have fewer or, if shuffled, one more.</summary>
    public int BatchSize => order.BatchSize;

    /// <summary>The number of batches in the whole epoch, which does not depend on its start.</summary>
    public int Count { get; }

    /// <summary>Returns the batches in order. Leaving the loop early stops the threads.</summary>
    public IEnumerator<Batch<Tensor, IntTensor>> GetEnumerator() => data.Batches(order.Plan(data.Count)).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
