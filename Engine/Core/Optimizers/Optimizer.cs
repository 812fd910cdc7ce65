using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>Updates parameters from their gradients. A step uses the gradients up: it clears them, so that the next Backward starts anew.</summary>
/// <remarks>
/// One thread at a time trains a network: a <see cref="Step"/> while another thread is in a Step of the same parameters throws. Optimizers of
/// different parameters may work at once.
/// </remarks>
public abstract class Optimizer
{
    readonly Dictionary<Parameter, (Tensor[] Slots, int Steps)> state = [];

    /// <summary>An optimizer of groups of parameters.</summary>
    /// <param name="groups">What to update; no parameter may be in two of them.</param>
    /// <param name="learningRate">Of the first step, before a group's multiplier; 0 or more.</param>
    /// <exception cref="ArgumentException">A parameter is in two groups, or a setting is out of its range.</exception>
    protected Optimizer(IEnumerable<ParameterGroup> groups, float learningRate)
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
    /// <remarks>
    /// A step that is left out so does not count. On a GPU the host learns of it too late for that: there it counts in <see cref="Steps"/>, and in the bias correction of
    /// <see cref="AdamW"/>, whose next updates are that much smaller.
    /// </remarks>
    public Tensor? GradientScale { get; set; }

    /// <summary>Steps taken so far; a parameter that had no gradient in some has taken fewer (<see cref="StepsOf"/>).</summary>
    public int Steps { get; set; }

    /// <summary>Names of the tensors that the optimizer keeps for each parameter, e.g. "momentum".</summary>
    public abstract IReadOnlyList<string> Slots { get; }

    /// <summary>Updates every parameter that has a gradient, then clears the gradients.</summary>
    /// <exception cref="InvalidOperationException">Another thread trains one of the parameters just now.</exception>
    public void Step()
    {
        using var claims = new Claims($"{GetType().Name}.{nameof(Step)}");
        foreach (var group in Groups)
            foreach (var parameter in group.Parameters) claims.Take(parameter);

        if (IsLeftOut)
        {
            ClearGrad();
            return;
        }

        Steps++;
        Recording.Current?.OnHost(() => Steps++);
        foreach (var group in Groups)
            foreach (var equal in group.Parameters.Where(parameter => parameter.Grad is not null).GroupBy(StepsOf)) Update(group, [.. equal], equal.Key + 1);

        ClearGrad();
    }

    // On the CPU the scale is there to be read; a GPU is not waited for.
    bool IsLeftOut => GradientScale is { } scale && ReferenceEquals(scale.Device, Device.Cpu) && !(scale.Item() > 0f);

    /// <summary>Drops all gradients.</summary>
    public void ClearGrad()
    {
        foreach (var group in Groups)
            foreach (var parameter in group.Parameters) parameter.ClearGrad();
    }

    /// <summary>What the optimizer keeps for a parameter, in the order of <see cref="Slots"/>; empty before its first step.</summary>
    /// <param name="parameter">One of those that the groups hold.</param>
    public IReadOnlyList<Tensor> StateOf(Parameter parameter) => state.GetValueOrDefault(parameter).Slots ?? [];

    /// <summary>Steps in which a parameter had a gradient.</summary>
    /// <param name="parameter">One of those that the groups hold.</param>
    public int StepsOf(Parameter parameter) => state.GetValueOrDefault(parameter).Steps;

    /// <summary>Puts back what <see cref="StateOf"/> and <see cref="StepsOf"/> gave.</summary>
    /// <param name="parameter">One of those that the groups hold.</param>
    /// <param name="slots">In the order of <see cref="Slots"/>, each of the parameter's shape; copied to its device.</param>
    /// <param name="steps">Its updates so far, as <see cref="StepsOf"/> counts them.</param>
    /// <exception cref="ArgumentException">A slot is missing or has another shape than the parameter.</exception>
    public void Restore(Parameter parameter, IReadOnlyList<Tensor> slots, int steps)
    {
        Check.That(slots.Count == Slots.Count && slots.All(slot => slot.Shape == parameter.Shape), nameof(Restore),
            $"a parameter of shape {parameter.Shape} needs {Slots.Count} tensors of its shape ({string.Join(", ", Slots)}), got {slots.Count}.");
        Recording.Outdate();
        Tensor[] own = [.. slots.Select(slot =>
        {
            var copy = Tensor.Like(parameter).Keep();
            copy.Assign(slot);
            return copy;
        })];
        state[parameter] = (own, steps);
    }

    /// <summary>One pass over parameters that all have a gradient.</summary>
    /// <param name="group">Their group.</param>
    /// <param name="parameters">To be updated in place.</param>
    /// <param name="gradients">One for each.</param>
    /// <param name="slots">[i] holds slot i of each, zeros at the first step.</param>
    /// <param name="step">Which step it is for these parameters, counted from 1; a device that replays the pass asks again.</param>
    protected abstract void Apply(ParameterGroup group, ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, Tensor[][] slots, Func<int> step);

    /// <summary>A setting of an optimizer: finite, 0 or more, and below a bound where it has one.</summary>
    private protected void CheckSetting(string name, float value, float below = float.PositiveInfinity) =>
        Check.That(value >= 0f && value < below, GetType().Name, $"{name} is {value}, expected 0 or more{(below < float.PositiveInfinity ? $" and under {below}" : ", and finite")}.");

    void Update(ParameterGroup group, Parameter[] parameters, int step)
    {
        if (step == 1) Recording.Current?.Refuse("a parameter is updated for the first time, which starts its optimizer state");
        Recording.Current?.OnHost(() =>
        {
            foreach (var parameter in parameters) state[parameter] = (state[parameter].Slots, StepsOf(parameter) + 1);
        });
        foreach (var parameter in parameters)
        {
            Tensor[] slots = step == 1 ? [.. Slots.Select(_ => Tensor.Zeros(parameter.Shape, parameter.Device).Keep())] : state[parameter].Slots;
            state[parameter] = (slots, step);
            if (slots.Any(slot => slot.Device != parameter.Device)) Restore(parameter, slots, step);
        }

        var bySlot = Enumerable.Range(0, Slots.Count).Select(slot => parameters.Select(parameter => state[parameter].Slots[slot]).ToArray()).ToArray();
        Apply(group, parameters, parameters.Select(parameter => parameter.Grad!).ToArray(), bySlot, () => StepsOf(parameters[0]));
    }
}
