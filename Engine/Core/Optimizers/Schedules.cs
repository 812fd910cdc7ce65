namespace QuadEngine;

/// <summary>The length of a training, as a schedule needs it.</summary>
/// <param name="Epochs">Epochs of the training, the warm-up included.</param>
/// <param name="StepsPerEpoch">Batches of an epoch.</param>
/// <param name="WarmUp">Steps of the warm-up, which comes before the schedule's step 0.</param>
public readonly record struct TrainingLength(int Epochs, int StepsPerEpoch, int WarmUp = 0)
{
    /// <summary>Steps from the end of the warm-up to the end of the training, 1 or more.</summary>
    public int Steps => Math.Max(1, Until(1.0));

    /// <summary>Steps from the end of the warm-up to a part of the training; below 0 where the warm-up goes on for longer.</summary>
    /// <param name="part">Of the whole training, from 0 to 1.</param>
    public int Until(double part) => (int)Math.Min(Math.Floor(part * ((double)Epochs * StepsPerEpoch)), int.MaxValue) - WarmUp;      // no run takes more than an int counts
}

/// <summary>A learning-rate schedule that a run can name. A class of your own makes it one: see <see cref="Schedules.Registry"/>.</summary>
/// <param name="name">See <see cref="Entry.Name"/>.</param>
/// <param name="help">See <see cref="Entry.Help"/>.</param>
public abstract class ScheduleEntry(string name, string help) : Entry(name, help)
{
    /// <summary>The schedule of a training, counted from the end of its warm-up: the warm-up is put before it.</summary>
    /// <param name="length">Of the training.</param>
    /// <param name="options">Values of <see cref="Entry.Options"/>.</param>
    public abstract Schedule Make(TrainingLength length, Selection options);
}

/// <summary>The learning-rate schedules by name.</summary>
public static class Schedules
{
    /// <summary>The engine's own ("cosine", "steps", "constant"), and those that were added.</summary>
    public static Registry<ScheduleEntry> Registry { get; } = new("schedule", new CosineEntry(), new StepsEntry(), new ConstantEntry());

    /// <summary>The schedule of a training, its warm-up included.</summary>
    /// <param name="schedule">Its name, and values of its options.</param>
    /// <param name="length">Of the training.</param>
    /// <exception cref="ArgumentException">There is no such schedule, or a value is not possible; the message says what is.</exception>
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
    static readonly EntryOption<float> gamma = EntryOption.Number("gamma", "What the learning rate is multiplied by at each step down", 0.1f, 0f, 1f);

    public override IReadOnlyList<EntryOption> Options => [gamma];

    public override Schedule Make(TrainingLength length, Selection options) => new Milestones([length.Until(0.5), length.Until(0.75)], options.Get(gamma));
}

sealed class ConstantEntry() : ScheduleEntry("constant", "the same throughout")
{
    public override Schedule Make(TrainingLength length, Selection options) => Schedule.Constant;
}
