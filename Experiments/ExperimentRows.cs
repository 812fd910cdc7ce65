using System.Globalization;
using System.Text;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>The measurements of one setting in one cell.</summary>
/// <param name="Cell">The <see cref="QuadEngine.Experiments.Cell.Name"/> of the cell.</param>
/// <param name="Setting">The setting, in words.</param>
/// <param name="Seed">The seed of the weights and of the order of images.</param>
/// <param name="Values">For each measurement one number, or a list of numbers (a value for each epoch or layer).</param>
public sealed record ExperimentRow(string Cell, string Setting, ulong Seed, IReadOnlyDictionary<string, double[]> Values);

/// <summary>The mean and the standard deviation (of a sample) over seeds. Diverged runs (NaN) are counted separately.</summary>
/// <param name="Mean">The mean of the finite values; NaN if there are none.</param>
/// <param name="Deviation">The standard deviation of the finite values; NaN if there are fewer than two.</param>
/// <param name="Count">The number of finite values.</param>
/// <param name="Missing">The number of values that are not finite.</param>
public readonly record struct Spread(double Mean, double Deviation, int Count, int Missing)
{
    /// <summary>Computes the spread of values.</summary>
    /// <param name="values">The values, one for each seed.</param>
    public static Spread Of(IEnumerable<double> values)
    {
        var all = values.ToArray();
        var finite = all.Where(double.IsFinite).ToArray();
        var mean = finite.Length == 0 ? double.NaN : finite.Average();
        var deviation = finite.Length < 2 ? double.NaN : Math.Sqrt(finite.Sum(value => (value - mean) * (value - mean)) / (finite.Length - 1));
        return new(mean, deviation, finite.Length, all.Length - finite.Length);
    }

    /// <summary>Whether the difference of the means is more than sqrt(a^2 + b^2), the deviation of a difference of single runs with the deviations a and b.</summary>
    /// <param name="other">The spread of another setting. If either has fewer than two finite values, they do not differ.</param>
    public bool DiffersFrom(Spread other) =>
        Count > 1 && other.Count > 1 && Math.Abs(Mean - other.Mean) > Math.Sqrt(Deviation * Deviation + other.Deviation * other.Deviation);

    /// <summary>Returns text such as "91.23 ± 0.12".</summary>
    /// <param name="decimals">The number of digits after the point.</param>
    public string ToString(int decimals)
    {
        string Text(double value) => value.ToString("N" + decimals, CultureInfo.InvariantCulture);
        return (Count == 0 ? "none" : double.IsNaN(Deviation) || Deviation <= 1e-9 * Math.Abs(Mean) ? Text(Mean) : $"{Text(Mean)} ± {Text(Deviation)}")
            + (Missing > 0 ? $" ({Missing} diverged)" : "");
    }
}

/// <summary>The rows of an experiment. A file keeps them and grows with each cell, so that no cell runs twice.</summary>
public sealed class ExperimentRows
{
    readonly List<ExperimentRow> rows = [];

    /// <summary>The rows, in the order in which they were made.</summary>
    public IReadOnlyList<ExperimentRow> All => rows;

    /// <summary>The settings, in the order in which they first appeared.</summary>
    public IReadOnlyList<string> Settings => [.. rows.Select(row => row.Setting).Distinct()];

    /// <summary>Returns all rows of a setting: one for each seed, and one more for the first seed if a separate cell measured the time of a step.</summary>
    /// <param name="setting">One of <see cref="Settings"/>; any other has no rows.</param>
    public IEnumerable<ExperimentRow> Of(string setting) => rows.Where(row => row.Setting == setting);

    /// <summary>Returns the rows of some seeds.</summary>
    /// <param name="seeds">The seeds. Rows of others are left out.</param>
    public ExperimentRows Of(IReadOnlyList<ulong> seeds)
    {
        var some = new ExperimentRows();
        some.Add(rows.Where(row => seeds.Contains(row.Seed)));
        return some;
    }

    /// <summary>Returns the spread of a measurement over the seeds of a setting; the last value of a list counts.</summary>
    /// <param name="setting">One of <see cref="Settings"/>.</param>
    /// <param name="measurement">A key of <see cref="ExperimentRow.Values"/>; rows without it do not count.</param>
    public Spread Spread(string setting, string measurement) => Experiments.Spread.Of(Of(setting).Where(row => row.Values.ContainsKey(measurement)).Select(row => row.Values[measurement][^1]));

    /// <summary>Returns the lists of a measurement, one for each seed. Lists that were cut short are left out.</summary>
    /// <param name="setting">One of <see cref="Settings"/>.</param>
    /// <param name="measurement">A key of <see cref="ExperimentRow.Values"/>.</param>
    public IReadOnlyList<IReadOnlyList<double>> Curves(string setting, string measurement)
    {
        var curves = Of(setting).Select(row => row.Values.GetValueOrDefault(measurement)).OfType<double[]>().ToArray();
        var longest = curves.Select(curve => curve.Length).DefaultIfEmpty().Max();
        return [.. curves.Where(curve => curve.Length == longest && longest > 0)];
    }

    /// <summary>Whether a cell has its rows.</summary>
    /// <param name="cell">The cell, identified by its name and its seed.</param>
    public bool Has(Cell cell) => rows.Any(row => row.Cell == cell.Name && row.Seed == cell.Seed);

    /// <summary>Adds rows at the end.</summary>
    /// <param name="added">The rows to add.</param>
    public void Add(IEnumerable<ExperimentRow> added) => rows.AddRange(added);

    /// <summary>Returns the rows as comma-separated values: cell, setting, seed, then a column for each measurement. Spaces separate the values of a list.</summary>
    public string ToCsv()
    {
        var columns = rows.SelectMany(row => row.Values.Keys).Distinct().ToArray();
        var csv = new StringBuilder().AppendJoin(',', ["cell", "setting", "seed", .. columns]).Append('\n');
        foreach (var row in rows)
            csv.AppendJoin(',', [Quote(row.Cell), Quote(row.Setting), row.Seed.ToString(CultureInfo.InvariantCulture), .. columns.Select(column => Cell(row, column))]).Append('\n');
        return csv.ToString();
    }

    /// <summary>Reads what <see cref="ToCsv"/> wrote.</summary>
    /// <param name="path">The file; an empty one has no rows.</param>
    /// <exception cref="InvalidFileException">A line does not have the columns of the first.</exception>
    public static ExperimentRows FromCsv(string path)
    {
        var read = new ExperimentRows();
        var lines = File.ReadAllLines(path).Where(line => line.Length > 0).Select(Split).ToArray();
        if (lines.Length == 0) return read;
        foreach (var cells in lines.Skip(1))
        {
            if (cells.Length != lines[0].Length)
                throw new InvalidFileException(path, "", $"a row has {cells.Length} columns, but the first line names {lines[0].Length}", "Delete the row and run the experiment again.");
            var values = new Measurements();
            for (var i = 3; i < cells.Length; i++)
                if (cells[i].Length > 0) values.Add(lines[0][i], [.. cells[i].Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture))]);
            read.rows.Add(new ExperimentRow(cells[0], cells[1], ulong.Parse(cells[2], CultureInfo.InvariantCulture), values));
        }

        return read;
    }

    static string Cell(ExperimentRow row, string column) =>
        row.Values.TryGetValue(column, out var values) ? string.Join(' ', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture))) : "";

    static string Quote(string text) => text.Contains(',', StringComparison.Ordinal) ? $"\"{text}\"" : text;

    static string[] Split(string line)
    {
        var cells = new List<string>();
        var cell = new StringBuilder();
        var quoted = false;
        foreach (var letter in line)
        {
            if (letter == '"') quoted = !quoted;
            else if (letter == ',' && !quoted)
            {
                cells.Add(cell.ToString());
                cell.Clear();
            }
            else cell.Append(letter);
        }

        return [.. cells, cell.ToString()];
    }
}
