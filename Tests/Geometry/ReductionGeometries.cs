using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>Folds along the middle axis of [outer, n, inner]; an empty fold gives the identity.</summary>
static class ReductionGeometries
{
    public static IEnumerable<GeometryCase> All =>
    [
        new(nameof(Backend.Reduce), s =>
        {
            switch (s.Noted(s.OneOf("sum", "max", "min")))
            {
                case "sum":
                    Reduce<SumOp>(s, Approximate.Sum);
                    break;
                case "max":
                    Reduce<MaxOp>(s, values => values.Aggregate(double.NegativeInfinity, (largest, value) => Math.Max(largest, value.Value)));
                    break;
                default:
                    Reduce<MinOp>(s, values => values.Aggregate(double.PositiveInfinity, (smallest, value) => Math.Min(smallest, value.Value)));
                    break;
            }
        }),
        new(nameof(Backend.ArgMax), s =>
        {
            var (outer, n, inner) = Extents(s, some: true);

            // Few different numbers, so that equal ones are common, and a few NaN.
            var x = s.Values([.. s.Array(outer * n * inner).Select(value => value > 0.98f ? float.NaN : MathF.Round(4 * value))], [outer, n, inner]);
            var y = s.IntegerOutput([outer, inner]);
            s.Backend.ArgMax(x, outer, n, inner, y);
            s.Expect("y", y, () => [.. Columns(s.Initial(x), outer, n, inner).Select(column =>
            {
                float[] values = [.. column];
                return values.Any(float.IsNaN) ? Array.FindIndex(values, float.IsNaN) : Array.IndexOf(values, values.Max());
            })]);
        }),
        new(nameof(Backend.Norm), s =>
        {
            int[] lengths = [.. Enumerable.Range(0, s.Extent(s.MostTensors)).Select(_ => s.Extent(s.MostElements / 10))];
            s.Noted($"[{string.Join(", ", lengths)}]");
            Tensor[] tensors = [.. lengths.Select(length => s.Values([length]))];
            var y = s.Output([]);
            s.Backend.Norm(tensors, y);
            s.Expect("y", y, () => [Approximate.Sqrt(Approximate.Sum(tensors.SelectMany(s.Initial).Append(0f).Select(value => (Approximate)value * value)))]);
        }),
    ];

    static void Reduce<TOp>(Draw s, Func<IEnumerable<Approximate>, Approximate> fold) where TOp : struct, IReduction<TOp>
    {
        var (outer, n, inner) = Extents(s);
        Tensor x = s.Values([outer, n, inner]), y = s.Output([outer, inner]);
        s.Backend.Reduce<TOp>(x, outer, n, inner, y);
        s.Expect("y", y, () => [.. Columns(s.Initial(x), outer, n, inner).Select(column => fold(column.Select(value => (Approximate)value)))]);
    }

    static IEnumerable<IEnumerable<float>> Columns(float[] x, int outer, int n, int inner) =>
        Enumerable.Range(0, outer * inner).Select(at => Enumerable.Range(0, n).Select(i => x[(at / inner * n + i) * inner + at % inner]));

    static (int Outer, int N, int Inner) Extents(Draw s, bool some = false)
    {
        int outer = s.Chance() ? s.Extent(9) : 1, inner = s.Chance() ? 1 : s.Extent(s.MostElements / 4), n = s.Extent(s.MostElements / Math.Max(1, outer * inner));
        if (s.Chance(4)) (outer, n) = (n, outer);
        return s.Noted((outer, Math.Max(n, some ? 1 : 0), inner));
    }
}
