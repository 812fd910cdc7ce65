using System.CommandLine;
using System.Globalization;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli;

/// <summary>The options that name a network.</summary>
/// <param name="usual">What is taken for those that are not given; null where weights say it.</param>
sealed class NetworkOptions(NetworkConfiguration? usual)
{
    const string Known = "as the weights say";

    readonly Option<string?> model = CommonOptions.Choice("--model", "The network", Networks.Names, usual?.Model ?? Known,
        listed: "for small images resnet8, resnet14, resnet20, ... resnet110, of 6n + 2 layers; for large ones resnet18, resnet34, resnet50");

    readonly Option<string?> neuron = CommonOptions.Choice("--neuron", "The neuron of the block convolutions", Neurons.Names, usual?.Neuron ?? Known);
    readonly Option<int?> rank = CommonOptions.Number<int>("--rank", $"k, for neurons that have a rank. Default: {usual?.Rank.ToString(CultureInfo.InvariantCulture) ?? Known}", 1, 1024);

    readonly Option<string?> shortcut = CommonOptions.Choice("--shortcut", "Where a ResNet for small images changes shape, a pads with zero channels and b convolves", ["a", "b"],
        usual?.Shortcut.ToString().ToLowerInvariant() ?? Known);

    /// <summary>In the order of the help.</summary>
    public IReadOnlyList<Option> All => [model, neuron, rank, shortcut];

    /// <summary>A network known from elsewhere (a checkpoint, a default), changed by what was given.</summary>
    public NetworkConfiguration Configuration(ParseResult parsed, NetworkConfiguration? known)
    {
        known ??= new();
        return known with
        {
            Model = parsed.GetValue(model)?.ToLowerInvariant() ?? known.Model,
            Neuron = parsed.GetValue(neuron)?.ToLowerInvariant() ?? known.Neuron,
            Rank = parsed.GetValue(rank) ?? known.Rank,
            Shortcut = parsed.GetValue(shortcut) is { } name ? Enum.Parse<Shortcut>(name, ignoreCase: true) : known.Shortcut,
        };
    }
}
