using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>
/// Updates parameters from their gradients. A step uses the gradients up: it clears them, so that the next Backward starts anew; and it puts parameters that
/// have a <see cref="Parameter.Constraint"/> back on their sets. <see cref="CustomOptimizer"/> is the base of one of your own.
/// </summary>
/// <remarks>
/// One thread at a time trains a network: a <see cref="Step"/> while another thread is in a Step of the same parameters throws. Optimizers of
/// different parameters may work at once.
/// </remarks>
public abstract class Optimizer
{
    readonly Dictionary<Parameter, State> state = [];

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">What to update; no parameter may be in two of them.</param>
    /// <param name="learningRate">Of the first step, before a group's multiplier; 0 or more.</param>
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
                Check.That(seen.Add(parameter), GetType().Name, $"a parameter of shape {parameter.Shape} in group \"{group.Name}\" is in another group too; each belongs to one.");
        }
    }

    /// <summary>The groups.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>The learning rate of the next step, before a group's multiplier; a schedule sets it.</summary>
    /// <exception cref="ArgumentException">It is negative or no number.</exception>
    public float LearningRate
    {
        get;
        set
        {
            CheckSetting(nameof(LearningRate), value);
            field = value;
        }
    }

    /// <summary>A factor of all gradients, [] on their device, that <see cref="Step"/> takes in; at 0 or NaN it leaves every parameter as it is. Null for 1.</summary>
    /// <remarks>Such a step does not count for the parameters (<see cref="StepsOf"/>): the next step is what it would have been without it.</remarks>
    public Tensor? GradientScale { get; set; }

    /// <summary>Calls of <see cref="Step"/> so far; a parameter has taken fewer (<see cref="StepsOf"/>) where it had no gradient, or <see cref="GradientScale"/> left the step out.</summary>
    /// <exception cref="ArgumentException">It is negative.</exception>
    public int Steps
    {
        get;
        set
        {
            CheckSteps(nameof(Steps), value);
            field = value;
        }
    }

    /// <summary>Names of the tensors that the optimizer keeps for each parameter, e.g. "momentum".</summary>
    public abstract IReadOnlyList<string> Slots { get; }

    /// <summary>Updates every parameter that has a gradient, then clears the gradients.</summary>
    /// <exception cref="InvalidOperationException">Another thread trains one of the parameters just now.</exception>
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

    /// <summary>What the optimizer keeps for a parameter, in the order of <see cref="Slots"/>; empty before its first step.</summary>
    /// <param name="parameter">One of those that the groups hold.</param>
    public IReadOnlyList<Tensor> StateOf(Parameter parameter) => state.TryGetValue(parameter, out var own) ? own.Slots : [];

    /// <summary>Steps that a parameter has taken: it had a gradient, and <see cref="GradientScale"/> did not leave the step out. Where a GPU was given a scale, this waits for it.</summary>
    /// <param name="parameter">One of those that the groups hold.</param>
    public int StepsOf(Parameter parameter) => state.TryGetValue(parameter, out var own) ? own.Count.Taken : 0;

    /// <summary>Puts back what <see cref="StateOf"/> and <see cref="StepsOf"/> gave.</summary>
    /// <param name="parameter">One of those that the groups hold.</param>
    /// <param name="slots">In the order of <see cref="Slots"/>, each of the parameter's shape; copied to its device.</param>
    /// <param name="steps">Its updates so far, as <see cref="StepsOf"/> counts them; 0 or more.</param>
    /// <exception cref="ArgumentException">A slot is missing or has another shape than the parameter, or the steps are negative.</exception>
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

    /// <summary>One pass over parameters that all have a gradient.</summary>
    /// <param name="group">Their group.</param>
    /// <param name="parameters">To be updated in place.</param>
    /// <param name="gradients">One for each.</param>
    /// <param name="slots">[i] holds slot i of each, zeros at the first step.</param>
    /// <param name="step">Which step it is for these parameters, counted from 1, with those that were left out; a device that replays the pass asks again.</param>
    /// <param name="leftOut">[] on the device: how many steps were left out; a pass that leaves this one out adds 1. Null where no step can have been.</param>
    private protected abstract void Apply(ParameterGroup group, ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, Tensor[][] slots, Func<int> step, Tensor? leftOut);

    /// <summary>A setting of an optimizer: finite, 0 or more, and below a bound where it has one.</summary>
    private protected void CheckSetting(string name, float value, float below = float.PositiveInfinity) =>
        Check.That(value >= 0f && value < below, GetType().Name, $"{name} is {value}, expected 0 or more{(below < float.PositiveInfinity ? $" and under {below}" : ", and finite")}.");

    void CheckSteps(string name, int value) => Check.That(value >= 0, GetType().Name, $"{name} is {value}, expected 0 or more.");

    // Slots and counts are where the parameter is: one that moved takes them along.
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

    // Parameters that have always been updated together share a count; those that leave the others get one of their own.
    Tensor? LeftOutOf(Parameter[] parameters, Tensor? shared)
    {
        if (GradientScale is null || shared is not null && state.Values.Count(own => ReferenceEquals(own.Count.LeftOut, shared)) == parameters.Length) return shared;
        Recording.Current?.Refuse("the optimizer starts to count the steps that parameters leave out");
        var own = Tensor.Zeros([], parameters[0].Device).Keep();
        if (shared is not null) own.Assign(shared);
        return own;
    }

    readonly record struct State(Tensor[] Slots, StepCount Count);

    /// <summary>Steps of a parameter: those that the host launched, and [] on the device how many of them <see cref="GradientScale"/> left out, null for none.</summary>
    readonly record struct StepCount(int Tried, Tensor? LeftOut = null)
    {
        public int Taken => Tried - (int)(LeftOut?.Item() ?? 0f);
    }
}
