using QuadEngine.Layers;

namespace QuadEngine.Tests.Modules;

/// <summary>Modules whose function has more than one tensor: indices, masks, several results.</summary>
sealed class SeveralTensorsTests
{
    [Test]
    public void Results_outlive_the_call_and_what_was_made_on_the_way_does_not()
    {
        var module = new Both();
        var (x, mask) = (Tensor.FromArray([1f, 2f, 3f], [3]), Tensor.FromArray([1f, 0f, 1f], [3]));
        var (sum, passed) = module.Forward((x, mask));
        Assert.That((sum.ToArray(), passed.ToArray()), Is.EqualTo((new[] { 2f, 2f, 4f }, new[] { 1f, 2f, 3f })));
        Assert.That(() => module.Between!.ToArray(), Throws.TypeOf<ObjectDisposedException>());

        // A result that equals the input has its own handle.
        passed.Dispose();
        Assert.That(x.ToArray(), Is.EqualTo(new[] { 1f, 2f, 3f }));
    }

    [Test]
    public void Gradients_flow_through_each_result()
    {
        var module = new Both();
        var x = Tensor.Ones([2]);
        x.RequiresGrad = true;
        var (sum, passed) = module[(x, Tensor.Full([2], 3f))];
        (sum + 2f * passed).Sum().Backward();
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new[] { 3f, 3f }));
    }

    [Test]
    public void Records_arrays_and_integers_are_results()
    {
        var (found, values) = new AsRecord()[Tensor.FromArray([3f, 1f, 5f], [1, 3])];
        Assert.That((found.ToArray(), values.ToArray()), Is.EqualTo((new[] { 2 }, new[] { 6f, 2f, 10f })));
        var parts = new AsArray()[IntTensor.FromArray([4])];
        Assert.That(parts.Select(part => part.Item()), Is.EqualTo(new[] { 1f, 2f }));
        Assert.That(() => new Unknown()[1], Throws.TypeOf<NotSupportedException>().With.Message.Contains("List").And.Message.Contains(nameof(ITensorTuple)));
    }

    [Test]
    public void They_are_registered_switched_moved_and_saved_as_others_are()
    {
        var network = new Outer();
        Assert.That(network.NamedParameters().Select(entry => entry.Path), Is.EqualTo(new[] { "inner.scale" }));
        Assert.That(network.Eval().Inner.Training, Is.False);
        Assert.That(network.StateDictionary().Keys, Is.EqualTo(new[] { "inner.scale" }));
        Assert.That(network[Tensor.Full([1], 2f)].Item(), Is.EqualTo(6f));
        Assert.That(() => new Forgetful()[Tensor.Ones([1])], Throws.InvalidOperationException.With.Message.Contains("Register"));
    }

    sealed class Both : Module<(Tensor Values, Tensor Mask), (Tensor Sum, Tensor Passed)>
    {
        public Tensor? Between { get; private set; }

        protected override (Tensor Sum, Tensor Passed) Compute((Tensor Values, Tensor Mask) x)
        {
            Between = x.Values * 1f;
            return (Between + x.Mask, x.Values);
        }
    }

    readonly record struct Answer(IntTensor Found, Tensor Values) : ITensorTuple
    {
        public ITensorTuple Map(Func<Tensor, Tensor> tensors, Func<IntTensor, IntTensor> integers) => new Answer(integers(Found), tensors(Values));
    }

    sealed class AsRecord : Module<Tensor, Answer>
    {
        protected override Answer Compute(Tensor x) => new(x.ArgMax(), x * 2f);
    }

    sealed class AsArray : Module<IntTensor, Tensor[]>
    {
        protected override Tensor[] Compute(IntTensor x) => [Tensor.Scalar(1f), Tensor.Scalar(2f)];
    }

    sealed class Unknown : Module<int, List<Tensor>>
    {
        protected override List<Tensor> Compute(int x) => [Tensor.Scalar(1f)];
    }

    sealed class Scaled : Module<(Tensor Values, float Factor), Tensor>
    {
        readonly Parameter scale;

        public Scaled() => scale = Register("scale", new Parameter(Tensor.Ones([1])));

        protected override Tensor Compute((Tensor Values, float Factor) x) => x.Values * scale * x.Factor;
    }

    sealed class Outer : Module
    {
        public Outer() => Inner = Register("inner", new Scaled());

        public Scaled Inner { get; }

        protected override Tensor Compute(Tensor x) => Inner[(x, 3f)];
    }

    sealed class Forgetful : Module
    {
        readonly Scaled inner = new();

        protected override Tensor Compute(Tensor x) => inner[(x, 3f)];
    }
}
