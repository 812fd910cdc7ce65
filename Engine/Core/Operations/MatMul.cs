using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>
    /// The matrix product, batched over leading axes: y[..., m, n] = sum_k op(a)[..., m, k] op(b)[..., k, n] + bias[n], where op transposes the last two axes
    /// if requested, without a copy. Backward: d op(a) = dy op(b)^T, d op(b) = op(a)^T dy, each written in the order in which its operand is stored; dbias sums dy over the rows.
    /// </summary>
    /// <param name="other">b: [..., K, N] with the leading axes of this tensor, which is a: [..., M, K]; or [K, N], shared by all matrices of a. If transposed: [..., N, K].</param>
    /// <param name="transposeThis">Whether the last two axes of a are exchanged: a is [..., K, M].</param>
    /// <param name="transposeOther">Whether the last two axes of b are exchanged.</param>
    /// <param name="bias">[N], added to every row, or null.</param>
    /// <returns>[..., M, N]</returns>
    /// <exception cref="ArgumentException">The inner extents, the leading axes or the devices differ, or an operand has fewer than 2 axes.</exception>
    public Tensor MatMul(Tensor other, bool transposeThis = false, bool transposeOther = false, Tensor? bias = null) => MatMulOp.Apply(this, other, bias, transposeThis, transposeOther);
}

/// <summary>See <see cref="Tensor.MatMul"/>.</summary>
static class MatMulOp
{
    public static Tensor Apply(Tensor a, Tensor b, Tensor? bias = null, bool transposeA = false, bool transposeB = false)
    {
        Check.SameDevice(nameof(Tensor.MatMul), a, b);
        Check.That(a.Rank >= 2 && b.Rank >= 2, nameof(Tensor.MatMul), $"the operands must be matrices, [.., M, K] and [.., K, N]; got {a.Shape} and {b.Shape}. Reshape vectors first.");
        Matrix left = new(a, transposeA), right = new(b, transposeB);
        Check.That(left.Columns == right.Rows, nameof(Tensor.MatMul), $"the left operand has {left.Columns} columns ({left}) but the right {right.Rows} rows ({right}).");
        Check.That(right.IsSingle || b.Rank == a.Rank && a.Shape.AsSpan()[..^2].SequenceEqual(b.Shape.AsSpan()[..^2]), nameof(Tensor.MatMul),
            $"the leading axes of {a.Shape} and {b.Shape} differ; they must be equal, or the right operand a single matrix.");
        Check.That(bias is null || bias.Rank == 1 && bias.Length == right.Columns, nameof(Tensor.MatMul), $"the bias has shape {bias?.Shape}; it must be [{right.Columns}], one for each column.");

        var geometry = Geometry(left, right);
        var y = DeferredProjection.Project([.. a.Shape.AsSpan()[..^2], left.Rows, right.Columns], a, b, bias, normalizes: false,
            (kernels, a, _, b, in epilogue, y) =>
            {
                MultiplyAddCounter.Add(geometry.MultiplyAdds);
                kernels.MatMul(a, b, geometry, epilogue, y);
            });
        return y.WithBackward(nameof(Tensor.MatMul), [a, b, bias], [a, b], (dy, saved) =>
        {
            var (a, b) = saved;
            return
            [
                saved.IfNeeded(0, () => transposeA ? Product(new(b, transposeB), new(dy, true), a.Shape) : Product(new(dy, false), new(b, !transposeB), a.Shape)),
                saved.IfNeeded(1, () => GradientOfRight(a, transposeA, dy, b.Shape, transposeB)),
                saved.IfNeeded(2, () => Rows(dy).Sum(0)),
            ];
        });
    }

    /// <summary>y = op(a) b of two matrices, outside the graph; op transposes a if requested.</summary>
    internal static void Product(Tensor a, Tensor b, bool transposeA, Tensor y) => Run(new(a, transposeA), new(b, false), y);

    static Tensor GradientOfRight(Tensor a, bool transposeA, Tensor dy, Shape shape, bool transposeB)
    {
        if (shape.Rank == 2 && a.Rank > 2)
        {
            // All matrices of the batch share b. If a is stored row after row, one product takes the rows of the whole batch. Otherwise each matrix of a gives a part of the sum.
            if (!transposeA) (a, dy) = (Rows(a), Rows(dy));
            else
            {
                using var parts = GradientOfRight(a, true, dy, [.. a.Shape.AsSpan()[..^2], .. shape], transposeB);
                return parts.Reshape(Shape.Create([new Matrix(a, true).Count, .. shape])).Sum(0);
            }
        }

        return transposeB ? Product(new(dy, true), new(a, transposeA), shape) : Product(new(a, !transposeA), new(dy, false), shape);
    }

    static Tensor Rows(Tensor x) => x.Detach().Reshape(x.Shape.Rows, x.Shape.Channels);

    static Tensor Product(Matrix a, Matrix b, Shape shape)
    {
        var y = Tensor.Empty(shape, a.Stored.Device);
        Run(a, b, y);
        return y;
    }

    static void Run(Matrix a, Matrix b, Tensor y)
    {
        var geometry = Geometry(a, b);
        MultiplyAddCounter.Add(geometry.MultiplyAdds);
        y.Device.Backend.MatMul(a.Stored, b.Stored, geometry, default, y);
    }

    // If one operand is a single matrix, all matrices of the other operand share it. If it is the right one, and the rows of the left matrices lie one after the other, one product does them all.
    static MatMulGeometry Geometry(Matrix a, Matrix b)
    {
        var oneProduct = b.IsSingle && !a.Transposed;
        var batch = oneProduct ? 1 : a.IsSingle ? b.Count : a.Count;
        int m = oneProduct ? a.Count * a.Rows : a.Rows, k = a.Columns, n = b.Columns;
        return new MatMulGeometry(batch, m, n, k, a.Transposed, b.Transposed, a.IsSingle ? 0 : m * k, b.IsSingle ? 0 : k * n);
    }

    /// <summary>Matrices [Rows, Columns] as a product sees them: stored in this order, or with the last two axes exchanged.</summary>
    readonly record struct Matrix(Tensor Stored, bool Transposed)
    {
        public int Rows => Stored.Shape[Transposed ? ^1 : ^2];

        public int Columns => Stored.Shape[Transposed ? ^2 : ^1];

        public bool IsSingle => Stored.Rank == 2;

        public int Count => Shape.Create(Stored.Shape.AsSpan()[..^2]).Elements;

        public override string ToString() => $"shape {Stored.Shape}{(Transposed ? ", transposed" : "")}";
    }
}
