using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>Updates parameters from their gradients. A step uses the gradients up: it clears them, so that the next Backward starts anew.</summary>
public abstract class Optimizer
{
    readonly Dictionary<Parameter, Tensor[]> state = [];

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <exception cref="ArgumentException">A parameter is in two groups.</exception>
    protected Optimizer(IEnumerable<ParameterGroup> groups, float learningRate)
    {
        Groups = [.. groups];
        LearningRate = learningRate;
        var seen = new HashSet<Parameter>();
        foreach (var group in Groups)
            foreach (var parameter in group.Parameters)
                Check.That(seen.Add(parameter), GetType().Name, $"a parameter of shape {parameter.Shape} in group \"{group.Name}\" is in another group too; each belongs to one.");
    }

    /// <summary>The groups.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>The learning rate of the next step, before a group's multiplier; a schedule sets it.</summary>
    public float LearningRate { get; set; }

    /// <summary>Steps taken so far.</summary>
    public int Steps { get; set; }

    /// <summary>Names of the tensors that the optimizer keeps for each parameter, e.g. "momentum".</summary>
    public abstract IReadOnlyList<string> Slots { get; }

    /// <summary>Updates every parameter that has a gradient, then clears the gradients.</summary>
    public void Step()
    {
        Steps++;
        Recording.Current?.OnHost(() => Steps++);
        foreach (var group in Groups)
        {
            // Parameters that took part in fewer steps than others (frozen for a while) start with fresh slots.
            var ready = group.Parameters.Where(parameter => parameter.Grad is not null).ToArray();
            Update(group, [.. ready.Where(state.ContainsKey)], first: false);
            Update(group, [.. ready.Where(parameter => !state.ContainsKey(parameter))], first: true);
        }

        ClearGrad();
    }

    /// <summary>Drops all gradients.</summary>
    public void ClearGrad()
    {
        foreach (var group in Groups)
            foreach (var parameter in group.Parameters) parameter.ClearGrad();
    }

    /// <summary>What the optimizer keeps for a parameter, in the order of <see cref="Slots"/>; empty before its first step.</summary>
    public IReadOnlyList<Tensor> StateOf(Parameter parameter) => state.GetValueOrDefault(parameter) ?? [];

    /// <summary>Puts back what <see cref="StateOf"/> gave.</summary>
    /// <exception cref="ArgumentException">A slot is missing or has another shape than the parameter.</exception>
    public void Restore(Parameter parameter, IReadOnlyList<Tensor> slots)
    {
        Check.That(slots.Count == Slots.Count && slots.All(slot => slot.Shape == parameter.Shape), nameof(Restore),
            $"a parameter of shape {parameter.Shape} needs {Slots.Count} tensors of its shape ({string.Join(", ", Slots)}), got {slots.Count}.");
        Recording.Outdate();
        state[parameter] = [.. slots.Select(slot =>
        {
            var own = Tensor.Like(parameter).Keep();
            own.Assign(slot);
            return own;
        })];
    }

    /// <summary>One pass over parameters that all have a gradient; <paramref name="slots"/>[i] holds slot i of each.</summary>
    protected abstract void Apply(ParameterGroup group, ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, Tensor[][] slots, bool first);

    void Update(ParameterGroup group, Parameter[] parameters, bool first)
    {
        if (parameters.Length == 0) return;
        if (first) Recording.Current?.Refuse("a parameter is updated for the first time, which starts its optimizer state");
        if (first)
            foreach (var parameter in parameters) state[parameter] = [.. Slots.Select(_ => Tensor.Zeros(parameter.Shape, parameter.Device).Keep())];
        foreach (var parameter in parameters)
            if (state[parameter].Any(slot => slot.Device != parameter.Device)) Restore(parameter, state[parameter]);
        var slots = Enumerable.Range(0, Slots.Count).Select(slot => parameters.Select(parameter => state[parameter][slot]).ToArray()).ToArray();
        foreach (var parameter in parameters) parameter.Storage.Writing();
        Apply(group, parameters, parameters.Select(parameter => parameter.Grad!).ToArray(), slots, first);
    }
}
