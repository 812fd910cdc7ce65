using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

// Element-wise and reductions. Arguments are positive: logarithms, powers and square roots are defined.
static partial class BackendCases
{
    static void Unary<TOp>(Sample s) where TOp : struct, IUnaryOp<TOp>
    {
        Shape shape = [s.Extent(), s.Extent()];
        Tensor x = s.Values(shape, 0.1f, 3f), y = s.Output(shape);
        s.Backend.Unary<TOp>(x, y);
        s.Backend.Unary<TOp>(x, x);
        s.Result("y", y);
        s.Result("in place", x);
    }

    static void UnaryBackward<TOp>(Sample s) where TOp : struct, IUnaryOp<TOp>
    {
        Shape shape = [s.Extent(), s.Extent()];
        Tensor x = s.Values(shape, 0.1f, 3f), y = s.Values(shape, 0.1f, 3f), dy = s.Values(shape), dx = s.Output(shape);
        s.Backend.UnaryBackward<TOp>(dy, Saved(TOp.Saves, Saves.Input, x), Saved(TOp.Saves, Saves.Output, y), dx);
        s.Result("dx", dx);
    }

    static void Binary<TOp>(Sample s) where TOp : struct, IBinaryOp<TOp>
    {
        var (shape, shapeA, shapeB) = Broadcast(s);
        Tensor a = s.Values(shapeA, 0.1f, 3f), b = s.Values(shapeB, 0.1f, 3f), y = s.Output(shape);
        s.Backend.Binary<TOp>(a, b, y);
        s.Result("y", y);
    }

    // All pairs of values that compare specially: NaN, and zeros of both signs.
    static void ComparisonAtTheEdges<TOp>(Sample s) where TOp : struct, IBinaryOp<TOp>
    {
        float[] edges = [float.NaN, float.NegativeInfinity, -1f, -0f, 0f, 1f, float.PositiveInfinity];
        using Tensor a = Tensor.FromArray(edges, [7], s.Device), b = Tensor.FromArray(edges, [7, 1], s.Device), c = Tensor.FromArray([.. edges.Reverse()], [7], s.Device);
        Tensor all = s.Output([7, 7]), same = s.Output([7]), one = s.Output([7]);
        s.Backend.Binary<TOp>(a, b, all);
        s.Backend.Binary<TOp>(a, c, same);
        s.Backend.BinaryScalar<TOp>(a, s.Chance() ? float.NaN : 0f, one);
        s.Result("all pairs", all);
        s.Result("of one shape", same);
        s.Result("with a number", one);
    }

    // Numbers of every size, from which multiples of 2 pi are subtracted exactly, and numbers without a sine.
    static BackendCase LargeAngles<TOp>() where TOp : struct, IUnaryOp<TOp> => new(nameof(Backend.Unary), $"{typeof(TOp).Name} of large angles", s =>
    {
        float[] angles = [.. Enumerable.Range(-2, 130).Select(power => s.Number(-1f, 1f) * MathF.ScaleB(1f, power)), float.NaN, float.PositiveInfinity, float.MaxValue, -0f];
        using var x = Tensor.FromArray(angles, [angles.Length], s.Device);
        var y = s.Output([angles.Length]);
        s.Backend.Unary<TOp>(x, y);
        s.Result("y", y);
    }, Tolerance: 1e-6f);

    static void BinaryBackward<TOp>(Sample s) where TOp : struct, IBinaryOp<TOp>
    {
        var (shape, shapeA, shapeB) = Broadcast(s);
        Tensor a = s.Values(shapeA, 0.1f, 3f), b = s.Values(shapeB, 0.1f, 3f), y = s.Values(shape, 0.1f, 3f), dy = s.Values(shape);
        Tensor? da = s.Chance(3) ? null : s.Output(shape), db = s.Chance(3) ? null : s.Output(shape);
        s.Backend.BinaryBackward<TOp>(dy, Saved(TOp.Saves, Saves.Input, a), Saved(TOp.Saves, Saves.Input, b), Saved(TOp.Saves, Saves.Output, y), da, db);
        s.Result("da", da);
        s.Result("db", db);
    }

    static void BinaryScalar<TOp>(Sample s) where TOp : struct, IBinaryOp<TOp>
    {
        Shape shape = [s.Extent(), s.Extent()];
        Tensor x = s.Values(shape, 0.1f, 3f), y = s.Output(shape);
        s.Backend.BinaryScalar<TOp>(x, s.Number(0.5f, 2f), y);
        s.Result("y", y);
    }

    static void BinaryScalarBackward<TOp>(Sample s) where TOp : struct, IBinaryOp<TOp>
    {
        Shape shape = [s.Extent(), s.Extent()];
        Tensor x = s.Values(shape, 0.1f, 3f), y = s.Values(shape, 0.1f, 3f), dy = s.Values(shape), dx = s.Output(shape);
        s.Backend.BinaryScalarBackward<TOp>(dy, Saved(TOp.Saves, Saves.Input, x), s.Number(0.5f, 2f), Saved(TOp.Saves, Saves.Output, y), dx);
        s.Result("dx", dx);
    }

    static void Reduce<TOp>(Sample s) where TOp : struct, IReduction<TOp>
    {
        var (outer, n, inner) = Folded(s);
        Tensor x = s.Values([outer, n, inner]), y = s.Output([outer, inner]);
        s.Backend.Reduce<TOp>(x, outer, n, inner, y);
        s.Result("y", y);
    }

    static Tensor? Saved(Saves all, Saves flag, Tensor tensor) => (all & flag) != 0 ? tensor : null;

    static (Shape Shape, Shape A, Shape B) Broadcast(Sample s)
    {
        if (s.Chance(3)) return Same([s.Extent(), s.Extent()]);
        int[] extents = [s.Pick(1, 4), s.Pick(1, 5), s.Pick(1, 4), s.Extent(100)];
        return (extents, Operand(0), Operand(1));

        // Each axis is repeated in one operand at most; leading ones may be missing.
        int[] Operand(int which) => [.. extents[(which == 1 ? s.Pick(0, 2) : 0)..].Select(extent => s.Chance(4) && which == 1 ? 1 : extent)];

        static (Shape, Shape, Shape) Same(Shape shape) => (shape, shape, shape);
    }

    static (int Outer, int N, int Inner) Folded(Sample s) => s.Pick(1, 3) switch
    {
        1 => (s.Pick(1, 5), s.Extent(9000), 1),
        2 => (1, s.Extent(9000), s.Pick(1, 70)),
        _ => (s.Pick(1, 5), s.Pick(1, 50), s.Pick(1, 50)),
    };

    static IEnumerable<BackendCase> Plain =>
    [
        new(nameof(Backend.AddScaled), "", s =>
        {
            Shape shape = [s.Extent(3000)];
            Tensor x = s.Values(shape), y = s.Values(shape);
            s.Backend.AddScaled(s.Number(), x, s.Chance() ? 0f : s.Number(), y);
            s.Result("y", y);
        }),
        new(nameof(Backend.ArgMax), "", s =>
        {
            var (outer, n, inner) = Folded(s);
            using var x = Tensor.FromArray([.. s.Values([outer, n, inner]).ToArray().Select(value => MathF.Round(8 * value))], [outer, n, inner], s.Device);
            using var y = IntTensor.Empty([outer, inner], s.Device);
            s.Backend.ArgMax(x, outer, n, inner, y);
            s.Result("y", y);
        }, Tolerance: 0f),
        new(nameof(Backend.Norm), "", s =>
        {
            var tensors = Enumerable.Range(0, s.Pick(1, 40)).Select(_ => s.Values([s.Extent(6000)])).ToArray();
            var y = s.Output([]);
            s.Backend.Norm(tensors, y);
            s.Result("y", y);
        }),
    ];
}
