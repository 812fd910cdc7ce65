using QuadEngine.Layers;

namespace QuadEngine.Tests.Modules;

public sealed class BatchStatisticsTests
{
    const int Rows = 8, Channels = 3, Count = 5;

    [Test]
    public void Statistics_are_the_means_over_the_batches_whatever_they_were_before()
    {
        var layer = new BatchNorm(Channels);
        layer.RunningMean.Assign(Tensor.Full([Channels], 1e30f));
        layer.RunningVariance.Assign(Tensor.Full([Channels], 1e30f));
        var batches = Batches();

        Assert.That(BatchStatistics.Estimate(layer, batches), Is.EqualTo(1));

        for (var channel = 0; channel < Channels; channel++)
        {
            var columns = batches.Select(batch => batch.ToArray().Where((_, i) => i % Channels == channel).Select(value => (double)value).ToArray()).ToArray();
            Assert.That(layer.RunningMean.ToArray()[channel], Is.EqualTo(columns.Average(column => column.Average())).Within(1e-6));
            Assert.That(layer.RunningVariance.ToArray()[channel], Is.EqualTo(columns.Average(Unbiased)).Within(1e-6));
        }

        static double Unbiased(double[] column) => column.Sum(value => Math.Pow(value - column.Average(), 2)) / (Rows - 1);
    }

    [Test]
    public void A_layer_that_is_called_twice_weighs_both_calls_the_same()
    {
        var twice = new Twice();
        var batches = Batches();
        BatchStatistics.Estimate(twice, batches);

        // The second call gets a normalized batch: mean 0, and unbiased variance 8 / 7.
        var once = new BatchNorm(Channels);
        BatchStatistics.Estimate(once, batches);
        for (var channel = 0; channel < Channels; channel++)
        {
            Assert.That(twice.Layer.RunningMean.ToArray()[channel], Is.EqualTo(once.RunningMean.ToArray()[channel] / 2).Within(1e-5));
            Assert.That(twice.Layer.RunningVariance.ToArray()[channel], Is.EqualTo((once.RunningVariance.ToArray()[channel] + 8.0 / 7.0) / 2).Within(1e-3));
        }
    }

    [Test]
    public void Nothing_else_changes()
    {
        var network = new Sequential(new Linear(Channels, 4), new BatchNorm(4), new Dropout(0.5f), new BatchNorm(4), new Dropout(0.5f, new Generator(3)));
        var frozen = ((BatchNorm)network.Children[3].Module).Eval();
        var (before, random) = (network.StateDictionary(), Generator.Default.Position);

        Assert.That(BatchStatistics.Estimate(network, Batches()), Is.EqualTo(1));

        var changed = network.StateDictionary().Where(entry => !entry.Value.Values.SequenceEqual(before[entry.Key].Values)).Select(entry => entry.Key);
        Assert.That(changed, Is.EquivalentTo(new[] { "1.running_mean", "1.running_var" }));
        Assert.That(Generator.Default.Position, Is.EqualTo(random));
        Assert.That(network.NamedGenerators().Single().Generator.Position, Is.Zero);
        Assert.That(network.Training && !frozen.Training);
        Assert.That(network.Parameters().Select(parameter => parameter.Grad), Is.All.Null);

        network.Eval();
        Assert.That(BatchStatistics.Estimate(network, Enumerable.Range(0, 1).Select(Refused)), Is.Zero);

        static Tensor Refused(int batch) => throw new InvalidOperationException("no batch norm is in training");
    }

    static Tensor[] Batches() => [.. Enumerable.Range(0, Count).Select(k => Tensor.Normal([Rows, Channels], 0f, 1f, new Generator(11 + (ulong)k)) * (k + 1f) + k)];

    sealed class Twice : Module
    {
        public Twice() => Layer = Register("layer", new BatchNorm(Channels));

        public BatchNorm Layer { get; }

        protected override Tensor Compute(Tensor x) => Layer[Layer[x]];
    }
}
