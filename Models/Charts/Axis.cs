using System.Globalization;

namespace QuadEngine.Models;

/// <summary>Maps values to a length, with ticks at round numbers.</summary>
sealed class Axis
{
    readonly double low, high, length;
    readonly bool logarithmic;

    /// <summary>An axis that just holds the values, with ticks at whole numbers where all values are whole; or, <paramref name="rounded"/>, one that ends at ticks.</summary>
    public Axis(IEnumerable<double> values, double length, bool logarithmic, bool rounded, int ticks)
    {
        this.logarithmic = logarithmic;
        this.length = length;
        var scaled = values.Select(Scale).Where(double.IsFinite).DefaultIfEmpty(0.0).ToArray();
        (low, high) = (scaled.Min(), scaled.Max());
        var whole = logarithmic || (!rounded && scaled.All(double.IsInteger));      // between two epochs there is none
        if (high - low < 1e-9 * Math.Max(1.0, Math.Abs(high))) (low, high) = (low - 0.5, high + 0.5);

        var step = Step((high - low) / ticks, wholeOnly: whole);
        if (rounded) (low, high) = (Math.Floor(low / step + 1e-9) * step, Math.Ceiling(high / step - 1e-9) * step);
        var first = Math.Ceiling(low / step - 1e-9);
        Ticks = [.. Enumerable.Range(0, (int)Math.Floor(high / step - first + 1e-9) + 1).Select(i => Tick((first + i) * step, step))];
    }

    /// <summary>Places along the axis, with what is written there.</summary>
    public IReadOnlyList<(double Place, string Text)> Ticks { get; }

    /// <summary>From 0 at the axis's lower end to its length.</summary>
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
