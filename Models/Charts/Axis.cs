using System.Globalization;

namespace QuadEngine.Models;

/// <summary>Maps values to a length, with ticks at round numbers.</summary>
sealed class Axis
{
    readonly double low, high, length;
    readonly bool logarithmic;

    /// <summary>Creates an axis that holds exactly the values, with ticks at whole numbers if all values are whole. If <paramref name="rounded"/>, the axis ends at ticks.</summary>
    public Axis(IEnumerable<double> values, double length, bool logarithmic, bool rounded, int ticks)
    {
        this.logarithmic = logarithmic;
        this.length = length;
        var scaled = values.Select(Scale).Where(double.IsFinite).DefaultIfEmpty(0.0).ToArray();
        (low, high) = (scaled.Min(), scaled.Max());
        var whole = logarithmic || (!rounded && scaled.All(double.IsInteger));      // there is nothing to mark between two epochs
        if (high - low < 1e-9 * Math.Max(1.0, Math.Abs(high))) (low, high) = (low - 0.5, high + 0.5);

        var step = Step((high - low) / ticks, wholeOnly: whole);
        if (rounded) (low, high) = (Math.Floor(low / step + 1e-9) * step, Math.Ceiling(high / step - 1e-9) * step);
        var first = Math.Ceiling(low / step - 1e-9);
        Ticks = [.. Enumerable.Range(0, (int)Math.Floor(high / step - first + 1e-9) + 1).Select(i => Tick((first + i) * step, step))];
    }

    /// <summary>The places along the axis, each with the text of its tick.</summary>
    public IReadOnlyList<(double Place, string Text)> Ticks { get; }

    /// <summary>Returns the place of a value, from 0 at the lower end of the axis to its length.</summary>
    public double Place(double value) => (Scale(value) - low) / (high - low) * length;

    double Scale(double value) => logarithmic ? Math.Log10(value) : value;

    (double, string) Tick(double scaled, double step)
    {
        var value = logarithmic ? Math.Pow(10.0, scaled) : Math.Round(scaled / step) * step;
        var decimals = logarithmic ? 0 : Math.Max(0, -(int)Math.Floor(Math.Log10(step) + 1e-9));
        var text = value.ToString(!logarithmic ? "F" + decimals : scaled is >= -4 and <= 5 ? "0.####" : "0e0", CultureInfo.InvariantCulture);
        return ((scaled - low) / (high - low) * length, text);
    }

    // 1, 2 or 5 times a power of 10.
    static double Step(double atLeast, bool wholeOnly)
    {
        var power = Math.Pow(10.0, Math.Floor(Math.Log10(atLeast)));
        var step = new[] { 1.0, 2.0, 5.0, 10.0 }.First(factor => factor * power >= atLeast * (1.0 - 1e-9)) * power;
        return wholeOnly ? Math.Max(1.0, Math.Round(step)) : step;
    }
}
