namespace QuadEngine.Models;

/// <summary>Lines over a common pair of axes. <see cref="SvgFigure"/> draws them.</summary>
/// <param name="XLabel">The text below the horizontal axis.</param>
/// <param name="YLabel">The text above the vertical axis.</param>
/// <param name="Series">The lines.</param>
sealed record LineChart(string XLabel, string YLabel, IReadOnlyList<Series> Series)
{
    /// <summary>Whether the vertical axis shows powers of 10. It needs values above 0.</summary>
    public bool LogarithmicY { get; init; }

    /// <summary>Whether the horizontal axis shows powers of 10. It needs values above 0.</summary>
    public bool LogarithmicX { get; init; }
}

/// <summary>One line: points joined from left to right, with a band around it if the spread is known.</summary>
/// <param name="Name">The name in the legend.</param>
/// <param name="Points">The points in the order of X.</param>
sealed record Series(string Name, IReadOnlyList<ChartPoint> Points)
{
    /// <summary>Whether the line is dashed, e.g. training beside test.</summary>
    public bool Dashed { get; init; }

    /// <summary>The index of the color in the palette; null for the next one.</summary>
    public int? Color { get; init; }

    /// <summary>Returns a line through values at 1, 2, 3, ...</summary>
    /// <param name="name">The name in the legend.</param>
    /// <param name="values">The values; one that is not finite breaks the line.</param>
    public static Series Of(string name, IEnumerable<double> values) => new(name, [.. values.Select((value, index) => new ChartPoint(index + 1, value))]);

    /// <summary>Returns the mean over repetitions at 1, 2, 3, ..., with a band of one standard deviation of the sample on each side.</summary>
    /// <param name="name">The name in the legend.</param>
    /// <param name="repetitions">Lists of equal length, e.g. the accuracies for each seed.</param>
    public static Series Mean(string name, IReadOnlyList<IReadOnlyList<double>> repetitions) => new(name,
    [
        .. Enumerable.Range(0, repetitions[0].Count).Select(index =>
        {
            var values = repetitions.Select(repetition => repetition[index]).ToArray();
            var mean = values.Average();
            var deviation = values.Length < 2 ? 0.0 : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
            return new ChartPoint(index + 1, mean, mean - deviation, mean + deviation);
        }),
    ]);
}

/// <summary>A point of a line.</summary>
/// <param name="X">The horizontal coordinate.</param>
/// <param name="Y">The vertical coordinate. A point that is not finite is left out and breaks the line.</param>
/// <param name="Low">The lower edge of the band; null for no band.</param>
/// <param name="High">The upper edge of the band; null for no band.</param>
readonly record struct ChartPoint(double X, double Y, double? Low = null, double? High = null);
