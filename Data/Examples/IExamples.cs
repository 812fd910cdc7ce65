namespace QuadEngine.Data;

/// <summary>What a network learns from, or is judged by: examples that come in batches. <see cref="ExampleSet{TBatch}"/> is the base of one of your own.</summary>
/// <typeparam name="TBatch">A batch: <see cref="Batch{TInput, TTarget}"/>, or a record of tensors that implements <see cref="ITensorTuple"/>. The outermost axis of its first tensor counts its examples.</typeparam>
public interface IExamples<TBatch>
{
    /// <summary>What messages call it.</summary>
    string Name { get; }

    /// <summary>The number of examples.</summary>
    int Count { get; }

    /// <summary>The same for batches on a device.</summary>
    /// <param name="device">Where batches go.</param>
    IPlacedExamples<TBatch> To(Device device);
}

/// <summary>Examples for batches on one device. Batch b of epoch e is a function of the examples, the seed, e and b alone: any number of threads and any place to start give the same bits.</summary>
/// <typeparam name="TBatch">A batch.</typeparam>
public interface IPlacedExamples<TBatch> : IDisposable
{
    /// <summary>Where batches go.</summary>
    Device Device { get; }

    /// <summary>The batches of an epoch, which are the caller's.</summary>
    /// <param name="order">Which examples come when.</param>
    /// <exception cref="ArgumentException">A number of the order is out of range.</exception>
    IEnumerable<TBatch> Batches(EpochOrder order);
}

/// <summary>An epoch as it is asked for.</summary>
/// <param name="BatchSize">Examples of a batch; the last may have fewer or, shuffled, one more.</param>
/// <param name="Seed">Shuffles the examples, another order each epoch, and decides their random changes; null for their own order, unchanged.</param>
/// <param name="Epoch">Which epoch, counted from 0.</param>
/// <param name="DropLast">Leaves out a last batch of fewer examples. Else, shuffled, a single example that is left over joins the batch before it: batch norm has no statistics of one.</param>
/// <param name="Start">The first batch: resumes an epoch in its middle with the bits it would have had.</param>
/// <param name="Changed">Whether random changes are made where there is a seed.</param>
public readonly record struct EpochOrder(int BatchSize, ulong? Seed = null, int Epoch = 0, bool DropLast = false, int Start = 0, bool Changed = true)
{
    /// <summary>The number of batches of the whole epoch, wherever it starts.</summary>
    /// <param name="examples">Examples in all.</param>
    public int BatchesOf(int examples) => Division(examples).Batches;

    internal (int Batches, bool JoinsLast) Division(int examples)
    {
        var joinsLast = Seed is not null && !DropLast && examples > BatchSize && examples % BatchSize == 1;
        return (examples / BatchSize + (DropLast || joinsLast || examples % BatchSize == 0 ? 0 : 1), joinsLast);
    }

    internal void Validate(string operation, int examples)
    {
        Check.That(BatchSize >= 1, operation, $"batchSize is {BatchSize}, expected 1 or more.");
        Check.That(Epoch >= 0, operation, $"epoch is {Epoch}, expected 0 or more.");
        var batches = BatchesOf(examples);
        Check.That(Start >= 0 && Start <= batches, operation, $"start is {Start}, expected 0 to {batches}, the number of batches.");
    }

    internal EpochPlan Plan(int examples)
    {
        var (batches, joinsLast) = Division(examples);
        var order = Seed is { } drawn ? EpochRandom.Permutation(examples, drawn, Epoch) : [.. Enumerable.Range(0, examples)];
        return new(order, BatchSize, Start, batches, joinsLast, Seed ?? 0, Epoch);
    }
}
