using CsCheck;
using QuadEngine.Layers;
using QuadEngine.Tests.Memory;
using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.Autograd;

/// <summary>The backward of quadratic neurons joins the backward of the batch norm after them, if nothing else reads their output. Only launches and bytes show this.</summary>
public class JoinedBackwardTests
{
    [Test]
    public void It_has_the_bits_of_two_passes_on_the_cpu() => Gen.ULong[1, ulong.MaxValue >> 8].Sample(seed => AssertSame(seed, Device.Cpu, large: seed % 7 == 0, 0f), iter: 400, threads: 1);

    /// <summary>Draws neurons and a batch norm after them, and compares the gradients of one pass with the gradients of two passes.</summary>
    public static void AssertSame(ulong seed, Device device, bool large, float tolerance)
    {
        float[][] joined = Gradients(seed, device, large, twoPasses: false), apart = Gradients(seed, device, large, twoPasses: true);
        for (var i = 0; i < apart.Length; i++)
        {
            var allowed = tolerance * apart[i].Select(MathF.Abs).DefaultIfEmpty().Max();
            if (joined[i].Length != apart[i].Length || joined[i].Zip(apart[i]).Any(pair => !(Math.Abs(pair.First - pair.Second) <= allowed)))
                throw new AssertionException($"seed {seed} on {device}: gradient {i} differs");
        }
    }

    // Returns the gradients of z, lambda, gamma, beta and the residual; those of constants are empty. Also returns the incoming gradient, which nothing may overwrite.
    static float[][] Gradients(ulong seed, Device device, bool large, bool twoPasses)
    {
        var dice = new Dice(seed);
        var layout = new NeuronLayout(large ? dice.Between(1, 70) : dice.OneOf(1, 4, 7, 16, 20, 33), dice.OneOf(0, 1, 2, 3, 5, 7, 9, 15, 40));
        Shape shape = large ? [dice.Between(2, 40), 5, 7, layout.Channels] : [.. dice.Shape(0, 2), dice.Between(2, 5), layout.Channels], channels = [layout.Channels];
        Tensor z = Leaf(shape), lambda = Leaf([layout.Coefficients]), residual = Leaf(shape), cotangent = dice.Values(shape).To(device);
        Tensor? gamma = Seldom() ? null : Leaf(channels), beta = Seldom() ? null : Leaf(channels);

        var y = z.QuadraticNeuron(lambda, layout, normalized: dice.Coin(), detached: Seldom());
        if (twoPasses) _ = y.Exp();
        var result = Seldom()
            ? y.BatchNormInference(Tensor.Full(channels, 0.5f, device), Tensor.Full(channels, 2f, device), gamma, beta)
            : y.BatchNorm(gamma, beta);
        if (dice.Coin()) result += residual;
        if (dice.Coin()) result = result.Relu();

        // The first incoming gradient is shared with the test; the second belongs to backward, which overwrites it.
        if (result.RequiresGrad && dice.Coin()) result.Backward(cotangent);
        else if (result.RequiresGrad) (result * cotangent).Sum().Backward();
        return [.. ((Tensor?[])[z, lambda, gamma, beta, residual]).Select(leaf => leaf?.Grad?.ToArray() ?? []), cotangent.ToArray()];

        bool Seldom() => dice.Between(0, 3) == 0;

        Tensor Leaf(Shape of)
        {
            var leaf = dice.Values(of).To(device);
            leaf.RequiresGrad = !Seldom();
            return leaf;
        }
    }

    public static (Tensor Z, Parameter Lambda, Tensor Y, NeuronLayout Layout) Neurons(Device device)
    {
        var layout = new NeuronLayout(8, 3);
        var dice = new Dice(1);
        var z = dice.Values([6, 8]).To(device);
        z.RequiresGrad = true;
        var lambda = new Parameter(dice.Values([layout.Coefficients]).To(device));
        return (z, lambda, z.QuadraticNeuron(lambda, layout), layout);
    }

    [Test]
    public void Readers_that_add_to_the_gradient_are_heard()
    {
        var (z, lambda, y, layout) = Neurons(Device.Cpu);
        (y.BatchNorm(null, null).Tanh() + y.Exp()).Sum().Backward();
        GradCheck.Check("neurons with two readers", x =>
        {
            var y = x[0].QuadraticNeuron(x[1], layout);
            return y.BatchNorm(null, null).Tanh() + y.Exp();
        }, [z, lambda], tolerance: 1e-3);
    }

    [Test]
    public void A_tape_that_is_kept_joins_again_and_one_that_was_used_says_so()
    {
        var (z, lambda, y, _) = Neurons(Device.Cpu);
        var result = y.BatchNorm(null, null).Tanh().Sum();
        result.Backward(retainGraph: true);
        float[] once = z.Grad!.ToArray(), onceOfLambda = lambda.Grad!.ToArray();
        result.Backward();
        Assert.That(z.Grad!.ToArray(), Is.EqualTo(once.Select(value => 2 * value)));
        Assert.That(lambda.Grad!.ToArray(), Is.EqualTo(onceOfLambda.Select(value => 2 * value)));
        Assert.That(() => result.Backward(), Throws.InvalidOperationException.With.Message.Contains("retainGraph: true"));
        Assert.That(() => y.Backward(Tensor.Ones(y.Shape)), Throws.InvalidOperationException.With.Message.Contains("QuadraticNeuron was already used"));
    }

    [Test]
    public void A_coefficient_overwritten_before_backward_is_refused_by_its_name()
    {
        var (_, lambda, y, layout) = Neurons(Device.Cpu);
        var result = y.BatchNorm(null, null).Tanh().Sum();
        lambda.Assign(new float[layout.Coefficients]);
        Assert.That(() => result.Backward(), Throws.InvalidOperationException.With.Message.Contains("QuadraticNeuron saved").And.Message.Contains("overwritten"));
    }

    [Test]
    public void What_both_saved_goes_back_to_the_pool()
    {
        var device = new LimitedDevice();
        var net = new Sequential(new QuadraticLinear(3, 64, rank: 3), new Layers.BatchNorm(64), new Layers.Relu()).To(device);
        var x = Tensor.Ones([500, 3], device);
        Tensor result;
        using (var scope = new TensorScope()) result = scope.Result(net[x].Sum());
        result.Backward();
        var parameters = net.Parameters().Sum(parameter => 8L * parameter.Length);
        Assert.That(device.Pool.Statistics.InUse, Is.LessThan(2 * parameters + 20_000), "no activation is kept; each has 128,000 bytes");
    }

    [Test]
    public void Recomputed_it_has_the_same_bits()
    {
        var net = new Sequential(new QuadraticLinear(5, 16, rank: 3, options: new QuadraticOptions { LambdaDeviation = 1f }), new Layers.BatchNorm(16), new Layers.Relu());
        var x = Tensor.Uniform([9, 5], generator: new Generator(3));
        float[][] Gradients(Func<Tensor> forward)
        {
            foreach (var parameter in net.Parameters()) parameter.ClearGrad();
            forward().Exp().Sum().Backward();
            return [.. net.Parameters().Select(parameter => parameter.Grad!.ToArray())];
        }

        Assert.That(Gradients(() => Recompute.Apply("block", x, [.. net.Parameters()], t => net[t])), Is.EqualTo(Gradients(() => net[x])));
    }
}
