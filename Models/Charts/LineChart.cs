namespace QuadEngine.Models;

/// <summary>Some lines over a common pair of axes. See <see cref="SvgFigure"/> for the picture.</summary>
/// <param name="XLabel">Below the horizontal axis.</param>
/// <param name="YLabel">Above the vertical axis.</param>
/// <param name="Series">The lines.</param>
sealed record LineChart(string XLabel, string YLabel, IReadOnlyList<Series> Series)
{
    /// <summary>The vertical axis shows powers of 10; needs values above 0.</summary>
    public bool LogarithmicY { get; init; }

    /// <summary>The horizontal axis shows powers of 10; needs values above 0.</summary>
    public bool LogarithmicX { get; init; }
}

/// <summary>One line: points joined from left to right, with a band around it where a spread is known.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Points">In the order of X.</param>
sealed record Series(string Name, IReadOnlyList<ChartPoint> Points)
{
    /// <summary>Drawn dashed, e.g. training beside test.</summary>
    public bool Dashed { get; init; }

    /// <summary>Which colour of the palette; null for the next.</summary>
    public int? Color { get; init; }

    /// <summary>A line through values at 1, 2, 3, ...</summary>
    /// <param name="name">For the legend.</param>
    /// <param name="values">One that is not finite breaks the line.</param>
    public static Series Of(string name, IEnumerable<double> values) => new(name, [.. values.Select((value, index) => new ChartPoint(index + 1, value))]);

    /// <summary>The mean over repetitions at 1, 2, 3, ..., in a band of one standard deviation (that of a sample) to both sides.</summary>
    /// <param name="name">For the legend.</param>
    /// <param name="repetitions">E.g. one list of accuracies for each seed; all equally long.</param>
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
/// <param name="X">Horizontal.</param>
/// <param name="Y">Vertical; a point that is not finite is left out and breaks the line.</param>
/// <param name="Low">The band's lower edge; null for none.</param>
/// <param name="High">The band's upper edge; null for none.</param>
readonly record struct ChartPoint(double X, double Y, double? Low = null, double? High = null);
