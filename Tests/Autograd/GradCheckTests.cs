using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.Autograd;

/// <summary>The gradient check accepts right gradients and names wrong ones.</summary>
public class GradCheckTests
{
    /// <summary>Computes x^2 a with a given backward.</summary>
    static Func<Tensor[], Tensor> Product(Func<Tensor, Tensor, Tensor, Tensor?[]> backward) => inputs =>
        (inputs[0].Detach().Square() * inputs[1].Detach()).WithBackward("Product", [inputs[0], inputs[1]], [inputs[0], inputs[1]], (dy, saved) => backward(dy, saved[0], saved[1]));

    static Tensor[] Inputs(ulong seed = 1)
    {
        var dice = new Dice(seed);
        return [dice.AwayFromZero([3, 16]), dice.AwayFromZero([3, 16])];
    }

    [Test]
    public void Right_gradients_pass() => GradCheck.Check("Product", Product((dy, x, a) => [dy * a * x * 2f, dy * x * x]), Inputs());

    static readonly TestCaseData[] Wrong =
    [
        Mutation("factor", 0, (dy, x, a) => [dy * a * x * 2.01f, dy * x * x]),
        Mutation("sign", 1, (dy, x, a) => [dy * a * x * 2f, -(dy * x * x)]),
        Mutation("dy forgotten", 0, (dy, x, a) => [a * x * 2f, dy * x * x]),
        Mutation("dropped", 1, (dy, x, a) => [dy * a * x * 2f, null]),
        Mutation("swapped", 0, (dy, x, a) => [dy * x * x, dy * a * x * 2f]),
        Mutation("constant added", 0, (dy, x, a) => [dy * a * x * 2f + 1e-3f, dy * x * x]),
        Mutation("one channel in sixteen", 0, (dy, x, a) => [dy * a * x * 2f * Channel(11, 1.5f), dy * x * x]),
        Mutation("one element", 1, (dy, x, a) => [dy * a * x * 2f, Tensor.Concat([(dy * x * x).Reshape(-1).Slice(0, 0, 47), Tensor.Zeros([1])], 0).Reshape(3, 16)]),
        Mutation("not a number", 0, (dy, x, a) => [dy * float.NaN, dy * x * x]),
    ];

    static TestCaseData Mutation(string name, int input, Func<Tensor, Tensor, Tensor, Tensor?[]> backward) => new TestCaseData(backward, input).SetArgDisplayNames(name);

    static Tensor Channel(int channel, float factor) => Tensor.FromArray([.. Enumerable.Range(0, 16).Select(c => c == channel ? factor : 1f)], [16]);

    [TestCaseSource(nameof(Wrong))]
    public void Wrong_gradient_is_named(Func<Tensor, Tensor, Tensor, Tensor?[]> backward, int input) =>
        Assert.That(() => GradCheck.Check("Product", Product(backward), Inputs()),
            Throws.TypeOf<GradCheckException>().With.Message.Match($@"^Product: the gradient of input {input} \(shape \[3, 16\]\) at element \d+ is \S+, but finite differences give \S+ \(difference \S+, allowed \S+\)\.$"));

    [Test]
    public void Element_got_and_expected_are_in_the_message() => Assert.That(
        () => GradCheck.Check("Twice", x => (x[0].Detach() * 2f).WithBackward("Twice", [x[0]], [], (dy, _) => [dy * 2f * Tensor.FromArray([1f, 1f, -1f], [3])]), [Tensor.FromArray([1f, 2f, 3f], [3])]),
        Throws.TypeOf<GradCheckException>().With.Message.StartsWith("Twice: the gradient of input 0 (shape [3]) at element 2 is "));

    // 64 samples of 64 x 64 elements: with a constant stride, the check would look at only one channel.
    [Test]
    public void Every_channel_of_a_large_input_is_looked_at([Range(0, 63, 7)] int channel)
    {
        var factor = Tensor.FromArray([.. Enumerable.Range(0, 64).Select(c => c / 4 == channel / 4 ? 1.1f : 1f)], [64]);
        Assert.That(() => GradCheck.Check("Square", x => x[0].Detach().Square().WithBackward("Square", [x[0]], [x[0]], (dy, saved) => [dy * saved[0] * 2f * factor]), [new Dice(1).AwayFromZero([64, 64])]),
            Throws.TypeOf<GradCheckException>());
    }

    // Gradients of a mean are small, so the allowed error must be small too.
    [Test]
    public void Small_gradients_are_checked_as_strictly() => Assert.That(
        () => GradCheck.Check("Mean", x => x[0].Detach().Square().Mean().WithBackward("Mean", [x[0]], [x[0]], (dy, saved) => [dy * saved[0] * (2.02f / 1000)]), [new Dice(1).AwayFromZero([1000])]),
        Throws.TypeOf<GradCheckException>());

    [Test]
    public void Inputs_keep_their_values_and_get_no_gradient()
    {
        var inputs = Inputs();
        var before = inputs.Select(input => input.ToArray()).ToArray();
        GradCheck.Check("Multiply", x => x[0] * x[1], inputs);
        Assert.That(inputs.Select(input => input.ToArray()), Is.EqualTo(before));
        Assert.That(inputs.All(input => input is { RequiresGrad: false, Grad: null, IsDropped: false }));
    }
}
