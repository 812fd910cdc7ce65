using QuadEngine.Models;

namespace QuadEngine.Tests.Modules;

/// <summary>The ImageNet form has the same parameters as torchvision's networks: the same names, and the same shapes in files.</summary>
public class TorchvisionNamesTests
{
    [TestCase(18, new[] { 2, 2, 2, 2 }, false, 11_689_512)]
    [TestCase(34, new[] { 3, 4, 6, 3 }, false, 21_797_672)]
    [TestCase(50, new[] { 3, 4, 6, 3 }, true, 25_557_032)]
    public void Keys_and_shapes_are_torchvisions(int depth, int[] blocks, bool bottleneck, int parameters)
    {
        var network = ResNet.ImageNet(depth);
        var state = network.StateDictionary();
        Assert.That(state.ToDictionary(entry => entry.Key, entry => entry.Value.ToString()), Is.EquivalentTo(Expected(blocks, bottleneck)));
        Assert.That(network.ParameterCount, Is.EqualTo(parameters), "the count that torchvision documents");
    }

    static Dictionary<string, string> Expected(int[] blocks, bool bottleneck)
    {
        var keys = new Dictionary<string, string>();
        Conv("conv1", 3, 64, 7);
        Norm("bn1", 64);
        var channels = 64;
        for (var stage = 0; stage < 4; stage++)
            for (var block = 0; block < blocks[stage]; block++)
            {
                var (path, width) = ($"layer{stage + 1}.{block}", 64 << stage);
                var outputs = bottleneck ? 4 * width : width;
                (int From, int To, int Size)[] convolutions = bottleneck
                    ? [(channels, width, 1), (width, width, 3), (width, outputs, 1)]
                    : [(channels, width, 3), (width, width, 3)];
                for (var i = 0; i < convolutions.Length; i++)
                {
                    Conv($"{path}.conv{i + 1}", convolutions[i].From, convolutions[i].To, convolutions[i].Size);
                    Norm($"{path}.bn{i + 1}", convolutions[i].To);
                }

                if (channels != outputs)
                {
                    Conv($"{path}.downsample.0", channels, outputs, 1);
                    Norm($"{path}.downsample.1", outputs);
                }

                channels = outputs;
            }

        keys["fc.weight"] = $"[1000, {channels}]";
        keys["fc.bias"] = "[1000]";
        return keys;

        void Conv(string path, int from, int to, int size) => keys[$"{path}.weight"] = $"[{to}, {from}, {size}, {size}]";

        void Norm(string path, int features)
        {
            foreach (var name in new[] { "weight", "bias", "running_mean", "running_var" }) keys[$"{path}.{name}"] = $"[{features}]";
        }
    }
}
