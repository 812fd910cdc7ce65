using System.Globalization;

namespace QuadEngine.Models;

/// <summary>The metrics of a run as comma-separated values, one row for each epoch. Numbers are written so that they read back as the same bits.</summary>
public static class MetricsTable
{
    const string Seconds = "seconds", ExamplesPerSecond = "examples_per_second", PeakBytes = "peak_bytes";

    /// <summary>Returns a line of names, then a line for each epoch: loss and metrics in training, then on the test examples.</summary>
    /// <param name="history">The epochs of one task in order. Timings that are null leave their cells empty.</param>
    public static string ToCsv(IReadOnlyList<EpochMetrics> history)
    {
        var columns = Columns(history);
        return string.Concat(history
            .Select(row => columns.Select(column => column.Value(row)?.ToString(null, CultureInfo.InvariantCulture) ?? ""))
            .Prepend(columns.Select(column => column.Name))
            .Select(cells => string.Join(',', cells) + "\n"));
    }

    /// <summary>Returns a history with the timings of a table. Epochs that the table lacks get no timings.</summary>
    internal static IReadOnlyList<EpochMetrics> WithTimings(IReadOnlyList<EpochMetrics> history, string csv)
    {
        var lines = csv.Split('\n').Select(line => line.Split(',')).ToArray();
        var rows = lines.Skip(1).Where(cells => cells.Length == lines[0].Length).ToArray();
        return
        [
            .. history.Select(row => row with
            {
                Seconds = Cell(row.Epoch, Seconds),
                ExamplesPerSecond = Cell(row.Epoch, ExamplesPerSecond),
                PeakBytes = (long?)Cell(row.Epoch, PeakBytes),
            }),
        ];

        double? Cell(int epoch, string column) =>
            Array.IndexOf(lines[0], column) is >= 0 and var place && epoch <= rows.Length && double.TryParse(rows[epoch - 1][place], CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    static (string Name, Func<EpochMetrics, IFormattable?> Value)[] Columns(IReadOnlyList<EpochMetrics> history)
    {
        string[] metrics = history.Count == 0 ? [] : [.. history[0].Test.Keys];
        return
        [
            ("epoch", row => row.Epoch),
            ("step", row => row.Step),
            ("learning_rate", row => row.LearningRate),
            ("train_loss", row => row.TrainLoss),
            .. metrics.Select(metric => ($"train_{metric}", (Func<EpochMetrics, IFormattable?>)(row => row.Train[metric]))),
            ("test_loss", row => row.TestLoss),
            .. metrics.Select(metric => ($"test_{metric}", (Func<EpochMetrics, IFormattable?>)(row => row.Test[metric]))),
            (Seconds, row => row.Seconds),
            (ExamplesPerSecond, row => row.ExamplesPerSecond),
            (PeakBytes, row => row.PeakBytes),
        ];
    }
}
