using QuadEngine.Devices.Cpu;
using QuadEngine.Layers;
using QuadEngine.Models;
using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.Modules;

/// <summary>Whole quadratic networks: they equal the linear network if Lambda is 0, and their bits are the same on any thread.</summary>
public class QuadraticNetworkTests
{
    static ResNet Quadratic(int rank, float deviation, int depth = 8)
    {
        Generator.Default = new Generator(3);
        return ResNet.Cifar(depth, neuron: Layers.Neurons.Quadratic(rank, new QuadraticOptions { LambdaDeviation = deviation }));
    }

    static int[] Bits(Tensor tensor) => Array.ConvertAll(tensor.ToArray(), BitConverter.SingleToInt32Bits);

    [Test]
    public void With_Lambda_zero_a_network_is_the_linear_one_bit_for_bit([Values(1, 3, 9)] int rank, [Values] bool training)
    {
        var quadratic = Quadratic(rank, deviation: 0f, depth: 20);
        var linear = ResNet.Cifar(20);
        linear.LoadStateDictionary(quadratic.StateDictionary(), strict: false);
        quadratic.Train(training);
        linear.Train(training);
        var images = new Dice(1).Values([3, 16, 16, 3]);
        Assert.That(Bits(quadratic.Forward(images)), Is.EqualTo(Bits(linear.Forward(images))));
        using var noGrad = new NoGrad();
        Assert.That(Bits(quadratic.Forward(images)), Is.EqualTo(Bits(linear.Forward(images))), "without gradient");
    }

    [Test]
    public void Rank_zero_is_the_linear_layer()
    {
        Tensor z = new Dice(1).Values([4, 6]);
        var layout = new NeuronLayout(6, 0);
        Assert.That(layout.Coefficients, Is.Zero);
        Assert.That(z.QuadraticNeuron(Tensor.Zeros([0]), layout).ToArray(), Is.EqualTo(z.ToArray()));
    }

    [TestCase(16, 9, new[] { 9, 5 })]
    [TestCase(16, 3, new[] { 3, 3, 3, 3 })]
    [TestCase(7, 2, new[] { 2, 2, 0 })]
    [TestCase(5, 9, new[] { 4 })]
    public void The_last_neuron_takes_the_channels_that_remain(int channels, int rank, int[] ranks)
    {
        var layout = new NeuronLayout(channels, rank);
        Assert.That(Enumerable.Range(0, layout.Neurons).Select(layout.RankOf), Is.EqualTo(ranks));
        Assert.That(layout.Coefficients, Is.EqualTo(ranks.Sum()));
        Assert.That(Enumerable.Range(0, layout.Coefficients).Select(layout.ChannelOf).Distinct().Count(), Is.EqualTo(layout.Coefficients));
    }

    // Detached, dz_i = d_f_i alone. With an upstream gradient only on y, the f learn nothing; without detachment they learn 2 s lambda f d_y.
    [Test]
    public void Detached_the_gradient_of_y_does_not_pass_through_f([Values] bool detached)
    {
        var z = Tensor.FromArray([1f, 2f, 3f], [1, 3]);
        var lambda = Tensor.FromArray([0.5f, -1f], [2]);
        z.RequiresGrad = lambda.RequiresGrad = true;
        var y = z.QuadraticNeuron(lambda, new NeuronLayout(3, 2), normalized: true, detached);
        Assert.That(y.ToArray(), Is.EqualTo((float[])[1f + 0.5f * (0.5f * 4f - 9f), 2f, 3f]));
        y.Backward(Tensor.FromArray([10f, 7f, 8f], [1, 3]));
        Assert.That(z.Grad!.ToArray(), Is.EqualTo(detached ? (float[])[10f, 7f, 8f] : [10f, 7f + 2 * 0.5f * 0.5f * 2f * 10f, 8f - 2 * 0.5f * 3f * 10f]));
        Assert.That(lambda.Grad!.ToArray(), Is.EqualTo((float[])[0.5f * 10f * 4f, 0.5f * 10f * 9f]));
    }

    [Test]
    public void Lambda_is_a_group_of_its_own()
    {
        Generator.Default = new Generator(3);
        var groups = ResNet.Cifar(8, neuron: Layers.Neurons.Quadratic(3, new QuadraticOptions { LambdaLearningRate = 0.25f, LambdaWeightDecay = 0f })).ParameterGroups();
        var lambda = groups.Single(group => group.Name == "lambda");
        Assert.That((lambda.LearningRateMultiplier, lambda.WeightDecay, lambda.Parameters.Count), Is.EqualTo((0.25f, 0f, 6)));
        Assert.That(groups.Count, Is.EqualTo(2));
    }

    [Test]
    public void Training_gives_the_same_bits_with_1_2_and_3_threads_and_again()
    {
        var threads = ThreadTeam.Threads;
        try
        {
            var runs = ((int[])[1, 2, 3, 2]).Select(count =>
            {
                ThreadTeam.Threads = count;
                return Train();
            }).ToArray();
            Assert.That(runs[0], Has.Some.Not.Zero);
            for (var run = 1; run < runs.Length; run++) Assert.That(runs[run], Is.EqualTo(runs[0]), $"run {run}");
        }
        finally
        {
            ThreadTeam.Threads = threads;
        }

        static int[] Train()
        {
            var net = Quadratic(3, deviation: 0.1f);
            var sgd = new Sgd(net.ParameterGroups(), 0.1f, momentum: 0.9f, weightDecay: 1e-4f);
            var data = new Generator(9);
            for (var step = 0; step < 3; step++)
            {
                var images = Tensor.Normal([16, 16, 16, 3], generator: data);
                Losses.CrossEntropy(net.Forward(images), new Dice((ulong)step).Labels(16, 10)).Backward();
                sgd.Step();
            }

            return [.. net.NamedParameters().SelectMany(entry => Bits(entry.Parameter)), .. net.NamedBuffers().SelectMany(entry => Bits(entry.Buffer))];
        }
    }
}
