using System.Globalization;
using System.Text;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>One setting of one cell, with what was measured.</summary>
/// <param name="Cell">Its <see cref="QuadEngine.Experiments.Cell.Name"/>.</param>
/// <param name="Setting">What was varied, in words.</param>
/// <param name="Seed">Of weights and of the order of images.</param>
/// <param name="Values">By measurement one number, or a list of them (a value an epoch, or a layer).</param>
public sealed record ExperimentRow(string Cell, string Setting, ulong Seed, IReadOnlyDictionary<string, double[]> Values);

/// <summary>Mean and standard deviation (of a sample) over seeds; diverged ones (NaN) are counted apart.</summary>
/// <param name="Mean">Of the finite values; NaN where there are none.</param>
/// <param name="Deviation">Of the finite values; NaN below two.</param>
/// <param name="Count">Finite values.</param>
/// <param name="Missing">Values that are not finite.</param>
public readonly record struct Spread(double Mean, double Deviation, int Count, int Missing)
{
    /// <summary>Over some values.</summary>
    /// <param name="values">One a seed.</param>
    public static Spread Of(IEnumerable<double> values)
    {
        var all = values.ToArray();
        var finite = all.Where(double.IsFinite).ToArray();
        var mean = finite.Length == 0 ? double.NaN : finite.Average();
        var deviation = finite.Length < 2 ? double.NaN : Math.Sqrt(finite.Sum(value => (value - mean) * (value - mean)) / (finite.Length - 1));
        return new(mean, deviation, finite.Length, all.Length - finite.Length);
    }

    /// <summary>The difference of the means is more than both deviations together: sqrt(a^2 + b^2), that of a difference of single runs.</summary>
    /// <param name="other">Of another setting. With fewer than two finite values on either side nothing differs.</param>
    public bool DiffersFrom(Spread other) =>
        Count > 1 && other.Count > 1 && Math.Abs(Mean - other.Mean) > Math.Sqrt(Deviation * Deviation + other.Deviation * other.Deviation);

    /// <summary>"91.23 ± 0.12".</summary>
    /// <param name="decimals">Digits behind the point.</param>
    public string ToString(int decimals)
    {
        string Text(double value) => value.ToString("N" + decimals, CultureInfo.InvariantCulture);
        return (Count == 0 ? "none" : double.IsNaN(Deviation) || Deviation <= 1e-9 * Math.Abs(Mean) ? Text(Mean) : $"{Text(Mean)} ± {Text(Deviation)}")
            + (Missing > 0 ? $" ({Missing} diverged)" : "");
    }
}

/// <summary>The rows of an experiment, kept in a file that grows cell by cell, so that what is done is never done again.</summary>
public sealed class ExperimentRows
{
    readonly List<ExperimentRow> rows = [];

    /// <summary>The rows, in the order in which they were made.</summary>
    public IReadOnlyList<ExperimentRow> All => rows;

    /// <summary>The settings, in the order in which they first came.</summary>
    public IReadOnlyList<string> Settings => [.. rows.Select(row => row.Setting).Distinct()];

    /// <summary>All rows of a setting: one for each seed, and one more for the first seed where a cell of its own measured the time of a step.</summary>
    /// <param name="setting">One of <see cref="Settings"/>; any other has no rows.</param>
    public IEnumerable<ExperimentRow> Of(string setting) => rows.Where(row => row.Setting == setting);

    /// <summary>The rows of some seeds.</summary>
    /// <param name="seeds">Rows of other seeds are left out.</param>
    public ExperimentRows Of(IReadOnlyList<ulong> seeds)
    {
        var some = new ExperimentRows();
        some.Add(rows.Where(row => seeds.Contains(row.Seed)));
        return some;
    }

    /// <summary>A measurement over the seeds of a setting; of a list, its last value.</summary>
    /// <param name="setting">One of <see cref="Settings"/>.</param>
    /// <param name="measurement">A key of <see cref="ExperimentRow.Values"/>; rows without it do not count.</param>
    public Spread Spread(string setting, string measurement) => Experiments.Spread.Of(Of(setting).Where(row => row.Values.ContainsKey(measurement)).Select(row => row.Values[measurement][^1]));

    /// <summary>The lists of a measurement, one a seed, of those that were not cut short.</summary>
    /// <param name="setting">One of <see cref="Settings"/>.</param>
    /// <param name="measurement">A key of <see cref="ExperimentRow.Values"/>.</param>
    public IReadOnlyList<IReadOnlyList<double>> Curves(string setting, string measurement)
    {
        var curves = Of(setting).Select(row => row.Values.GetValueOrDefault(measurement)).OfType<double[]>().ToArray();
        var longest = curves.Select(curve => curve.Length).DefaultIfEmpty().Max();
        return [.. curves.Where(curve => curve.Length == longest && longest > 0)];
    }

    /// <summary>The cell has its rows.</summary>
    /// <param name="cell">Known by its name and its seed.</param>
    public bool Has(Cell cell) => rows.Any(row => row.Cell == cell.Name && row.Seed == cell.Seed);

    /// <summary>Takes in rows.</summary>
    /// <param name="added">They go behind those that there are.</param>
    public void Add(IEnumerable<ExperimentRow> added) => rows.AddRange(added);

    /// <summary>As comma-separated values: cell, setting, seed, then a column a measurement; lists are joined by spaces.</summary>
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
                throw new InvalidFileException(path, "", $"a row has {cells.Length} columns where the first line names {lines[0].Length}", "Delete the row and run the experiment again.");
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
