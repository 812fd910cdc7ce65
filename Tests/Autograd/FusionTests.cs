using CsCheck;
using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.Autograd;

/// <summary>
/// Random programs of operations that join each other, in every order and with every kind of reuse. Their results and gradients equal those of the
/// same program with every operation alone (a <see cref="NonFiniteGuard"/> reads each result at once).
/// </summary>
public class FusionTests
{
    const int Rows = 6, Channels = 4;

    [Test]
    public void Programs_give_the_same_fused_and_separately() => Gen.ULong[1, ulong.MaxValue >> 8].Sample(seed =>
    {
        float[][] separately;
        using (new NonFiniteGuard()) separately = Run(seed);
        var fused = Run(seed);
        for (var i = 0; i < fused.Length; i++)
        {
            var scale = Math.Max(1f, separately[i].Max(MathF.Abs));
            for (var j = 0; j < fused[i].Length; j++)
                if (!(Math.Abs(fused[i][j] - separately[i][j]) <= 2e-3f * scale)) throw new AssertionException($"program {seed}, value {i}, element {j}: fused {fused[i][j]}, separately {separately[i][j]}");
        }
    }, iter: 1500, threads: 1);

    // Large sums, and sums that are no numbers, reach both ends of the functions.
    [TestCaseSource(nameof(Activations))]
    public void An_activation_gives_the_same_bits_joined_and_alone(string name, Func<Tensor, Tensor> activation)
    {
        var dice = new Dice(1);
        Tensor x = dice.Values([5, 3]) * 10f, weight = dice.Values([3, 37]), odd = Tensor.FromArray([float.NaN, float.PositiveInfinity, float.NegativeInfinity, 6f, -3f], [5, 1]).Expand([5, 37]);
        foreach (var residual in (Tensor?[])[null, odd])
        {
            Tensor Sum() => residual is null ? x.MatMul(weight) : x.MatMul(weight) + residual;
            var sum = Sum();
            _ = sum.ToArray();
            Assert.That(activation(Sum()).ToArray(), Is.EqualTo(activation(sum).ToArray()), name);
        }
    }

    static readonly TestCaseData[] Activations =
    [
        new("relu", (Tensor x) => x.Relu()),
        new("relu6", (Tensor x) => x.Relu6()),
        new("hard sigmoid", (Tensor x) => x.HardSigmoid()),
        new("hard swish", (Tensor x) => x.HardSwish()),
    ];

    [TestCaseSource(nameof(Activations))]
    public void An_activation_joins_if_its_derivative_reads_the_result(string name, Func<Tensor, Tensor> activation)
    {
        Tensor x = Tensor.Ones([5, 3]), w = new Parameter(Tensor.Ones([3, 4])), norm = x.MatMul(w).BatchNorm(null, null);
        var joins = name != "hard swish";
        Assert.That(activation(x.MatMul(w)).Storage.Deferred is DeferredProjection { Activation.IsNone: false }, Is.EqualTo(joins));
        Assert.That(activation(norm).Storage.Deferred is DeferredNormalization { Activation.IsNone: false }, Is.EqualTo(joins));
    }

    // Equal dice give equal programs. Results that are read early, dropped or overwritten change only the time at which results are computed.
    static float[][] Run(ulong seed)
    {
        var dice = new Dice(seed);
        Tensor Values(params int[] shape) => dice.Values(shape);
        Parameter[] weights = [new(Values(Channels, Channels)), new(Values(Channels, Channels))];
        Parameter gamma = new(Values(Channels)), lambda = new(Values(new NeuronLayout(Channels, 1).Coefficients));
        var input = Values(Rows, Channels);
        input.RequiresGrad = dice.Coin();
        List<Tensor> tensors = [input];
        Tensor mean = Tensor.Zeros([Channels]), variance = Tensor.Ones([Channels]);
        var read = new List<float[]>();
        for (var i = dice.Between(2, 12); i > 0; i--)
        {
            Tensor x = tensors[dice.Between(Math.Max(0, tensors.Count - 3), tensors.Count - 1)], other = tensors[dice.Between(0, tensors.Count - 1)];
            using var noGrad = dice.Between(0, 9) == 0 ? new NoGrad() : (NoGrad?)null;
            tensors.Add(dice.Between(0, 13) switch
            {
                0 or 1 => x.MatMul(weights[dice.Between(0, 1)]) * 0.5f,
                2 or 3 => x.MatMul(weights[dice.Between(0, 1)], bias: dice.Coin() ? gamma : null),
                4 or 5 or 6 => x.BatchNorm(dice.Coin() ? gamma : null, null),
                7 => x.BatchNormInference(mean, variance, gamma, null),
                8 => x.Relu(),
                9 => dice.OneOf<Func<Tensor>>(x.Relu6, x.HardSigmoid, x.HardSwish, (x * 8f).Relu6)(),
                10 => x + other,
                11 => x.QuadraticNeuron(lambda, new NeuronLayout(Channels, 1)).Tanh(),
                12 => x.MatMul(weights[0]).QuadraticNeuron(lambda, new NeuronLayout(Channels, 1)),
                _ => dice.OneOf<Func<Tensor>>(x.Detach, x.Alias, () => x * 0.5f)(),
            });
            if (dice.Between(0, 4) == 0) read.Add(tensors[^1].ToArray());
        }

        var y = tensors[^1].Tanh();
        foreach (var tensor in tensors.Skip(1))
            if (dice.Between(0, 2) == 0) y += tensor.Tanh();
            else if (dice.Coin()) tensor.Dispose();
        read.Add(y.ToArray());
        if (y.RequiresGrad)
        {
            y.Backward(Values(Rows, Channels), retainGraph: true);
            y.Backward(Values(Rows, Channels));
        }

        var sgd = new Sgd([.. weights, gamma, lambda], 0.1f);
        foreach (var leaf in (Tensor[])[input, .. weights, gamma, lambda]) read.Add(leaf.Grad?.ToArray() ?? []);
        sgd.Step();
        foreach (var tensor in tensors)
            if (!tensor.IsDropped) read.Add(tensor.ToArray());
        return [.. read.Where(values => values.Length > 0)];
    }
}
