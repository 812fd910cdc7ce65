using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>Functions of single elements, and of two operands broadcast to one shape.</summary>
static class ElementwiseGeometries
{
    public static IEnumerable<GeometryCase> All =>
    [
        new(nameof(Backend.Unary), s =>
        {
            var (x, y) = Operands(s);
            s.Backend.Unary<Curve>(x, y);
            s.ExpectScalar("y", y, () => s.Initial(x).Select(Curve.F));
        }),
        new(nameof(Backend.UnaryBackward), s =>
        {
            var (dy, dx) = Operands(s);
            Tensor x = s.Values(dx.Shape), y = s.Values(dx.Shape);
            s.Backend.UnaryBackward<Curve>(dy, x, y, dx);
            s.ExpectScalar("dx", dx, () => s.Initial(dy).Select((d, i) => d * Curve.Derivative(s.Initial(x)[i], s.Initial(y)[i])));
        }),
        new(nameof(Backend.Binary), s =>
        {
            var (shape, shapeA, shapeB) = Broadcasts(s);
            Tensor a = s.Values(shapeA), b = s.Values(shapeB), y = s.Output(shape);

            // The output may overwrite an operand of its own shape.
            if (shapeA == shape && s.Chance(4)) a = y = s.InPlace(shape);
            else if (shapeB == shape && s.Chance(4)) b = y = s.InPlace(shape);
            s.Backend.Binary<Probe>(a, b, y);
            s.ExpectScalar("y", y, () => Full(s, a, shape).Zip(Full(s, b, shape), Probe.F));
        }),
        new(nameof(Backend.BinaryBackward), s =>
        {
            var (shape, shapeA, shapeB) = Broadcasts(s);
            Tensor dy = s.Values(shape), a = s.Values(shapeA), b = s.Values(shapeB), y = s.Values(shape);
            Tensor? da = s.Chance(4) ? null : s.Output(shape), db = s.Chance(4) ? null : s.Output(shape);
            s.Backend.BinaryBackward<Probe>(dy, a, b, y, da, db);
            float[] fullA = Full(s, a, shape), fullB = Full(s, b, shape);
            s.ExpectScalar("da", da, () => s.Initial(dy).Select((d, i) => d * Probe.DerivativeA(fullA[i], fullB[i], s.Initial(y)[i])));
            s.ExpectScalar("db", db, () => s.Initial(dy).Select((d, i) => d * Probe.DerivativeB(fullA[i], fullB[i], s.Initial(y)[i])));
        }),
        new(nameof(Backend.BinaryScalar), s =>
        {
            var (x, y) = Operands(s);
            s.Backend.BinaryScalar<Probe>(x, 0.7f, y);
            s.ExpectScalar("y", y, () => s.Initial(x).Select(value => Probe.F(value, 0.7f)));
        }),
        new(nameof(Backend.BinaryScalarBackward), s =>
        {
            var (dy, dx) = Operands(s);
            Tensor x = s.Values(dx.Shape), y = s.Values(dx.Shape);
            s.Backend.BinaryScalarBackward<Probe>(dy, x, 0.7f, y, dx);
            s.ExpectScalar("dx", dx, () => s.Initial(dy).Select((d, i) => d * Probe.DerivativeA(s.Initial(x)[i], 0.7f, s.Initial(y)[i])));
        }),
        new(nameof(Backend.AddScaled), s =>
        {
            Shape shape = [s.Noted(s.Extent(s.MostElements))];
            var keep = s.Noted(s.Chance());
            Tensor x = s.Values(shape), y = keep ? s.InPlace(shape) : s.Output(shape);
            s.Backend.AddScaled(0.75f, x, keep ? -0.5f : 0f, y);
            s.ExpectScalar("y", y, () => s.Initial(x).Select((value, i) => keep ? 0.75f * value + -0.5f * s.Initial(y)[i] : 0.75f * value));
        }),
    ];

    // An input and the output, which may overwrite it.
    static (Tensor X, Tensor Y) Operands(Draw s)
    {
        Shape shape = [s.Noted(s.Extent(s.MostElements))];
        var y = s.InPlace(shape);
        return s.Chance(4) ? (y, y) : (s.Values(shape), s.Output(shape));
    }

    static float[] Full(Draw s, Tensor operand, Shape shape) => [.. Broadcast.Expand(s.Initial(operand), operand.Shape, shape).Select(value => (float)value)];

    // Up to six axes; leading ones are missing in one operand, others are 1 in one of them or in both.
    static (Shape Shape, Shape A, Shape B) Broadcasts(Draw s)
    {
        var extents = new int[s.Between(0, 6)];
        for (int axis = 0, rest = s.MostElements; axis < extents.Length; rest /= Math.Max(1, extents[axis++])) extents[axis] = s.Extent(axis == extents.Length - 1 ? rest : Math.Min(rest, 9));
        int[] a = [.. extents], b = [.. extents];
        for (var axis = 0; axis < extents.Length; axis++)
        {
            if (s.Chance(4)) a[axis] = 1;
            else if (s.Chance(3)) b[axis] = 1;
        }

        if (s.Chance(4)) a = a[s.Between(0, a.Length)..];
        else if (s.Chance(4)) b = b[s.Between(0, b.Length)..];
        Shape left = a, right = b;
        s.Noted($"{left} with {right}");
        return (Shape.Broadcast(left, right, nameof(Broadcasts)), left, right);
    }
}
