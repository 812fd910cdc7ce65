namespace QuadEngine;

/// <summary>An optimizer that a run can select by name. To add your own, derive from this class: see <see cref="Optimizers.Registry"/>.</summary>
/// <param name="name">See <see cref="Entry.Name"/>.</param>
/// <param name="help">See <see cref="Entry.Help"/>.</param>
public abstract class OptimizerEntry(string name, string help) : Entry(name, help)
{
    /// <summary>The usual learning rate, used if none is given.</summary>
    public abstract float LearningRate { get; }

    /// <summary>The usual weight decay, used if none is given.</summary>
    public abstract float WeightDecay { get; }

    /// <summary>Makes the optimizer over groups of parameters.</summary>
    /// <param name="groups">The parameters to update.</param>
    /// <param name="learningRate">The learning rate of the first step, before a group's multiplier; a schedule changes it.</param>
    /// <param name="weightDecay">The weight decay of groups that do not have their own.</param>
    /// <param name="options">The values of <see cref="Entry.Options"/>.</param>
    public abstract Optimizer Make(IReadOnlyList<ParameterGroup> groups, float learningRate, float weightDecay, Selection options);
}

/// <summary>The optimizers by name.</summary>
public static class Optimizers
{
    /// <summary>The engine's optimizers ("sgd", "adamw"), and those that were added.</summary>
    public static Registry<OptimizerEntry> Registry { get; } = new("optimizer", new SgdEntry(), new AdamWEntry());

    /// <summary>Creates an optimizer over groups of parameters.</summary>
    /// <param name="optimizer">The name of the optimizer, and values of its options.</param>
    /// <param name="groups">The parameters to update; no parameter may be in two groups.</param>
    /// <param name="learningRate">The learning rate of the first step; null for the optimizer's usual one.</param>
    /// <param name="weightDecay">The weight decay of groups that do not have their own; null for the optimizer's usual one.</param>
    /// <exception cref="ArgumentException">There is no such optimizer, or a value is not possible; the message says which are.</exception>
    public static Optimizer Create(Selection optimizer, IReadOnlyList<ParameterGroup> groups, float? learningRate = null, float? weightDecay = null)
    {
        var entry = Registry.Get(optimizer);
        return entry.Make(groups, learningRate ?? entry.LearningRate, weightDecay ?? entry.WeightDecay, Registry.Complete(optimizer));
    }
}

sealed class SgdEntry() : OptimizerEntry("sgd", "stochastic gradient descent with momentum, as in PyTorch")
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
