namespace QuadEngine;

/// <summary>
/// A learning rate over time, as a factor of the base rate. It is a pure function of the step, so a resumed run needs no saved state:
/// <c>optimizer.LearningRate = rate * schedule.At(step)</c>.
/// </summary>
public abstract record Schedule
{
    /// <summary>Returns the factor at a step.</summary>
    /// <param name="step">The step, counted from 0; it may be an epoch.</param>
    public abstract float At(int step);

    /// <summary>The schedule whose factor is always 1.</summary>
    public static Schedule Constant { get; } = new Milestones([], 1f);

    /// <summary>Adds a linear warm-up over <paramref name="steps"/>. This schedule follows it, from its own step 0.</summary>
    /// <param name="steps">The length of the warm-up, 0 for none.</param>
    /// <param name="from">The factor at step 0.</param>
    /// <exception cref="ArgumentException">The number of steps is negative.</exception>
    public Schedule WithWarmUp(int steps, float from = 0f)
    {
        Check.That(steps >= 0, nameof(WithWarmUp), $"{nameof(steps)} is {steps}, expected 0 (no warm-up) or more.");
        return steps == 0 ? this : new Chain([(steps, new WarmUp(steps, from)), (int.MaxValue, this)]);
    }
}

/// <summary>Multiplies the rate by gamma at each milestone: gamma^(milestones passed), PyTorch's MultiStepLR.</summary>
/// <param name="Steps">The milestones, in any order. Each counts from its step on.</param>
/// <param name="Gamma">The factor of each milestone.</param>
public sealed record Milestones(IReadOnlyList<int> Steps, float Gamma = 0.1f) : Schedule
{
    /// <inheritdoc/>
    public override float At(int step) => MathF.Pow(Gamma, Steps.Count(milestone => step >= milestone));
}

/// <summary>Half a cosine from 1 to <paramref name="Floor"/> (Loshchilov and Hutter 2017): floor + (1 - floor)(1 + cos(pi t / T)) / 2.</summary>
/// <param name="Steps">T. From this step on, the factor is <paramref name="Floor"/>.</param>
/// <param name="Floor">The factor at the end.</param>
public sealed record Cosine(int Steps, float Floor = 0f) : Schedule
{
    /// <inheritdoc/>
    public override float At(int step) => step >= Steps ? Floor : Floor + (1f - Floor) * 0.5f * (1f + MathF.Cos(MathF.PI * step / Steps));
}

/// <summary>A line from <paramref name="From"/> at step 0 to 1 at step <paramref name="Steps"/> (Goyal et al. 2017).</summary>
/// <param name="Steps">The length of the line. From this step on, the factor is 1.</param>
/// <param name="From">The factor at step 0.</param>
public sealed record WarmUp(int Steps, float From = 0f) : Schedule
{
    /// <inheritdoc/>
    public override float At(int step) => step >= Steps ? 1f : From + (1f - From) * ((float)step / Steps);
}

/// <summary>Schedules one after the other, each for a number of steps that count from its own 0.</summary>
/// <param name="Parts">One schedule or more, each with its number of steps, 0 or more. The last one continues after its steps.</param>
public sealed record Chain(IReadOnlyList<(int Steps, Schedule Schedule)> Parts) : Schedule
{
    /// <summary>The schedules, one or more, each with its number of steps, 0 or more. The last one continues after its steps.</summary>
    /// <exception cref="ArgumentException">There are no parts, or the number of steps of a part is negative.</exception>
    public IReadOnlyList<(int Steps, Schedule Schedule)> Parts { get; init => field = Checked(value); } = Checked(Parts);

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

    static IReadOnlyList<(int Steps, Schedule Schedule)> Checked(IReadOnlyList<(int Steps, Schedule Schedule)> parts)
    {
        Check.That(parts.Count > 0, nameof(Chain), $"there are no parts, expected one or more. Use Schedule.Constant for a rate that never changes.");
        for (var i = 0; i < parts.Count; i++) Check.That(parts[i].Steps >= 0, nameof(Chain), $"part {i} has {parts[i].Steps} steps, expected 0 or more.");
        return parts;
    }
}
