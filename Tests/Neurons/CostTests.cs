using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Neurons;

/// <summary>Published and derived counts: the cost of a ResNet-20 with each neuron in every block convolution.</summary>
sealed class CostTests
{
    static readonly Shape Image = [1, 32, 32, 3];

    [TestCase("linear", 0, 269_722, 40.551)]
    [TestCase("quadratic", 3, 270_226, 40.809)]
    [TestCase("quadratic", 7, 270_310, 40.852)]
    [TestCase("quadratic", 15, 270_352, 40.874)]
    [TestCase("fan", 0, 806_266, 120.939)]
    [TestCase("quadranet", 0, 808_282, 120.939)]
    [TestCase("qres", 0, 536_986, 80.831)]
    [TestCase("kervolution", 0, 269_722, 40.723)]
    [TestCase("low-rank", 9, 5_080_474, 763.9)]
    public void ResNet20_costs_what_the_formulas_say(string neuron, int rank, long parameters, double millionMultiplyAdds)
    {
        var cost = CostModel.Of(ResNet.Cifar(20, neuron: Layers.Neurons.Get(rank == 0 ? neuron : new Selection(neuron, ("rank", rank)))), Image);
        Assert.That(cost.Parameters, Is.EqualTo(parameters));
        Assert.That(cost.MultiplyAdds / 1e6, Is.EqualTo(millionMultiplyAdds).Within(0.0005 * Math.Max(1, millionMultiplyAdds)));
    }

    [TestCase(32, 465_204, 69.400)]
    [TestCase(56, 854_908, 126.453)]
    [TestCase(110, 1_731_742, 254.823)]
    public void Deeper_networks_of_rank_15(int depth, long parameters, double millionMultiplyAdds)
    {
        var cost = CostModel.Of(ResNet.Cifar(depth, neuron: Layers.Neurons.Quadratic(15)), Image);
        Assert.That((cost.Parameters, Math.Round(cost.MultiplyAdds / 1e6, 3)), Is.EqualTo((parameters, millionMultiplyAdds)));
    }

    [Test]
    public void Full_forms_in_a_ResNet20_are_counted_without_building_them()
    {
        var linear = ResNet.Cifar(20);
        var (parameters, multiplyAdds) = (linear.ParameterCount, CostModel.Of(linear, Image).MultiplyAdds);
        foreach (var layer in CostModel.Of(linear, Image).Layers.Where(layer => layer.Path.StartsWith("layer", StringComparison.Ordinal) && layer.Path.Contains("conv")))
        {
            var channels = layer.Output.Channels;
            var inputs = layer.Parameters / channels;
            var full = Layers.Neurons.FullQuadratic().Cost(inputs, channels);
            parameters += full.Parameters - layer.Parameters;
            multiplyAdds += layer.Output.Rows * full.MultiplyAdds - layer.MultiplyAdds;
        }

        Assert.That(parameters / 1e6, Is.EqualTo(64.1).Within(0.05));
        Assert.That(multiplyAdds / 1e9, Is.EqualTo(12.82).Within(0.005));
    }

    [Test]
    public void A_network_executes_the_multiply_adds_of_its_cost_model()
    {
        foreach (var name in Layers.Neurons.Names)
        {
            var network = ResNet.Cifar(8, neuron: Layers.Neurons.Get(name), width: 4);
            var cost = CostModel.Of(network, Image);
            Assert.That(cost.Parameters, Is.EqualTo(network.ParameterCount), name);

            // In training, because inference folds batch norms into the layers, which needs other products.
            using var noGrad = new NoGrad();
            using var counter = new MultiplyAddCounter();
            network[Tensor.Zeros(Image)].ToArray();
            Assert.That(counter.Count, Is.EqualTo(cost.MultiplyAdds), name);
        }
    }
}
