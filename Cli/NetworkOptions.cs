using System.CommandLine;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli;

/// <summary>The options that name a network and its neuron. <see cref="EntryFlags"/> has the options of both.</summary>
/// <param name="usual">The network whose values are the defaults; null if the weights say them.</param>
sealed class NetworkOptions(NetworkConfiguration? usual)
{
    /// <summary>The default, in words, for commands that read weights.</summary>
    public const string Known = "as the weights say";

    readonly Option<string?> model = CommonOptions.Choice("--model", "The network", Networks.Registry, usual?.Model.Name ?? Known);
    readonly Option<string?> neuron = CommonOptions.Choice("--neuron", "The neuron of the network's hidden layers", Neurons.Registry, usual?.Neuron.Name ?? Known);

    /// <summary>All options, in the order of the help.</summary>
    public IReadOnlyList<Option> All => [model, neuron];

    /// <summary>Returns a known network (of a checkpoint, or the default) with the given model and neuron.</summary>
    public NetworkConfiguration Configuration(ParseResult parsed, NetworkConfiguration? known)
    {
        known ??= new();
        var chosen = CommonOptions.Chosen(parsed, model, Networks.Registry, known.Model);
        var otherwise = Networks.Registry.Get(chosen).TakesNeurons ? known.Neuron : Neurons.Linear.Name;
        return known with { Model = chosen, Neuron = CommonOptions.Chosen(parsed, neuron, Neurons.Registry, otherwise) };
    }
}
