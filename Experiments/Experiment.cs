using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>
/// A question that training networks answers. It has cells to run, usually one for each setting and seed, and a page of results. Everything
/// on the page is computed from the rows, so that it claims no more than they show.
/// </summary>
public abstract class Experiment
{
    /// <summary>All experiments, in the order in which they build on each other.</summary>
    public static IReadOnlyList<Experiment> All { get; } =
    [
        new SingleLayer(), new RankSweep(), new AllLayers(), new Ablation(), new NeuronComparison(), new EqualAccuracy(), new LayerRank(), new CompressionExperiment(), new BeyondClassification(),
    ];

    /// <summary>The names of all experiments.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(experiment => experiment.Name)];

    /// <summary>Returns an experiment by its name.</summary>
    /// <param name="name">One of <see cref="Names"/>, as it is spelled there.</param>
    /// <exception cref="ArgumentException">There is no experiment of that name; the message lists the names.</exception>
    public static Experiment Get(string name) => All.FirstOrDefault(experiment => experiment.Name == name)
        ?? throw new ArgumentException($"no experiment \"{name}\" (known: {string.Join(", ", Names)})");

    /// <summary>The name in commands, e.g. "rank-sweep".</summary>
    public abstract string Name { get; }

    /// <summary>The question that the experiment answers, in a sentence.</summary>
    public abstract string Question { get; }

    /// <summary>What is done, in a few sentences: what varies, what stays the same, what is measured.</summary>
    public abstract string Method { get; }

    /// <summary>Returns the protocol of a size: the common one, unless the question needs another.</summary>
    /// <param name="size">The amount of work.</param>
    public virtual ExperimentScale Scale(ExperimentSize size) => ExperimentScale.Of(size);

    /// <summary>Returns all cells in the order in which they run.</summary>
    /// <param name="scale">The protocol that all cells share.</param>
    /// <param name="data">The images that the protocol asks for.</param>
    public abstract IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data);

    /// <summary>Writes tables, charts and conclusions from the rows.</summary>
    /// <param name="page">The page to write to.</param>
    /// <param name="rows">The rows, at least one. If the experiment was interrupted, settings may be missing.</param>
    /// <param name="scale">The protocol that the rows came from.</param>
    public abstract void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale);

    /// <summary>
    /// Returns cells that train networks by the protocol, one for each setting and seed. The cell before them measures the time of a step of each network:
    /// only this cell needs a machine that does nothing else.
    /// </summary>
    /// <param name="scale">The protocol.</param>
    /// <param name="data">The images.</param>
    /// <param name="settings">The settings, each with a function that makes its network with weights drawn from a seed.</param>
    /// <param name="change">Changes the protocol's training for all settings; null for no change.</param>
    protected static IEnumerable<Cell> Train(
        ExperimentScale scale, ExperimentData data, IEnumerable<(string Setting, Func<ulong, ResNet> Network)> settings, Func<TrainerOptions, TrainerOptions>? change = null)
    {
        var all = settings.ToArray();
        var times = new Cell("time of a step", scale.Seeds[0], _ =>
        [
            .. all.Zip(StepTime.Measure([.. all.Select(entry => entry.Network(scale.Seeds[0]))], scale, data), (entry, time) => (entry.Setting, new Measurements { { StepTime.Milliseconds, time } })),
        ]);
        return Repeat(scale, all.Select(entry => (entry.Setting, Trial(entry.Network)))).Prepend(times);

        Func<ulong, CancellationToken, Measurements> Trial(Func<ulong, ResNet> network) => (seed, cancellation) => NetworkTrial.Run(network(seed), scale, data, seed, cancellation, change);
    }

    /// <summary>Returns one cell for each setting and seed. All settings of a seed come before the next seed, so that an interrupted experiment has whole comparisons.</summary>
    /// <param name="scale">The protocol, whose seeds are run.</param>
    /// <param name="settings">The settings, each with a function that measures it for a seed.</param>
    protected static IEnumerable<Cell> Repeat(ExperimentScale scale, IEnumerable<(string Setting, Func<ulong, CancellationToken, Measurements> Run)> settings) =>
        from seed in scale.Seeds
        from setting in settings
        select new Cell(setting.Setting, seed, cancellation => [(setting.Setting, setting.Run(seed, cancellation))]);
}

/// <summary>A part of an experiment that runs as a whole, and only once: usually one setting with one seed.</summary>
/// <param name="Name">The name, which differs from those of other cells with the same seed.</param>
/// <param name="Seed">The seed of the weights and of the order of images.</param>
/// <param name="Run">Runs the cell and returns one or more settings with their measurements.</param>
public sealed record Cell(string Name, ulong Seed, Func<CancellationToken, IReadOnlyList<(string Setting, Measurements Values)>> Run);

/// <summary>Named numbers, or named lists of numbers (a value for each epoch or layer), in the order in which they were added.</summary>
public sealed class Measurements : Dictionary<string, double[]>
{
    /// <summary>Adds one number.</summary>
    /// <param name="name">A name that was not added before.</param>
    /// <param name="value">The number; NaN if nothing could be measured, e.g. because the run diverged.</param>
    public void Add(string name, double value) => Add(name, [value]);
}
