namespace QuadEngine.Data;

/// <summary>Makes examples of tensors in memory. The outermost axis counts the examples.</summary>
public static class ExampleSet
{
    /// <summary>Returns examples that predict numbers from numbers: a regression, or several yes-or-no labels for each example.</summary>
    /// <param name="inputs">The inputs [N, ...]; they are copied.</param>
    /// <param name="targets">The targets [N, ...]; they are copied.</param>
    /// <param name="name">The name in messages.</param>
    /// <exception cref="ArgumentException">The numbers of examples differ, or a tensor has no axis.</exception>
    public static ExampleSet<Batch<Tensor, Tensor>> Of(Tensor inputs, Tensor targets, string name = "the examples") =>
        new TensorExamples<Tensor, Tensor>(name, new Values(inputs), new Values(targets));

    /// <summary>Returns examples that predict classes from numbers: one class for each example, or for each pixel.</summary>
    /// <param name="inputs">The inputs [N, ...]; they are copied.</param>
    /// <param name="labels">The class numbers [N] or [N, ...]; they are copied.</param>
    /// <param name="name">The name in messages.</param>
    /// <exception cref="ArgumentException">The numbers of examples differ, or a tensor has no axis.</exception>
    public static ExampleSet<Batch<Tensor, IntTensor>> Of(Tensor inputs, IntTensor labels, string name = "the examples") =>
        new TensorExamples<Tensor, IntTensor>(name, new Values(inputs), new Integers(labels));

    /// <summary>Returns examples that predict integers from integers, such as the next tokens of a text.</summary>
    /// <param name="inputs">The inputs [N, ...]; they are copied.</param>
    /// <param name="labels">The labels [N] or [N, ...]; they are copied.</param>
    /// <param name="name">The name in messages.</param>
    /// <exception cref="ArgumentException">The numbers of examples differ, or a tensor has no axis.</exception>
    public static ExampleSet<Batch<IntTensor, IntTensor>> Of(IntTensor inputs, IntTensor labels, string name = "the examples") =>
        new TensorExamples<IntTensor, IntTensor>(name, new Integers(inputs), new Integers(labels));

    /// <summary>Returns examples that predict numbers from integers.</summary>
    /// <param name="inputs">The inputs [N, ...]; they are copied.</param>
    /// <param name="targets">The targets [N, ...]; they are copied.</param>
    /// <param name="name">The name in messages.</param>
    /// <exception cref="ArgumentException">The numbers of examples differ, or a tensor has no axis.</exception>
    public static ExampleSet<Batch<IntTensor, Tensor>> Of(IntTensor inputs, Tensor targets, string name = "the examples") =>
        new TensorExamples<IntTensor, Tensor>(name, new Integers(inputs), new Values(targets));

    sealed class TensorExamples<TInput, TTarget> : ExampleSet<Batch<TInput, TTarget>> where TInput : class where TTarget : class
    {
        readonly Column<TInput> inputs;
        readonly Column<TTarget> targets;

        public TensorExamples(string name, Column<TInput> inputs, Column<TTarget> targets) : base(name)
        {
            Check.That(inputs.Count == targets.Count, nameof(Of), $"there are {inputs.Count} inputs and {targets.Count} targets; the outermost axis of both counts the examples.");
            (this.inputs, this.targets) = (inputs, targets);
        }

        public override int Count => inputs.Count;

        protected override Batch<TInput, TTarget> Gather(ReadOnlySpan<int> examples, RandomStream? random) => new(inputs.Gather(examples), targets.Gather(examples));
    }

    /// <summary>The inputs or the targets of all examples, as rows in memory.</summary>
    abstract class Column<T>
    {
        readonly int[] rest;

        protected Column(Shape shape)
        {
            Check.That(shape.Rank > 0, nameof(Of), $"a tensor of shape {shape} has no axis that counts the examples.");
            (Count, rest) = (shape[0], shape.AsSpan()[1..].ToArray());
        }

        public int Count { get; }

        public abstract T Gather(ReadOnlySpan<int> examples);

        protected (TElement[] Values, Shape Shape) Rows<TElement>(TElement[] all, ReadOnlySpan<int> examples)
        {
            var length = Count == 0 ? 0 : all.Length / Count;
            var values = new TElement[examples.Length * length];
            for (var i = 0; i < examples.Length; i++) all.AsSpan(examples[i] * length, length).CopyTo(values.AsSpan(i * length));
            return (values, [examples.Length, .. rest]);
        }
    }

    sealed class Values(Tensor tensor) : Column<Tensor>(tensor.Shape)
    {
        readonly float[] all = tensor.ToArray();

        public override Tensor Gather(ReadOnlySpan<int> examples)
        {
            var (values, shape) = Rows(all, examples);
            return Tensor.FromArray(values, shape);
        }
    }

    sealed class Integers(IntTensor tensor) : Column<IntTensor>(tensor.Shape)
    {
        readonly int[] all = tensor.ToArray();

        public override IntTensor Gather(ReadOnlySpan<int> examples)
        {
            var (values, shape) = Rows(all, examples);
            return IntTensor.FromSpan(values, shape);
        }
    }
}
