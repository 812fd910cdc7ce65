using System.Globalization;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>
/// The quadratic layers of a run over its steps as comma-separated values: a row for each layer at each recorded step, with the values of
/// <see cref="QuadraticState"/>. The spectrum is the root mean square of each eigenvalue over the layer's neurons, the largest first.
/// </summary>
static class TelemetryTable
{
    static readonly (string Name, Func<QuadraticState, string> Value)[] columns =
    [
        ("layer", state => state.Path),
        ("lambda_norm", state => Text(state.LambdaNorm)),
        ("quadratic_share", state => Text(state.QuadraticShare)),
        ("effective_rank", state => Text(state.EffectiveRank)),
        ("weight_gradient", state => Text(state.WeightGradient)),
        ("lambda_gradient", state => Text(state.LambdaGradient)),
        ("spectrum", state => string.Join(' ', Spectrum(state).Select(Text))),
    ];

    /// <summary>The line of column names.</summary>
    public static string Header => string.Join(',', columns.Select(column => column.Name).Prepend("step")) + "\n";

    /// <summary>Returns a line for each layer.</summary>
    public static string Rows(int step, IReadOnlyList<QuadraticState> states) => string.Concat(states.Select(state =>
        string.Join(',', columns.Select(column => column.Value(state)).Prepend(step.ToString(CultureInfo.InvariantCulture))) + "\n"));

    /// <summary>Returns a table without the lines after a step, so that the run can resume there, and without incomplete lines.</summary>
    public static string Until(string csv, int step) => string.Concat(csv.Split('\n').Skip(1)
        .Where(line => line.Count(letter => letter == ',') == columns.Length && int.TryParse(line.AsSpan(0, line.IndexOf(',', StringComparison.Ordinal)), CultureInfo.InvariantCulture, out var at) && at <= step)
        .Select(line => line + "\n").Prepend(Header));

    static IEnumerable<double> Spectrum(QuadraticState state) => Enumerable.Range(0, state.Spectrum.Max(values => values.Length))
        .Select(i => Math.Sqrt(state.Spectrum.Where(values => values.Length > i).Average(values => values[i] * values[i])));

    static string Text(double value) => value.ToString("G6", CultureInfo.InvariantCulture);
}
