using System.CommandLine;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli;

/// <summary>The options that name a network and its neuron. Their own options are <see cref="EntryFlags"/>.</summary>
/// <param name="usual">What is taken for those that are not given; null where weights say it.</param>
sealed class NetworkOptions(NetworkConfiguration? usual)
{
    /// <summary>What is taken otherwise where weights are read.</summary>
    public const string Known = "as the weights say";

    readonly Option<string?> model = CommonOptions.Choice("--model", "The network", Networks.Registry, usual?.Model.Name ?? Known);
    readonly Option<string?> neuron = CommonOptions.Choice("--neuron", "The neuron of the network's hidden layers", Neurons.Registry, usual?.Neuron.Name ?? Known);

    /// <summary>In the order of the help.</summary>
    public IReadOnlyList<Option> All => [model, neuron];

    /// <summary>A network known from elsewhere (a checkpoint, a default), with model and neuron as they were given.</summary>
    public NetworkConfiguration Configuration(ParseResult parsed, NetworkConfiguration? known)
    {
        known ??= new();
        var chosen = CommonOptions.Chosen(parsed, model, Networks.Registry, known.Model);
        var otherwise = Networks.Registry.Get(chosen).TakesNeurons ? known.Neuron : Neurons.Linear.Name;
        return known with { Model = chosen, Neuron = CommonOptions.Chosen(parsed, neuron, Neurons.Registry, otherwise) };
    }
}
