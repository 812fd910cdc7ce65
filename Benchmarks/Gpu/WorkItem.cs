namespace QuadEngine.Benchmarks.Gpu;

/// <summary>One thing that the program does on the device: where it fails, or takes the process with it, the others are still done.</summary>
/// <param name="Part">What --parts selects.</param>
/// <param name="Name">Which one; unlike all others of its part.</param>
/// <param name="Run">Gives its figures as they are found: their names, with a number or a text.</param>
/// <param name="MostSeconds">After which it counts as hanging.</param>
sealed record WorkItem(string Part, string Name, Func<IEnumerable<(string Name, double? Value, string? Text)>> Run, int MostSeconds = 120)
{
    /// <summary>An item of one number.</summary>
    public static WorkItem Of(string part, string name, string figure, Func<double> measure, int mostSeconds = 120) => new(part, name, () => [(figure, measure(), null)], mostSeconds);
}
