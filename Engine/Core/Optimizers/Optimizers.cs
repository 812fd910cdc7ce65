namespace QuadEngine;

/// <summary>An optimizer that a run can name. A class of your own makes it one: see <see cref="Optimizers.Registry"/>.</summary>
/// <param name="name">See <see cref="Entry.Name"/>.</param>
/// <param name="help">See <see cref="Entry.Help"/>.</param>
public abstract class OptimizerEntry(string name, string help) : Entry(name, help)
{
    /// <summary>The learning rate that it usually has, for where none is given.</summary>
    public abstract float LearningRate { get; }

    /// <summary>The weight decay that it usually has, for where none is given.</summary>
    public abstract float WeightDecay { get; }

    /// <summary>The optimizer over groups of parameters.</summary>
    /// <param name="groups">What to update.</param>
    /// <param name="learningRate">Of the first step, before a group's multiplier; a schedule changes it.</param>
    /// <param name="weightDecay">For groups that have none of their own.</param>
    /// <param name="options">Values of <see cref="Entry.Options"/>.</param>
    public abstract Optimizer Make(IReadOnlyList<ParameterGroup> groups, float learningRate, float weightDecay, Selection options);
}

/// <summary>The optimizers by name.</summary>
public static class Optimizers
{
    /// <summary>The engine's own ("sgd", "adamw"), and those that were added.</summary>
    public static Registry<OptimizerEntry> Registry { get; } = new("optimizer", new SgdEntry(), new AdamWEntry());

    /// <summary>An optimizer over groups of parameters.</summary>
    /// <param name="optimizer">Its name, and values of its options.</param>
    /// <param name="groups">What to update; no parameter may be in two of them.</param>
    /// <param name="learningRate">Of the first step; the usual one where null.</param>
    /// <param name="weightDecay">For groups that have none of their own; the usual one where null.</param>
    /// <exception cref="ArgumentException">There is no such optimizer, or a value is not possible; the message says what is.</exception>
    public static Optimizer Create(Selection optimizer, IReadOnlyList<ParameterGroup> groups, float? learningRate = null, float? weightDecay = null)
    {
        var entry = Registry.Get(optimizer);
        return entry.Make(groups, learningRate ?? entry.LearningRate, weightDecay ?? entry.WeightDecay, Registry.Complete(optimizer));
    }
}

sealed class SgdEntry() : OptimizerEntry("sgd", "stochastic gradient descent with momentum, as PyTorch has it")
{
    static readonly EntryOption<float> momentum = EntryOption.Number("momentum", "The part of the velocity that each step keeps", 0.9f, 0f, 0.9999f);
    static readonly EntryOption<bool> nesterov = EntryOption.Flag("nesterov", "Nesterov's momentum");

    public override IReadOnlyList<EntryOption> Options => [momentum, nesterov];

    public override float LearningRate => 0.05f;

    public override float WeightDecay => 5e-4f;

    public override Optimizer Make(IReadOnlyList<ParameterGroup> groups, float learningRate, float weightDecay, Selection options) =>
        new Sgd(groups, learningRate, options.Get(momentum), weightDecay, options.Get(nesterov));
}

sealed class AdamWEntry() : OptimizerEntry("adamw", "Adam with decoupled weight decay")
{
    static readonly EntryOption<float> beta1 = EntryOption.Number("beta1", "The part of the mean gradient that each step keeps", 0.9f, 0f, 0.999999f);
    static readonly EntryOption<float> beta2 = EntryOption.Number("beta2", "The part of the mean squared gradient that each step keeps", 0.999f, 0f, 0.999999f);
    static readonly EntryOption<float> epsilon = EntryOption.Number("epsilon", "Added to the root of the mean squared gradient", 1e-8f, 0f, 1f);

    public override IReadOnlyList<EntryOption> Options => [beta1, beta2, epsilon];

    public override float LearningRate => 1e-3f;

    public override float WeightDecay => 5e-4f;

    public override Optimizer Make(IReadOnlyList<ParameterGroup> groups, float learningRate, float weightDecay, Selection options) =>
        new AdamW(groups, learningRate, options.Get(beta1), options.Get(beta2), options.Get(epsilon), weightDecay);
}
