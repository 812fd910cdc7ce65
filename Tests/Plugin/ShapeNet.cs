using QuadEngine;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace Shapes;

/// <summary>Two layers of neurons, a network for images of any size.</summary>
public sealed class ShapeNet() : NetworkEntry("shape-net", "two convolutions and a classifier")
{
    static readonly EntryOption<int> width = EntryOption.Number("width", "Channels of the first layer", 8, 1, 1024);
    static readonly EntryOption<bool> pooled = EntryOption.Flag("pooled", "Halve the images between the layers");

    public override IReadOnlyList<EntryOption> Options => [width, pooled];

    public override Module Make(NetworkConfiguration network, Neuron neuron)
    {
        var channels = network.Model.Get(width);
        return new Sequential(
            neuron.Conv2d(network.Channels, channels, 3, padding: 1, bias: false), new BatchNorm(channels), new Relu(),
            network.Model.Get(pooled) ? new MaxPool2d(2) : new Identity(),
            neuron.Conv2d(channels, 2 * channels, 3, padding: 1, bias: false), new BatchNorm(2 * channels), new Relu(),
            new GlobalAvgPool2d(), new Linear(2 * channels, network.Classes));
    }
}
