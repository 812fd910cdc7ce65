using System.Globalization;
using System.Xml.Linq;
using QuadEngine.Models;

namespace QuadEngine.Tests.Training;

public sealed class ChartTests
{
    static readonly XNamespace svg = "http://www.w3.org/2000/svg";

    [Test]
    public void Figure_is_well_formed_and_draws_every_series_with_its_name()
    {
        var figure = XDocument.Parse(SvgFigure.Draw("a < b & c",
            new LineChart("epoch", "loss", [Series.Of("training", [3, 2, 1.5]) with { Dashed = true }, Series.Of("test \"set\"", [3.5, 2.5, 2])]),
            new LineChart("epoch", "accuracy", [Series.Of("one point", [90])])));

        Assert.That(figure.Root!.Element(svg + "title")!.Value, Is.EqualTo("a < b & c"));
        var texts = figure.Descendants(svg + "text").Select(text => text.Value).ToArray();
        Assert.That(texts, Does.Contain("training").And.Contain("test \"set\"").And.Contain("one point").And.Contain("loss").And.Contain("epoch"));
        var lines = Paths(figure, "line").ToArray();
        Assert.That(lines, Has.Length.EqualTo(2 + 3), "a line for each series of several points, and a mark in the legend for all");
        Assert.That(figure.Descendants(svg + "circle").Count(), Is.EqualTo(1), "a dot for the one point");
        Assert.That(lines.Count(line => line.Attribute("stroke-dasharray") is not null), Is.EqualTo(2));
    }

    [Test]
    public void Points_are_drawn_to_scale()
    {
        var figure = XDocument.Parse(SvgFigure.Draw("", new LineChart("x", "y", [new Series("s", [new(0, 0), new(5, 10), new(10, 5)])])));
        var points = Paths(figure, "line").First().Attribute("d")!.Value.TrimStart('M').Split('L').Select(pair => pair.Split(' ').Select(Parse).ToArray()).ToArray();

        Assert.That(points[1][0] - points[0][0], Is.EqualTo(points[2][0] - points[1][0]).Within(0.02), "equal steps in x");
        Assert.That(points[0][1] - points[1][1], Is.EqualTo(2 * (points[2][1] - points[1][1])).Within(0.02), "y grows upwards");
    }

    [Test]
    public void Mean_has_a_band_of_one_sample_deviation()
    {
        var series = Series.Mean("seeds", [[1, 10], [3, 10], [5, 10]]);

        Assert.That(series.Points[0], Is.EqualTo(new ChartPoint(1, 3, 1, 5)));
        Assert.That(series.Points[1], Is.EqualTo(new ChartPoint(2, 10, 10, 10)));
        Assert.That(Paths(XDocument.Parse(SvgFigure.Draw("", new LineChart("x", "y", [series]))), "band").Count(), Is.EqualTo(1));
    }

    [Test]
    public void Single_points_are_dots_with_a_bar_of_their_spread_and_off_the_frame()
    {
        var figure = XDocument.Parse(SvgFigure.Draw("", new LineChart("x", "y", [new Series("a", [new(1, 5, 4, 6)]), new Series("b", [new(2, 5)])])));

        Assert.That(Paths(figure, "bar").Count(), Is.EqualTo(1));
        var dots = figure.Descendants(svg + "circle").Select(dot => Parse(dot.Attribute("cx")!.Value)).ToArray();
        var width = figure.Descendants(svg + "path").First(path => (string?)path.Attribute("class") == "grid").Attribute("d")!.Value.Split('H')[1];
        Assert.That(dots[0], Is.GreaterThan(4));
        Assert.That(dots[1], Is.GreaterThan(dots[0]).And.LessThan(Parse(width) - 4));
    }

    [TestCase(1)]
    [TestCase(5)]
    [TestCase(40)]
    public void Ticks_of_epochs_are_whole(int epochs)
    {
        var figure = XDocument.Parse(SvgFigure.Draw("", new LineChart("epoch", "", [Series.Of("a", Enumerable.Repeat(50.0, epochs))])));
        var ticks = figure.Descendants(svg + "text").Where(text => (string?)text.Attribute("text-anchor") == "middle").Select(text => text.Value).Where(text => text != "epoch").ToArray();
        Assert.That(ticks, Is.Not.Empty.And.All.Matches<string>(text => int.TryParse(text, CultureInfo.InvariantCulture, out var tick) && tick >= 1 && tick <= epochs));
    }

    [TestCase(37.8, true)]
    [TestCase(2.3, false)]
    [TestCase(double.NaN, false)]
    public void Loss_of_one_wild_epoch_does_not_flatten_the_others(double first, bool logarithmic)
    {
        var history = Enumerable.Range(1, 10).Select(epoch => new EpochMetrics(epoch, epoch, 0.1f, 1.0 / epoch, epoch == 1 ? first : 1.5 / epoch)).ToArray();
        Assert.That(XDocument.Parse(TrainingCurves.ToSvg("", history, [])).Descendants(svg + "text").Any(text => text.Value is "0.1" or "100"), Is.EqualTo(logarithmic));
    }

    [Test]
    public void Long_title_goes_on_in_lines_that_fit_the_picture()
    {
        const string title = "How far can trained quadratic forms be cut to rank k, and what is it good for?";
        var figure = XDocument.Parse(SvgFigure.Draw(title, new LineChart("x", "y", [Series.Of("s", [1, 2])])));
        var lines = figure.Descendants(svg + "text").Where(text => (string?)text.Attribute("class") == "title").Select(text => text.Value).ToArray();

        Assert.That(lines, Has.Length.GreaterThan(1).And.All.Matches<string>(line => line.Length < 50));
        Assert.That(string.Join(' ', lines), Is.EqualTo(title));
    }

    [Test]
    public void Values_that_are_not_finite_break_the_line_and_nothing_else()
    {
        var text = SvgFigure.Draw("", new LineChart("x", "y", [Series.Of("s", [1, double.NaN, 2, double.PositiveInfinity, 3, 4])]));

        Assert.That(text, Does.Not.Contain("NaN").And.Not.Contain("Infinity").And.Not.Contain("∞"));
        Assert.That(Paths(XDocument.Parse(text), "line").First().Attribute("d")!.Value.Count(letter => letter == 'M'), Is.EqualTo(3));
    }

    [TestCase(0.0, 1.0, new[] { "0.0", "0.2", "0.4", "0.6", "0.8", "1.0" })]
    [TestCase(12.0, 88.0, new[] { "0", "20", "40", "60", "80", "100" })]
    [TestCase(5.0, 5.0, new[] { "4.4", "4.6", "4.8", "5.0", "5.2", "5.4", "5.6" })]
    public void Ticks_are_round_numbers(double low, double high, string[] expected) =>
        Assert.That(new Axis([low, high], 100, logarithmic: false, rounded: true, ticks: 6).Ticks.Select(tick => tick.Text), Is.EqualTo(expected));

    [Test]
    public void Logarithmic_axis_has_powers_of_ten_at_equal_distances()
    {
        var axis = new Axis([1, 1000], 300, logarithmic: true, rounded: true, ticks: 6);
        Assert.That(axis.Ticks, Is.EqualTo(new[] { (0.0, "1"), (100.0, "10"), (200.0, "100"), (300.0, "1000") }));
        Assert.That(axis.Place(100), Is.EqualTo(200).Within(1e-9));
    }

    [Test]
    public void Metrics_are_written_alike_in_every_culture_and_read_back_as_the_same_bits()
    {
        var history = new[] { new EpochMetrics(1, 79, 0.1f, Math.PI, double.NaN) { Train = Accuracy(100.0 / 3), Test = Accuracy(10), Seconds = 1.5, ExamplesPerSecond = 812.25, PeakBytes = 1L << 40 } };
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = new() { NumberDecimalSeparator = "," } };
            var csv = MetricsTable.ToCsv(history);
            Assert.That(csv.Split('\n')[1], Is.EqualTo("1,79,0.1,3.141592653589793,33.333333333333336,NaN,10,1.5,812.25,1099511627776"));
            Assert.That(MetricsTable.WithTimings([history[0] with { Seconds = null, ExamplesPerSecond = null, PeakBytes = null }], csv), Is.EqualTo(history));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    static MetricValues Accuracy(double value) => new([KeyValuePair.Create("accuracy", value)]);

    static IEnumerable<XElement> Paths(XDocument figure, string style) => figure.Descendants(svg + "path").Where(path => path.Attribute("class")?.Value == style);

    static double Parse(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    [Test]
    public void Every_label_has_room_within_the_picture()
    {
        foreach (var (losses, epochs) in new[] { (new[] { 0.5, 1e5 }, 1), (new[] { 0.001, 0.002 }, 1), (new[] { 1.0, 2.0 }, 1_000_000), (new[] { 1e-30, 1e30 }, 1) })
        {
            var chart = new LineChart("epoch", "loss", [new Series("s", [new(0, losses[0]), new(epochs, losses[1])])]) { LogarithmicY = losses[1] > 100 * losses[0] };
            var figure = XDocument.Parse(SvgFigure.Draw("", chart, chart));
            var width = Parse(figure.Root!.Attribute("width")!.Value);
            foreach (var panel in figure.Descendants(svg + "g"))
            foreach (var text in panel.Elements(svg + "text"))
            {
                var x = Parse(panel.Attribute("transform")!.Value.Split('(', ' ')[1]) + Parse(text.Attribute("x")!.Value);
                var length = 7.6 * text.Value.Length;      // 0.636 of 12 pixels, as DejaVu Sans and Verdana have it
                var (left, right) = (string?)text.Attribute("text-anchor") switch { "end" => (x - length, x), "middle" => (x - length / 2, x + length / 2), _ => (x, x) };
                Assert.That(left, Is.GreaterThanOrEqualTo(0), text.Value);
                Assert.That(right, Is.LessThanOrEqualTo(width), text.Value);
            }
        }
    }
}
