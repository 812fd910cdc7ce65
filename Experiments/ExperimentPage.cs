using System.Globalization;
using System.Text;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Builds the page of an experiment in Markdown, part by part.</summary>
public sealed class ExperimentPage
{
    readonly StringBuilder results = new();
    readonly List<string> conclusions = [];
    readonly List<LineChart> charts = [];

    /// <summary>The charts, side by side in the figure.</summary>
    internal IReadOnlyList<LineChart> Charts => charts;

    /// <summary>Adds a chart to the figure.</summary>
    /// <param name="chart">The chart. It is left out if it has no finite point.</param>
    internal void Chart(LineChart chart)
    {
        if (chart.Series.Any(series => series.Points.Any(point => double.IsFinite(point.Y)))) charts.Add(chart);
    }

    /// <summary>Adds a table with a row for each setting. It shows measurements as mean and standard deviation over the seeds.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="settings">The settings to show, in order.</param>
    /// <param name="columns">The heading, measurement, factor and decimals of each column.</param>
    public void Table(ExperimentRows rows, IEnumerable<string> settings, params IReadOnlyList<(string Heading, string Measurement, double Factor, int Decimals)> columns)
    {
        Header(["setting", "runs", .. columns.Select(column => column.Heading)]);
        foreach (var setting in settings)
            Line([setting, rows.Of(setting).DistinctBy(row => row.Seed).Count().ToString(CultureInfo.InvariantCulture), .. columns.Select(column =>
                Spread.Of(rows.Of(setting).Where(row => row.Values.ContainsKey(column.Measurement)).Select(row => row.Values[column.Measurement][^1] * column.Factor)).ToString(column.Decimals))]);
        results.Append('\n');
    }

    /// <summary>Adds a table of texts.</summary>
    /// <param name="headings">The headings of the columns.</param>
    /// <param name="lines">The rows, each with one text for every column, in Markdown.</param>
    public void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> lines)
    {
        Header(headings);
        foreach (var line in lines) Line(line);
        results.Append('\n');
    }

    /// <summary>Adds a paragraph to the results.</summary>
    /// <param name="paragraph">The paragraph, in Markdown.</param>
    public void Text(string paragraph) => results.Append(paragraph).Append("\n\n");

    /// <summary>Adds a conclusion from the rows.</summary>
    /// <param name="sentence">The sentence, in Markdown. It becomes an item of a list.</param>
    public void Conclude(string sentence) => conclusions.Add(sentence);

    /// <summary>Adds a conclusion that compares two settings in a measurement, and says whether the difference is more than the spread over seeds.</summary>
    /// <param name="rows">The rows of both settings. If one of them has fewer than two finite values, the page says only this.</param>
    /// <param name="setting">The setting to compare.</param>
    /// <param name="with">The setting to compare it with.</param>
    /// <param name="measurement">A key of <see cref="ExperimentRow.Values"/>; the last value of a list counts.</param>
    /// <param name="unit">The unit of the difference, in the plural.</param>
    public void Compare(ExperimentRows rows, string setting, string with, string measurement = NetworkTrial.Accuracy, string unit = "points")
    {
        Spread a = rows.Spread(setting, measurement), b = rows.Spread(with, measurement);
        if (a.Count < 2 || b.Count < 2)
        {
            Conclude($"{setting} and {with}: {a.ToString(2)} and {b.ToString(2)}. Too few runs ended to know a spread.");
            return;
        }

        var difference = Math.Abs(a.Mean - b.Mean).ToString("0.00", CultureInfo.InvariantCulture);
        var spread = Math.Sqrt(a.Deviation * a.Deviation + b.Deviation * b.Deviation).ToString("0.00", CultureInfo.InvariantCulture);
        Conclude(a.DiffersFrom(b)
            ? $"{setting} is {difference} {unit} {(a.Mean > b.Mean ? "above" : "below")} {with}, more than the spread over seeds ({spread})."
            : $"{setting} and {with} differ by {difference} {unit}, within the spread over seeds ({spread}): no difference is shown.");
    }

    /// <summary>Returns the whole page.</summary>
    /// <param name="experiment">The experiment, with its name, question and method.</param>
    /// <param name="protocol">The lines of the protocol, from <see cref="ExperimentScale.Describe"/>.</param>
    /// <param name="run">Lines that say how the experiment was run.</param>
    /// <param name="note">What readers must know first, e.g. that cells are missing; null for nothing.</param>
    public string Write(Experiment experiment, IReadOnlyList<(string Name, string Value)> protocol, IReadOnlyList<(string Name, string Value)> run, string? note)
    {
        var page = new StringBuilder();
        page.Append($"# {experiment.Name}\n\n{experiment.Question}\n\n{experiment.Method}\n\n");
        if (note is not null) page.Append($"**{note}**\n\n");
        page.Append("## Results\n\n");
        if (charts.Count > 0) page.Append($"![{experiment.Name}](figure.svg)\n\n");
        page.Append(results);
        page.Append("Mean ± standard deviation over seeds. Below, \"differ\" means by more than sqrt(a² + b²), where a and b are the two standard deviations.\n\n");
        foreach (var conclusion in conclusions) page.Append($"- {conclusion}\n");
        page.Append("\n## Protocol\n\n| | |\n|---|---|\n");
        foreach (var (name, value) in protocol.Concat(run)) page.Append($"| {name} | {value} |\n");
        page.Append("\nAll numbers come from the rows in [rows.csv](rows.csv).\n");
        return page.ToString();
    }

    void Header(IReadOnlyList<string> headings)
    {
        Line(headings);
        results.Append('|').Insert(results.Length, "---|", headings.Count).Append('\n');
    }

    void Line(IReadOnlyList<string> cells) => results.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
}
