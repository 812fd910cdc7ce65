namespace QuadEngine;

/// <summary>
/// A learning rate over time, as a factor of the base rate. A pure function of the step, so that a resumed run needs no state of
/// it: <c>optimizer.LearningRate = rate * schedule.At(step)</c>.
/// </summary>
public abstract record Schedule
{
    /// <summary>The factor at a step, counted from 0; steps may be epochs.</summary>
    public abstract float At(int step);

    /// <summary>Always 1.</summary>
    public static Schedule Constant { get; } = new Milestones([], 1f);

    /// <summary>Linear warm-up over <paramref name="steps"/>, then this schedule from its own step 0.</summary>
    public Schedule WithWarmUp(int steps, float from = 0f) => steps == 0 ? this : new Chain([(steps, new WarmUp(steps, from)), (int.MaxValue, this)]);
}

/// <summary>Multiplied by gamma at each milestone: gamma^(milestones passed), PyTorch's MultiStepLR.</summary>
public sealed record Milestones(IReadOnlyList<int> Steps, float Gamma = 0.1f) : Schedule
{
    /// <inheritdoc/>
    public override float At(int step) => MathF.Pow(Gamma, Steps.Count(milestone => step >= milestone));
}

/// <summary>Half a cosine from 1 to <paramref name="Floor"/> (Loshchilov and Hutter 2017): floor + (1 - floor)(1 + cos(pi t / T)) / 2.</summary>
public sealed record Cosine(int Steps, float Floor = 0f) : Schedule
{
    /// <inheritdoc/>
    public override float At(int step) => step >= Steps ? Floor : Floor + (1f - Floor) * 0.5f * (1f + MathF.Cos(MathF.PI * step / Steps));
}

/// <summary>A line from <paramref name="From"/> at step 0 to 1 at step <paramref name="Steps"/> (Goyal et al. 2017), 1 afterwards.</summary>
public sealed record WarmUp(int Steps, float From = 0f) : Schedule
{
    /// <inheritdoc/>
    public override float At(int step) => step >= Steps ? 1f : From + (1f - From) * ((float)step / Steps);
}

/// <summary>Schedules one after the other, each for a number of steps counted from its own 0.</summary>
public sealed record Chain(IReadOnlyList<(int Steps, Schedule Schedule)> Parts) : Schedule
{
    /// <inheritdoc/>
    public override float At(int step)
    {
        foreach (var (steps, schedule) in Parts)
        {
            if (step < steps) return schedule.At(step);
            step -= steps;
        }

        return Parts[^1].Schedule.At(step + Parts[^1].Steps);
    }
}
