namespace QuadEngine.Data;

/// <summary>Examples for training or evaluation, which come in batches. Derive <see cref="ExampleSet{TBatch}"/> to write your own.</summary>
/// <typeparam name="TBatch">The type of a batch: <see cref="Batch{TInput, TTarget}"/>, or a record of tensors that implements <see cref="ITensorTuple"/>. The outermost axis of its first tensor counts its examples.</typeparam>
public interface IExamples<TBatch>
{
    /// <summary>The name in messages.</summary>
    string Name { get; }

    /// <summary>The number of examples.</summary>
    int Count { get; }

    /// <summary>Returns the examples for batches on a device.</summary>
    /// <param name="device">The device of the batches.</param>
    IPlacedExamples<TBatch> To(Device device);
}

/// <summary>Examples for batches on one device. Batch b of epoch e is a function only of the examples, the seed, e and b, so any number of threads and any start give the same bits.</summary>
/// <typeparam name="TBatch">The type of a batch.</typeparam>
public interface IPlacedExamples<TBatch> : IDisposable
{
    /// <summary>The device of the batches.</summary>
    Device Device { get; }

    /// <summary>Returns the batches of an epoch. The caller disposes them.</summary>
    /// <param name="order">The order of the epoch.</param>
    /// <exception cref="ArgumentException">A number of the order is out of range.</exception>
    IEnumerable<TBatch> Batches(EpochOrder order);
}

/// <summary>The order of an epoch.</summary>
/// <param name="BatchSize">The number of examples in a batch. The last batch may have fewer or, if shuffled, one more.</param>
/// <param name="Seed">The seed that shuffles the examples, in another order each epoch, and decides their random changes; null to keep their order, without changes.</param>
/// <param name="Epoch">The number of the epoch, from 0.</param>
/// <param name="DropLast">Whether a last batch of fewer examples is left out. If false and shuffled, a single example that is left over joins the batch before it, because batch norm cannot compute statistics of one example.</param>
/// <param name="Start">The first batch. It resumes an epoch in the middle with the same bits as without interruption.</param>
/// <param name="Changed">Whether random changes are made if there is a seed.</param>
public readonly record struct EpochOrder(int BatchSize, ulong? Seed = null, int Epoch = 0, bool DropLast = false, int Start = 0, bool Changed = true)
{
    /// <summary>Returns the number of batches in the whole epoch, which does not depend on its start.</summary>
    /// <param name="examples">The number of all examples.</param>
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
