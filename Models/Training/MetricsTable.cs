using System.Globalization;

namespace QuadEngine.Models;

/// <summary>The metrics of a run as comma-separated values, a row an epoch; numbers are written so that they read back as the same bits.</summary>
public static class MetricsTable
{
    static readonly (string Name, Func<EpochMetrics, IFormattable?> Value)[] columns =
    [
        ("epoch", row => row.Epoch),
        ("step", row => row.Step),
        ("learning_rate", row => row.LearningRate),
        ("train_loss", row => row.TrainLoss),
        ("train_accuracy", row => row.TrainAccuracy),
        ("test_loss", row => row.TestLoss),
        ("test_accuracy", row => row.TestAccuracy),
        (Seconds, row => row.Seconds),
        (ImagesPerSecond, row => row.ImagesPerSecond),
        (PeakBytes, row => row.PeakBytes),
    ];

    const string Seconds = "seconds", ImagesPerSecond = "images_per_second", PeakBytes = "peak_bytes";

    /// <summary>A line of names, then a line for each epoch.</summary>
    /// <param name="history">Epoch after epoch; timings that are null leave their cells empty.</param>
    public static string ToCsv(IReadOnlyList<EpochMetrics> history) => string.Concat(history
        .Select(row => columns.Select(column => column.Value(row)?.ToString(null, CultureInfo.InvariantCulture) ?? ""))
        .Prepend(columns.Select(column => column.Name))
        .Select(cells => string.Join(',', cells) + "\n"));

    /// <summary>A history with the timings of a table; epochs that the table lacks stay without.</summary>
    internal static IReadOnlyList<EpochMetrics> WithTimings(IReadOnlyList<EpochMetrics> history, string csv)
    {
        var rows = csv.Split('\n').Skip(1).Select(line => line.Split(',')).Where(cells => cells.Length == columns.Length).ToArray();
        double? Cell(int epoch, string column) =>
            epoch <= rows.Length && double.TryParse(rows[epoch - 1][Array.FindIndex(columns, c => c.Name == column)], CultureInfo.InvariantCulture, out var value) ? value : null;

        return
        [
            .. history.Select(row => row with
            {
                Seconds = Cell(row.Epoch, Seconds),
                ImagesPerSecond = Cell(row.Epoch, ImagesPerSecond),
                PeakBytes = (long?)Cell(row.Epoch, PeakBytes),
            }),
        ];
    }
}
