using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>
/// A question, asked by training networks: cells to be run, each once for every seed, and a page that says what came out. Everything
/// on the page is computed from the rows, so that it can claim no more than they show.
/// </summary>
public abstract class Experiment
{
    /// <summary>All experiments, in the order in which they build on each other.</summary>
    public static IReadOnlyList<Experiment> All { get; } =
    [
        new SingleLayer(), new RankSweep(), new AllLayers(), new Ablation(), new NeuronComparison(), new EqualAccuracy(), new LayerRank(), new CompressionExperiment(), new BeyondClassification(),
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(experiment => experiment.Name)];

    /// <summary>An experiment by its name.</summary>
    /// <param name="name">One of <see cref="Names"/>, as it is spelled there.</param>
    /// <exception cref="ArgumentException">There is none of that name; the message lists them.</exception>
    public static Experiment Get(string name) => All.FirstOrDefault(experiment => experiment.Name == name)
        ?? throw new ArgumentException($"no experiment \"{name}\" (known: {string.Join(", ", Names)})");

    /// <summary>As the tool calls it, e.g. "rank-sweep".</summary>
    public abstract string Name { get; }

    /// <summary>The question that it answers, in a sentence.</summary>
    public abstract string Question { get; }

    /// <summary>What is done, in a few sentences: what varies, what stays the same, what is measured.</summary>
    public abstract string Method { get; }

    /// <summary>The protocol of a size; the common one unless the question needs another.</summary>
    /// <param name="size">How much is spent.</param>
    public virtual ExperimentScale Scale(ExperimentSize size) => ExperimentScale.Of(size);

    /// <summary>All that is to be run, in order.</summary>
    /// <param name="scale">The protocol that all cells share.</param>
    /// <param name="data">The images that the protocol asks for.</param>
    public abstract IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data);

    /// <summary>Tables, charts and conclusions from the rows.</summary>
    /// <param name="page">Where they go.</param>
    /// <param name="rows">At least one; of an experiment that was interrupted, settings may be missing.</param>
    /// <param name="scale">The protocol that the rows came from.</param>
    public abstract void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale);

    /// <summary>
    /// Networks trained by the protocol: a cell for each setting and seed. Before them one that measures the time of a step of each network, so that it can
    /// be run while the machine does nothing else, and the others after, whatever it does.
    /// </summary>
    /// <param name="scale">The protocol.</param>
    /// <param name="data">The images.</param>
    /// <param name="settings">The network of each setting, its weights drawn from a seed.</param>
    /// <param name="change">What all of them change of the protocol's training.</param>
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

    /// <summary>One cell for each setting and seed, setting after setting within a seed, so that an interrupted experiment has whole comparisons.</summary>
    /// <param name="scale">Its seeds are run.</param>
    /// <param name="settings">What measures each setting, given a seed.</param>
    protected static IEnumerable<Cell> Repeat(ExperimentScale scale, IEnumerable<(string Setting, Func<ulong, CancellationToken, Measurements> Run)> settings) =>
        from seed in scale.Seeds
        from setting in settings
        select new Cell(setting.Setting, seed, cancellation => [(setting.Setting, setting.Run(seed, cancellation))]);
}

/// <summary>What is run in one piece and, once done, never again: usually one setting with one seed.</summary>
/// <param name="Name">Tells the cells of a seed apart.</param>
/// <param name="Seed">Of weights and of the order of images.</param>
/// <param name="Run">Gives one or more settings and what was measured of each.</param>
public sealed record Cell(string Name, ulong Seed, Func<CancellationToken, IReadOnlyList<(string Setting, Measurements Values)>> Run);

/// <summary>Named numbers, or named lists of them (a value an epoch, or a layer), in the order in which they were added.</summary>
public sealed class Measurements : Dictionary<string, double[]>
{
    /// <summary>Adds one number.</summary>
    /// <param name="name">One that was not added before.</param>
    /// <param name="value">NaN where nothing could be measured, as of a run that diverged.</param>
    public void Add(string name, double value) => Add(name, [value]);
}
