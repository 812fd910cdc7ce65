namespace QuadEngine.Benchmarks.Gpu;

/// <summary>One work item of the program on the device. If it fails, or ends the process, the other items still run.</summary>
/// <param name="Part">The part, as --parts names it.</param>
/// <param name="Name">The name of the item, unique in its part.</param>
/// <param name="Run">Gives the figures as they are found: a name, with a number or a text.</param>
/// <param name="MostSeconds">The number of seconds after which the item counts as hanging.</param>
sealed record WorkItem(string Part, string Name, Func<IEnumerable<(string Name, double? Value, string? Text)>> Run, int MostSeconds = 120)
{
    /// <summary>An item with one number.</summary>
    public static WorkItem Of(string part, string name, string figure, Func<double> measure, int mostSeconds = 120) => new(part, name, () => [(figure, measure(), null)], mostSeconds);
}
