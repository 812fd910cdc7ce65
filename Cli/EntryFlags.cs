using System.CommandLine;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli;

/// <summary>
/// Makes the options of registered entries options of a command, e.g. --rank or --momentum. An option that several entries have is one option, and sets the
/// value of the chosen entries. An option that no chosen entry has is refused.
/// </summary>
sealed class EntryFlags
{
    /// <summary>All registries whose entries can be chosen by name.</summary>
    public static IReadOnlyList<Registry> Registries { get; } = [Networks.Registry, Neurons.Registry, Datasets.Registry, Optimizers.Registry, Schedules.Registry, Augmentations.Registry];

    readonly Flag[] flags;

    /// <param name="otherwise">The default that the help shows for every option; null for the defaults of the entries.</param>
    /// <param name="registries">The registries whose entries the command chooses.</param>
    public EntryFlags(string? otherwise, params IReadOnlyList<Registry> registries) => flags =
    [
        .. registries.SelectMany(registry => registry.Entries.SelectMany(entry => entry.Options.Select(option => new Owner(entry, option))))
            .GroupBy(owner => owner.Option.Name).Select(group => new Flag(Make(group.Key, [.. group], otherwise), [.. group])),
    ];

    /// <summary>All options, in the order of the help.</summary>
    public IReadOnlyList<Option> All => [.. flags.Select(flag => flag.Option)];

    /// <summary>"resnet8, resnet14, ..., resnet110".</summary>
    public static string Listed(IReadOnlyList<string> names) => names.Count <= 4 ? string.Join(", ", names) : $"{names[0]}, {names[1]}, ..., {names[^1]}";

    /// <summary>Returns all names of a registry. Entries with the same help are together.</summary>
    public static string Listed(Registry registry) => string.Join(", ", Lines(registry).Select(line => line.Names));

    /// <summary>Returns the entries of a registry with their help. Entries with the same help are one line.</summary>
    public static IEnumerable<(string Names, string Help)> Lines(Registry registry) =>
        registry.Entries.GroupBy(entry => entry.Help, entry => entry.Name).Select(same => (Listed([.. same]), same.Key));

    /// <summary>Returns the run with the options that were given.</summary>
    /// <exception cref="ArgumentException">A name is not known, no chosen entry has an option that was given, or its value is not possible.</exception>
    public RunConfiguration Apply(ParseResult parsed, RunConfiguration run)
    {
        var choice = new Choice(this, parsed);
        run = run with
        {
            Network = choice.With(run.Network),
            Data = run.Pictures is null ? choice.With(Datasets.Registry, run.Data) : run.Data,
            Training = run.Training with
            {
                Optimizer = choice.With(Optimizers.Registry, run.Training.Optimizer),
                Schedule = choice.With(Schedules.Registry, run.Training.Schedule),
                Augmentation = choice.With(Augmentations.Registry, run.Training.Augmentation),
            },
        };
        choice.RequireAllTaken();
        return run;
    }

    /// <summary>Returns the network with the options that were given.</summary>
    /// <inheritdoc cref="Apply(ParseResult, RunConfiguration)" path="/exception"/>
    public NetworkConfiguration Apply(ParseResult parsed, NetworkConfiguration network)
    {
        var choice = new Choice(this, parsed);
        network = choice.With(network);
        choice.RequireAllTaken();
        return network;
    }

    /// <summary>Returns the network and its data (a data set or a folder) with the options that were given.</summary>
    /// <inheritdoc cref="Apply(ParseResult, RunConfiguration)" path="/exception"/>
    public (NetworkConfiguration Network, Selection Data) Apply(ParseResult parsed, NetworkConfiguration network, Selection data)
    {
        var choice = new Choice(this, parsed);
        network = choice.With(network);
        if (CommonOptions.IsNamed(data)) data = choice.With(Datasets.Registry, data);
        choice.RequireAllTaken();
        return (network, data);
    }

    /// <summary>Names, for a message, the plugin's entry that adds an option to the command line; null if there is none.</summary>
    public static string? OutsiderOf(string option) => Registries.SelectMany(registry => registry.Entries, (registry, entry) => (registry.Kind, Entry: entry))
        .Where(one => one.Entry.Options.Any(own => $"--{own.Name}" == option) && Plugins.Of(one.Entry.Assembly) is not null)
        .Select(one => $"the {one.Kind} \"{one.Entry.Name}\" of {one.Entry.Assembly}").FirstOrDefault();

    static string? Given(ParseResult parsed, Option option) => parsed.GetResult(option) is not { Implicit: false } ? null
        : option is Option<bool> flag ? (parsed.GetValue(flag) ? "true" : "false")
        : parsed.GetValue((Option<string?>)option);

    static Option Make(string name, Owner[] owners, string? otherwise)
    {
        var texts = owners.GroupBy(owner => Describe(owner.Option), owner => owner.Entry.Name).Select(same => $"{same.Key} For {Listed([.. same])}.");
        var description = string.Join(" ", texts);
        if (owners.All(owner => owner.Option.IsFlag)) return new Option<bool>($"--{name}") { Description = description };

        var option = new Option<string?>($"--{name}") { Description = description, HelpName = owners.Any(owner => owner.Option.Words.Count > 0) ? "NAME" : owners.All(owner => owner.Option is EntryOption<string>) ? "TEXT" : "N" };
        option.CompletionSources.Add([.. owners.SelectMany(owner => owner.Option.Words).Distinct()]);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && owners.All(owner => owner.Option.Refusal(value) is not null)) result.AddError($"{option.Name}: {owners[0].Option.Refusal(value)}");
        });
        return option;

        string Describe(EntryOption option) => option.IsFlag ? $"{option.Help}." : $"{option.Help}: {option.Expected}. Default: {otherwise ?? option.Otherwise}.";
    }

    /// <summary>The options that a command line gives, for the entries that are chosen.</summary>
    sealed class Choice(EntryFlags entries, ParseResult parsed)
    {
        readonly HashSet<Flag> left = [.. entries.flags.Where(flag => Given(parsed, flag.Option) is not null)];
        readonly List<string> chosen = [];

        public NetworkConfiguration With(NetworkConfiguration network) => network with { Model = With(Networks.Registry, network.Model), Neuron = With(Neurons.Registry, network.Neuron) };

        public Selection With(Registry registry, Selection selection)
        {
            var entry = registry.Require(selection);
            chosen.Add(entry.Name);
            foreach (var option in entry.Options)
            {
                if (entries.flags.FirstOrDefault(flag => flag.Name == option.Name) is not { } flag || Given(parsed, flag.Option) is not { } text) continue;
                if (option.Refusal(text) is { } refusal) throw new ArgumentException($"{flag.Option.Name}: {refusal}");
                selection = selection.With(option.Name, text);
                left.Remove(flag);
            }

            return selection;
        }

        public void RequireAllTaken()
        {
            if (left.FirstOrDefault() is { } flag) throw new ArgumentException($"{flag.Option.Name} is an option of {flag.Owners}, and not of what is chosen here: {string.Join(", ", chosen)}");
        }
    }

    sealed record Owner(Entry Entry, EntryOption Option);

    sealed record Flag(Option Option, Owner[] All)
    {
        public string Name => All[0].Option.Name;

        public string Owners => Listed([.. All.Select(owner => owner.Entry.Name)]);
    }
}
