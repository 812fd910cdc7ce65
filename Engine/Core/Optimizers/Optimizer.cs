using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>
/// Updates parameters from their gradients. A step clears the gradients, so that the next Backward starts anew. It also puts parameters that
/// have a <see cref="Parameter.Constraint"/> back on their sets. Derive your own optimizer from <see cref="CustomOptimizer"/>.
/// </summary>
/// <remarks>
/// One thread at a time trains a network: a <see cref="Step"/> throws while another thread is in a Step of the same parameters. Optimizers of
/// different parameters may work at the same time.
/// </remarks>
public abstract class Optimizer
{
    readonly Dictionary<Parameter, State> state = [];

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">The parameters to update; no parameter may be in two groups.</param>
    /// <param name="learningRate">The learning rate of the first step, before a group's multiplier; 0 or more.</param>
    /// <exception cref="ArgumentException">A parameter is in two groups, or a setting is out of its range.</exception>
    private protected Optimizer(IEnumerable<ParameterGroup> groups, float learningRate)
    {
        Groups = [.. groups];
        LearningRate = learningRate;
        var seen = new HashSet<Parameter>();
        foreach (var group in Groups)
        {
            CheckSetting($"{nameof(ParameterGroup.LearningRateMultiplier)} of group \"{group.Name}\"", group.LearningRateMultiplier);
            CheckSetting($"{nameof(ParameterGroup.WeightDecay)} of group \"{group.Name}\"", group.WeightDecay ?? 0f);
            foreach (var parameter in group.Parameters)
                Check.That(seen.Add(parameter), GetType().Name, $"a parameter of shape {parameter.Shape} in group \"{group.Name}\" is in another group too; each parameter belongs to one group.");
        }
    }

    /// <summary>The groups.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>The learning rate of the next step, before a group's multiplier; a schedule sets it.</summary>
    /// <exception cref="ArgumentException">The value is negative or not finite.</exception>
    public float LearningRate
    {
        get;
        set
        {
            CheckSetting(nameof(LearningRate), value);
            field = value;
        }
    }

    /// <summary>A factor for all gradients, [] on their device, that <see cref="Step"/> applies. If it is 0 or NaN, the step is skipped: no parameter changes. Null means 1.</summary>
    /// <remarks>A skipped step does not count for the parameters (<see cref="StepsOf"/>): the next step is the same as without it.</remarks>
    public Tensor? GradientScale { get; set; }

    /// <summary>The number of calls of <see cref="Step"/> so far. A parameter has taken fewer (<see cref="StepsOf"/>) if it had no gradient in some, or if <see cref="GradientScale"/> skipped some.</summary>
    /// <exception cref="ArgumentException">The value is negative.</exception>
    public int Steps
    {
        get;
        set
        {
            CheckSteps(nameof(Steps), value);
            field = value;
        }
    }

    /// <summary>The names of the tensors that the optimizer keeps for each parameter, e.g. "momentum".</summary>
    public abstract IReadOnlyList<string> Slots { get; }

    /// <summary>Updates every parameter that has a gradient, then clears the gradients.</summary>
    /// <exception cref="InvalidOperationException">Another thread is training one of the parameters.</exception>
    public void Step()
    {
        using var claims = new Claims($"{GetType().Name}.{nameof(Step)}");
        foreach (var group in Groups)
            foreach (var parameter in group.Parameters) claims.Take(parameter);

        Steps++;
        Recording.Current?.OnHost(() => Steps++);
        foreach (var group in Groups)
            foreach (var equal in group.Parameters.Where(parameter => parameter.Grad is not null).GroupBy(CountOf)) Update(group, [.. equal], equal.Key);

        RetractAll();
        ClearGrad();
    }

    void RetractAll()
    {
        using var noGrad = new NoGrad.OnStack();
        foreach (var group in Groups)
            foreach (var parameter in group.Parameters)
                if (parameter is { Grad: not null, Constraint: { } constraint }) constraint.Retract(parameter);
    }

    /// <summary>Drops all gradients.</summary>
    public void ClearGrad()
    {
        foreach (var group in Groups)
            foreach (var parameter in group.Parameters) parameter.ClearGrad();
    }

    /// <summary>The tensors that the optimizer keeps for a parameter, in the order of <see cref="Slots"/>; empty before its first step.</summary>
    /// <param name="parameter">A parameter of one of the groups.</param>
    public IReadOnlyList<Tensor> StateOf(Parameter parameter) => state.TryGetValue(parameter, out var own) ? own.Slots : [];

    /// <summary>The number of steps that a parameter has taken: it had a gradient, and <see cref="GradientScale"/> did not skip the step. If a scale was on a GPU, this waits for the GPU.</summary>
    /// <param name="parameter">A parameter of one of the groups.</param>
    public int StepsOf(Parameter parameter) => state.TryGetValue(parameter, out var own) ? own.Count.Taken : 0;

    /// <summary>Restores what <see cref="StateOf"/> and <see cref="StepsOf"/> returned.</summary>
    /// <param name="parameter">A parameter of one of the groups.</param>
    /// <param name="slots">The tensors in the order of <see cref="Slots"/>, each of the parameter's shape. They are copied to its device.</param>
    /// <param name="steps">The number of its updates so far, as <see cref="StepsOf"/> counts them; 0 or more.</param>
    /// <exception cref="ArgumentException">A slot is missing or has another shape than the parameter, or the number of steps is negative.</exception>
    public void Restore(Parameter parameter, IReadOnlyList<Tensor> slots, int steps)
    {
        Check.That(slots.Count == Slots.Count && slots.All(slot => slot.Shape == parameter.Shape), nameof(Restore),
            $"a parameter of shape {parameter.Shape} needs {Slots.Count} tensors of its shape ({string.Join(", ", Slots)}), got {(slots.Count == 0 ? "none" : string.Join(", ", slots.Select(slot => slot.Shape)))}.");
        CheckSteps(nameof(steps), steps);
        Recording.Outdate();
        Tensor[] own = [.. slots.Select(slot =>
        {
            var copy = Tensor.Like(parameter).Keep();
            copy.Assign(slot);
            return copy;
        })];
        state[parameter] = new(own, new(steps));
    }

    /// <summary>Runs one pass over parameters that all have a gradient.</summary>
    /// <param name="group">The group of the parameters.</param>
    /// <param name="parameters">The parameters to update in place.</param>
    /// <param name="gradients">The gradients, one for each parameter.</param>
    /// <param name="slots">[i] holds slot i of each parameter, zeros at the first step.</param>
    /// <param name="step">Returns the number of this step for these parameters, counted from 1, skipped steps included. A device that replays the pass calls it again.</param>
    /// <param name="leftOut">The number of skipped steps, [] on the device; a pass that skips this step adds 1. Null if no step can have been skipped.</param>
    private protected abstract void Apply(ParameterGroup group, ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, Tensor[][] slots, Func<int> step, Tensor? leftOut);

    /// <summary>Checks a setting of an optimizer: finite, 0 or more, and below a bound if there is one.</summary>
    private protected void CheckSetting(string name, float value, float below = float.PositiveInfinity) =>
        Check.That(value >= 0f && value < below, GetType().Name, $"{name} is {value}, expected 0 or more{(below < float.PositiveInfinity ? $" and under {below}" : ", and finite")}.");

    void CheckSteps(string name, int value) => Check.That(value >= 0, GetType().Name, $"{name} is {value}, expected 0 or more.");

    // Slots and counts are on the parameter's device. If the parameter moved, they move too.
    StepCount CountOf(Parameter parameter)
    {
        if (!state.TryGetValue(parameter, out var own)) return default;
        if (own.Slots.Append(own.Count.LeftOut).Any(tensor => tensor is not null && tensor.Device != parameter.Device)) Restore(parameter, own.Slots, own.Count.Taken);
        return state[parameter].Count;
    }

    void Update(ParameterGroup group, Parameter[] parameters, StepCount count)
    {
        var leftOut = LeftOutOf(parameters, count.LeftOut);
        foreach (var parameter in parameters)
        {
            if (!state.ContainsKey(parameter)) Recording.Current?.Refuse("a parameter is updated for the first time, which starts its optimizer state");
            var slots = state.TryGetValue(parameter, out var own) ? own.Slots : [.. Slots.Select(_ => Tensor.Zeros(parameter.Shape, parameter.Device).Keep())];
            state[parameter] = new(slots, new(count.Tried + 1, leftOut));
        }

        Recording.Current?.OnHost(() =>
        {
            foreach (var parameter in parameters) state[parameter] = state[parameter] with { Count = new(state[parameter].Count.Tried + 1, leftOut) };
        });
        var bySlot = Enumerable.Range(0, Slots.Count).Select(slot => parameters.Select(parameter => state[parameter].Slots[slot]).ToArray()).ToArray();
        Apply(group, parameters, parameters.Select(parameter => parameter.Grad!).ToArray(), bySlot, () => state[parameters[0]].Count.Tried, leftOut);
    }

    // Parameters that have always been updated together share a count. Parameters that separate from the others get their own count.
    Tensor? LeftOutOf(Parameter[] parameters, Tensor? shared)
    {
        if (GradientScale is null || shared is not null && state.Values.Count(own => ReferenceEquals(own.Count.LeftOut, shared)) == parameters.Length) return shared;
        Recording.Current?.Refuse("the optimizer starts to count the skipped steps of parameters");
        var own = Tensor.Zeros([], parameters[0].Device).Keep();
        if (shared is not null) own.Assign(shared);
        return own;
    }

    readonly record struct State(Tensor[] Slots, StepCount Count);

    /// <summary>The steps of a parameter: the number that the host launched, and the number of them that <see cref="GradientScale"/> skipped, [] on the device, null for none.</summary>
    readonly record struct StepCount(int Tried, Tensor? LeftOut = null)
    {
        public int Taken => Tried - (int)(LeftOut?.Item() ?? 0f);
    }
}
