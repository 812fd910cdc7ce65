namespace QuadEngine.Data;

/// <summary>
/// Examples of your own: how many there are, and a batch of some of them. The order, the preparation ahead of training on other threads, and the way to a device
/// are done here. <see cref="ExampleSet"/> makes one of tensors.
/// </summary>
/// <typeparam name="TBatch">A batch: <see cref="Batch{TInput, TTarget}"/>, or a record of tensors that implements <see cref="ITensorTuple"/>.</typeparam>
public abstract class ExampleSet<TBatch> : IExamples<TBatch>
{
    // A batch in preparation, and one that is ready.
    const int Ahead = 2;

    /// <summary>Examples under a name.</summary>
    /// <param name="name">What messages call it.</param>
    protected ExampleSet(string name) => Name = name;

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public abstract int Count { get; }

    /// <summary>A batch on the CPU. It is a function of its arguments alone, and is called from several threads at once.</summary>
    /// <param name="examples">Which, each from 0 to <see cref="Count"/> - 1.</param>
    /// <param name="random">Of random changes in training, four words at the index of each example, <c>random.At(example)</c>; null where there are to be none.</param>
    protected abstract TBatch Gather(ReadOnlySpan<int> examples, RandomStream? random);

    /// <inheritdoc/>
    public IPlacedExamples<TBatch> To(Device device) => new Placed(this, device);

    /// <summary>
    /// The batches of one epoch. For training give a seed; for evaluation leave it out.
    /// <code>foreach (var (input, target) in examples.Batches(32, seed: 1, epoch: e)) ...</code>
    /// </summary>
    /// <param name="batchSize">Examples of a batch.</param>
    /// <param name="seed">Shuffles the examples, another order each epoch; in their own order where it is left out.</param>
    /// <param name="epoch">Which epoch, counted from 0.</param>
    /// <param name="dropLast">Leaves out a last batch of fewer examples.</param>
    /// <param name="device">Where the tensors go; the CPU where it is left out.</param>
    /// <exception cref="ArgumentException">An argument is out of range.</exception>
    public IEnumerable<TBatch> Batches(int batchSize, ulong? seed = null, int epoch = 0, bool dropLast = false, Device? device = null) =>
        To(device ?? Device.Cpu).Batches(new EpochOrder(batchSize, seed, epoch, dropLast));

    /// <summary>Some of the examples, over the same memory.</summary>
    /// <param name="start">The first, counted from 0.</param>
    /// <param name="count">May be 0.</param>
    /// <exception cref="ArgumentException">The set does not have these examples.</exception>
    public ExampleSet<TBatch> Slice(int start, int count)
    {
        Check.That(start >= 0 && count >= 0 && count <= Count - start, nameof(Slice), $"asked for {count} examples from example {start} on, but {Name} has {Count}.");
        return new Part(this, [.. Enumerable.Range(start, count)]);
    }

    /// <summary>Two parts without a common example, drawn at random: to learn from and to judge by.</summary>
    /// <param name="testShare">The share of the second part, between 0 and 1; both parts get one example at least.</param>
    /// <param name="seed">Decides which.</param>
    /// <exception cref="ArgumentException">The share is not possible, or there are fewer than two examples.</exception>
    public (ExampleSet<TBatch> Train, ExampleSet<TBatch> Test) Split(float testShare = 0.2f, ulong seed = 1)
    {
        Check.That(testShare is > 0f and < 1f, nameof(Split), $"the share is {testShare}, expected a number between 0 and 1.");
        Check.That(Count >= 2, nameof(Split), $"{Name} has {Count} examples, and two parts need 2 at least.");
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

        // The CPU's tensors go as soon as they are copied, where they are copied.
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
