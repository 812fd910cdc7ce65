using System.Globalization;
using System.Security;
using System.Text;

namespace QuadEngine.Models;

/// <summary>Draws charts side by side as one SVG picture, which is legible on light and on dark pages and contains no script and no font.</summary>
static class SvgFigure
{
    const double PanelWidth = 340, PanelHeight = 210, LeastLeft = 52, LeastRight = 18, Top = 62, Bottom = 46;
    const double LegendLine = 18, LegendMark = 22, LetterWidth = 6.6, DigitWidth = 7.7, TickGap = 8;
    const double TitleLine = 19, TitleLetterWidth = 8.5;

    // People with the usual kinds of color blindness can tell these colors apart. Their lightness is between black and white (after Okabe and Ito 2008).
    static readonly string[] palette = ["#2f7fd1", "#d9730d", "#1f9d76", "#c2559b", "#8a7d1f", "#7a6fd0", "#c9453f", "#5b8a9a"];

    const string Style = """
        <style>
          text { font: 12px system-ui, sans-serif; fill: #454c56 }
          .title { font-size: 14px; font-weight: 600 }
          .grid { stroke: #8b949e; stroke-opacity: .28 }
          .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
          .bar { stroke-width: 1.5; stroke-opacity: .6 }
          .band { fill-opacity: .18; stroke: none }
          @media (prefers-color-scheme: dark) { text { fill: #c4ccd6 } }
        </style>

        """;

    /// <summary>Returns the picture as text.</summary>
    /// <param name="title">The title above all charts.</param>
    /// <param name="charts">The charts from left to right.</param>
    public static string Draw(string title, params IReadOnlyList<LineChart> charts)
    {
        var legendLines = charts.Max(LegendLines);
        var axes = charts.Select(Axes).ToArray();
        var (left, right) = (axes.Max(axis => Math.Max(LeastLeft, TickGap + Widest(axis.Y.Ticks))), axes.Max(axis => Math.Max(LeastRight, Widest(axis.X.Ticks) / 2)));
        var width = charts.Count * (left + PanelWidth + right);
        var titleLines = Lines(title, (int)((width - left) / TitleLetterWidth));
        var top = Top + (titleLines.Count - 1) * TitleLine;
        var height = top + PanelHeight + Bottom + legendLines * LegendLine;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:0.##} {height:0.##}" width="{width:0.##}" height="{height:0.##}" role="img">""").Append('\n');
        svg.Append("<title>").Append(Escape(title)).Append("</title>\n").Append(Style);
        for (var i = 0; i < titleLines.Count; i++) Text(svg, left, 22 + i * TitleLine, titleLines[i], style: "title");
        for (var i = 0; i < charts.Count; i++)
        {
            svg.Append(CultureInfo.InvariantCulture, $"""<g transform="translate({i * (left + PanelWidth + right) + left:0.##} {top})">""").Append('\n');
            DrawPanel(svg, charts[i], axes[i].X, axes[i].Y);
            svg.Append("</g>\n");
        }

        return svg.Append("</svg>\n").ToString();
    }

    static (Axis X, Axis Y) Axes(LineChart chart)
    {
        var points = chart.Series.SelectMany(series => series.Points).ToArray();
        return (new(Widened(chart, points.Select(point => point.X)), PanelWidth, chart.LogarithmicX, rounded: false, ticks: 8),
            new(points.SelectMany(point => new[] { point.Y, point.Low ?? point.Y, point.High ?? point.Y }), PanelHeight, chart.LogarithmicY, rounded: true, ticks: 6));
    }

    // The width in the widest of the usual fonts.
    static double Widest(IReadOnlyList<(double Place, string Text)> ticks) => DigitWidth * ticks.Select(tick => tick.Text.Length).DefaultIfEmpty().Max();

    static void DrawPanel(StringBuilder svg, LineChart chart, Axis x, Axis y)
    {
        Text(svg, 0, -14, chart.YLabel);
        Text(svg, PanelWidth / 2, PanelHeight + 38, chart.XLabel, "middle");
        foreach (var (place, text) in y.Ticks)
        {
            svg.Append(CultureInfo.InvariantCulture, $"""<path class="grid" d="M0 {PanelHeight - place:0.#}H{PanelWidth}"/>""").Append('\n');
            Text(svg, -TickGap, PanelHeight - place + 4, text, "end");
        }

        foreach (var (place, text) in x.Ticks) Text(svg, place, PanelHeight + 19, text, "middle");

        var (column, line) = (0.0, 0);
        for (var i = 0; i < chart.Series.Count; i++)
        {
            var series = chart.Series[i];
            var color = palette[(series.Color ?? i) % palette.Length];
            DrawSeries(svg, series, color, x, y);

            var legendWidth = LegendWidth(series);
            if (column > 0 && column + legendWidth > PanelWidth) (column, line) = (0.0, line + 1);
            var height = PanelHeight + Bottom + 8 + line * LegendLine;
            svg.Append(CultureInfo.InvariantCulture, $"""<path class="line" stroke="{color}"{Dash(series)} d="M{column:0.#} {height - 4:0.#}h{LegendMark - 6}"/>""").Append('\n');
            Text(svg, column + LegendMark, height, series.Name);
            column += legendWidth;
        }
    }

    static void DrawSeries(StringBuilder svg, Series series, string color, Axis x, Axis y)
    {
        var band = series.Points.Where(point => double.IsFinite(point.Y) && point.Low is not null && point.High is not null).ToArray();
        string At(double px, double py) => string.Create(CultureInfo.InvariantCulture, $"{x.Place(px):0.##} {PanelHeight - y.Place(py):0.##}");
        if (band.Length > 1)
        {
            var edge = band.Select(point => At(point.X, point.High!.Value)).Concat(band.Reverse().Select(point => At(point.X, point.Low!.Value)));
            svg.Append(CultureInfo.InvariantCulture, $"""<path class="band" fill="{color}" d="M{string.Join('L', edge)}Z"/>""").Append('\n');
        }

        var path = new StringBuilder();
        var joined = false;
        foreach (var point in series.Points)
        {
            var drawn = double.IsFinite(point.Y);
            if (drawn) path.Append(joined ? 'L' : 'M').Append(At(point.X, point.Y));
            joined = drawn;
        }

        if (series.Points.Count == 1)
        {
            DrawPoint(svg, series.Points[0], color, x, y);
            return;
        }

        svg.Append(CultureInfo.InvariantCulture, $"""<path class="line" stroke="{color}"{Dash(series)} d="{path}"/>""").Append('\n');
    }

    // Draws a dot, and its spread as a bar.
    static void DrawPoint(StringBuilder svg, ChartPoint point, string color, Axis x, Axis y)
    {
        if (!double.IsFinite(point.Y)) return;
        var (across, up) = (x.Place(point.X), PanelHeight - y.Place(point.Y));
        if (point is { Low: { } low, High: { } high })
            svg.Append(CultureInfo.InvariantCulture, $"""<path class="bar" stroke="{color}" d="M{across:0.##} {PanelHeight - y.Place(low):0.##}V{PanelHeight - y.Place(high):0.##}"/>""").Append('\n');
        svg.Append(CultureInfo.InvariantCulture, $"""<circle fill="{color}" cx="{across:0.##}" cy="{up:0.##}" r="4"/>""").Append('\n');
    }

    // Without a margin, dots at the ends of the axis would lie on the frame.
    static IEnumerable<double> Widened(LineChart chart, IEnumerable<double> values)
    {
        var all = values.ToArray();
        if (chart.LogarithmicX || all.Length == 0 || chart.Series.All(series => series.Points.Count > 1)) return all;
        var margin = 0.05 * (all.Max() - all.Min());
        return [.. all, all.Min() - margin, all.Max() + margin];
    }

    static List<string> Lines(string text, int letters)
    {
        var lines = new List<string> { "" };
        foreach (var word in text.Split(' '))
            if (lines[^1].Length == 0) lines[^1] = word;
            else if (lines[^1].Length + 1 + word.Length <= letters) lines[^1] += ' ' + word;
            else lines.Add(word);
        return lines;
    }

    static int LegendLines(LineChart chart)
    {
        var (column, line) = (0.0, 1);
        foreach (var width in chart.Series.Select(LegendWidth))
        {
            if (column > 0 && column + width > PanelWidth) (column, line) = (0.0, line + 1);
            column += width;
        }

        return line;
    }

    static double LegendWidth(Series series) => LegendMark + LetterWidth * series.Name.Length + 16;

    static string Dash(Series series) => series.Dashed ? " stroke-dasharray=\"5 4\"" : "";

    static void Text(StringBuilder svg, double x, double y, string text, string anchor = "start", string style = "")
    {
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y:0.#}\"");
        if (anchor != "start") svg.Append(CultureInfo.InvariantCulture, $" text-anchor=\"{anchor}\"");
        if (style.Length > 0) svg.Append(CultureInfo.InvariantCulture, $" class=\"{style}\"");
        svg.Append('>').Append(Escape(text)).Append("</text>\n");
    }

    static string Escape(string text) => SecurityElement.Escape(text);
}
