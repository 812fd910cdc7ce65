namespace QuadEngine.Data;

/// <summary>
/// The base of your own examples: a derived class gives their number and makes a batch of some of them. This class decides the order, prepares batches ahead on other threads, and copies them
/// to a device. <see cref="ExampleSet"/> makes examples of tensors.
/// </summary>
/// <typeparam name="TBatch">The type of a batch: <see cref="Batch{TInput, TTarget}"/>, or a record of tensors that implements <see cref="ITensorTuple"/>.</typeparam>
public abstract class ExampleSet<TBatch> : IExamples<TBatch>
{
    // One batch in preparation, and one that is ready.
    const int Ahead = 2;

    /// <summary>Creates examples with a name.</summary>
    /// <param name="name">The name in messages.</param>
    protected ExampleSet(string name) => Name = name;

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public abstract int Count { get; }

    /// <summary>Makes a batch on the CPU. The batch must depend only on the arguments. Several threads call this method at the same time.</summary>
    /// <param name="examples">The indices of the examples, each from 0 to <see cref="Count"/> - 1.</param>
    /// <param name="random">The random numbers for changes in training, four words at the index of each example, <c>random.At(example)</c>; null for no changes.</param>
    protected abstract TBatch Gather(ReadOnlySpan<int> examples, RandomStream? random);

    /// <inheritdoc/>
    public IPlacedExamples<TBatch> To(Device device) => new Placed(this, device);

    /// <summary>
    /// Returns the batches of one epoch. Give a seed for training, and no seed for evaluation.
    /// <code>foreach (var (input, target) in examples.Batches(32, seed: 1, epoch: e)) ...</code>
    /// </summary>
    /// <param name="batchSize">The number of examples in a batch.</param>
    /// <param name="seed">The seed that shuffles the examples, in another order each epoch; null to keep their order.</param>
    /// <param name="epoch">The number of the epoch, from 0.</param>
    /// <param name="dropLast">Whether a last batch of fewer examples is left out.</param>
    /// <param name="device">The device of the tensors; null for the CPU.</param>
    /// <exception cref="ArgumentException">An argument is out of range.</exception>
    public IEnumerable<TBatch> Batches(int batchSize, ulong? seed = null, int epoch = 0, bool dropLast = false, Device? device = null) =>
        To(device ?? Device.Cpu).Batches(new EpochOrder(batchSize, seed, epoch, dropLast));

    /// <summary>Returns some of the examples, over the same memory.</summary>
    /// <param name="start">The first example, from 0.</param>
    /// <param name="count">The number of examples; it may be 0.</param>
    /// <exception cref="ArgumentException">The set does not have these examples.</exception>
    public ExampleSet<TBatch> Slice(int start, int count)
    {
        Check.That(start >= 0 && count >= 0 && count <= Count - start, nameof(Slice), $"{count} examples from example {start} were requested, but {Name} has {Count}.");
        return new Part(this, [.. Enumerable.Range(start, count)]);
    }

    /// <summary>Splits the examples at random into two parts without a common example, for training and for evaluation.</summary>
    /// <param name="testShare">The share of the second part, between 0 and 1; each part gets at least one example.</param>
    /// <param name="seed">The seed that decides which examples are in which part.</param>
    /// <exception cref="ArgumentException">The share is not possible, or there are fewer than two examples.</exception>
    public (ExampleSet<TBatch> Train, ExampleSet<TBatch> Test) Split(float testShare = 0.2f, ulong seed = 1)
    {
        Check.That(testShare is > 0f and < 1f, nameof(Split), $"the share is {testShare}, expected a number between 0 and 1.");
        Check.That(Count >= 2, nameof(Split), $"{Name} has {Count} examples, but two parts need at least 2.");
        var order = EpochRandom.Permutation(Count, seed, epoch: 0);
        var test = Math.Clamp((int)Math.Round((double)testShare * Count), 1, Count - 1);
        return (new Part(this, order[test..]), new Part(this, order[..test]));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Count:N0} examples";

    sealed class Part(ExampleSet<TBatch> whole, int[] examples) : ExampleSet<TBatch>(whole.Name)
    {
        public override int Count => examples.Length;

        protected override TBatch Gather(ReadOnlySpan<int> some, RandomStream? random)
        {
            var ofWhole = new int[some.Length];
            for (var i = 0; i < some.Length; i++) ofWhole[i] = examples[some[i]];
            return whole.Gather(ofWhole, random);
        }
    }

    sealed class Placed(ExampleSet<TBatch> examples, Device device) : IPlacedExamples<TBatch>
    {
        public Device Device => device;

        public IEnumerable<TBatch> Batches(EpochOrder order)
        {
            order.Validate(nameof(Batches), examples.Count);
            return Prepared(order);
        }

        IEnumerable<TBatch> Prepared(EpochOrder order)
        {
            var plan = order.Plan(examples.Count);
            RandomStream? random = order is { Seed: { } seed, Changed: true } ? EpochRandom.AugmentStream(seed, order.Epoch) : null;
            using var batches = new Prefetch<Slot>(plan.Start, plan.End, Ahead, () => new Slot(), (b, slot) => slot.Batch = examples.Gather(plan.Order.AsSpan(plan.First(b), plan.Length(b)), random));
            while (batches.MoveNext()) yield return OnDevice(batches.Current.Batch!);
        }

        // The CPU's tensors are disposed as soon as they are copied to another device.
        TBatch OnDevice(TBatch batch)
        {
            if (ReferenceEquals(device, Device.Cpu)) return batch;
            return TensorTuple.Map(batch, tensor =>
            {
                using (tensor) return tensor.To(device);
            }, indices =>
            {
                using (indices) return indices.To(device);
            });
        }

        public void Dispose()
        {
        }

        sealed class Slot
        {
            public TBatch? Batch { get; set; }
        }
    }
}
