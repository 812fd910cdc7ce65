using QuadEngine;

namespace Shapes;

/// <summary>Falls from 1 to 0 in a line, repeatedly.</summary>
public sealed record Sawtooth(int Steps) : Schedule
{
    public override float At(int step) => 1f - (float)(step % Steps) / Steps;
}

public sealed class SawtoothEntry() : ScheduleEntry("sawtooth", "a line down to 0, again and again")
{
    static readonly EntryOption<int> teeth = EntryOption.Number("teeth", "Lines in the whole training", 2, 1, 1000);

    public override IReadOnlyList<EntryOption> Options => [teeth];

    public override Schedule Make(TrainingLength length, Selection options) => new Sawtooth(Math.Max(1, length.Steps / options.Get(teeth)));
}
