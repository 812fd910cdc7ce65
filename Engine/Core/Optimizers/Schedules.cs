namespace QuadEngine;

/// <summary>The length of a training.</summary>
/// <param name="Epochs">The number of epochs of the training, the warm-up included.</param>
/// <param name="StepsPerEpoch">The number of batches in an epoch.</param>
/// <param name="WarmUp">The number of steps of the warm-up, which comes before the schedule's step 0.</param>
public readonly record struct TrainingLength(int Epochs, int StepsPerEpoch, int WarmUp = 0)
{
    /// <summary>The number of steps from the end of the warm-up to the end of the training, 1 or more.</summary>
    public int Steps => Math.Max(1, Until(1.0));

    /// <summary>The number of steps from the end of the warm-up to a point of the training; below 0 if the warm-up ends after that point.</summary>
    /// <param name="part">The point as a part of the whole training, from 0 to 1.</param>
    public int Until(double part) => (int)Math.Min(Math.Floor(part * ((double)Epochs * StepsPerEpoch)), int.MaxValue) - WarmUp;      // no run has more steps than an int can count
}

/// <summary>A learning-rate schedule that a run can select by name. To add your own, derive from this class: see <see cref="Schedules.Registry"/>.</summary>
/// <param name="name">See <see cref="Entry.Name"/>.</param>
/// <param name="help">See <see cref="Entry.Help"/>.</param>
public abstract class ScheduleEntry(string name, string help) : Entry(name, help)
{
    /// <summary>Makes the schedule of a training. Its steps count from the end of the warm-up, which the caller puts before it.</summary>
    /// <param name="length">The length of the training.</param>
    /// <param name="options">The values of <see cref="Entry.Options"/>.</param>
    public abstract Schedule Make(TrainingLength length, Selection options);
}

/// <summary>The learning-rate schedules by name.</summary>
public static class Schedules
{
    /// <summary>The engine's schedules ("cosine", "steps", "constant"), and those that were added.</summary>
    public static Registry<ScheduleEntry> Registry { get; } = new("schedule", new CosineEntry(), new StepsEntry(), new ConstantEntry());

    /// <summary>Creates the schedule of a training, its warm-up included.</summary>
    /// <param name="schedule">The name of the schedule, and values of its options.</param>
    /// <param name="length">The length of the training.</param>
    /// <exception cref="ArgumentException">There is no such schedule, or a value is not possible; the message says which are.</exception>
    public static Schedule Create(Selection schedule, TrainingLength length) =>
        Registry.Get(schedule).Make(length, Registry.Complete(schedule)).WithWarmUp(length.WarmUp);
}

sealed class CosineEntry() : ScheduleEntry("cosine", "half a cosine down to the end")
{
    static readonly EntryOption<float> floor = EntryOption.Number("floor", "The learning rate at the end, as a part of the highest", 0f, 0f, 1f);

    public override IReadOnlyList<EntryOption> Options => [floor];

    public override Schedule Make(TrainingLength length, Selection options) => new Cosine(length.Steps, options.Get(floor));
}

sealed class StepsEntry() : ScheduleEntry("steps", "multiplied by gamma at 1/2 and at 3/4 of the training (He et al. 2016)")
{
    static readonly EntryOption<float> gamma = EntryOption.Number("gamma", "The factor of the learning rate at each step down", 0.1f, 0f, 1f);

    public override IReadOnlyList<EntryOption> Options => [gamma];

    public override Schedule Make(TrainingLength length, Selection options) => new Milestones([length.Until(0.5), length.Until(0.75)], options.Get(gamma));
}

sealed class ConstantEntry() : ScheduleEntry("constant", "the same rate at every step")
{
    public override Schedule Make(TrainingLength length, Selection options) => Schedule.Constant;
}
