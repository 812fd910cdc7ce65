using System.CommandLine;
using QuadEngine.Models;

namespace QuadEngine.Cli;

/// <summary>The options that name a network.</summary>
sealed class NetworkOptions
{
    readonly Option<string?> model = CommonOptions.Model(), neuron = CommonOptions.Neuron(), shortcut = CommonOptions.Shortcut();
    readonly Option<int?> rank = CommonOptions.Rank();

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
