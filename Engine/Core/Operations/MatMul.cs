using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>
/// The matrix product, batched over leading axes: y[..., m, n] = sum_k a[..., m, k] b[..., k, n].
/// Backward: da = dy b^T, db = a^T dy.
/// </summary>
public static class MatMul
{
    /// <param name="a">[..., M, K]</param>
    /// <param name="b">[..., K, N] with the same leading axes, or [K, N] shared by all of a's.</param>
    /// <param name="bias">[N], added to every row, or null.</param>
    /// <returns>[..., M, N]</returns>
    /// <exception cref="ArgumentException">The inner extents, the leading axes or the devices differ, or an operand has fewer than 2 axes.</exception>
    public static Tensor Apply(Tensor a, Tensor b, Tensor? bias = null)
    {
        Check.SameDevice(nameof(MatMul), a, b);
        Check.That(a.Rank >= 2 && b.Rank >= 2, nameof(MatMul), $"the operands must be matrices, [.., M, K] and [.., K, N]; got {a.Shape} and {b.Shape}. Reshape vectors first.");
        Check.That(a.Shape[^1] == b.Shape[^2], nameof(MatMul), $"the left operand has {a.Shape[^1]} columns (shape {a.Shape}) but the right {b.Shape[^2]} rows (shape {b.Shape}).");
        var shared = b.Rank == 2;
        Check.That(shared || b.Rank == a.Rank && a.Shape.AsSpan()[..^2].SequenceEqual(b.Shape.AsSpan()[..^2]), nameof(MatMul),
            $"the leading axes of {a.Shape} and {b.Shape} differ; they must be equal, or the right operand a single matrix.");

        Check.That(bias is null || bias.Rank == 1 && bias.Length == b.Shape[^1], nameof(MatMul), $"the bias has shape {bias?.Shape}; it must be [{b.Shape[^1]}], one for each column.");

        var geometry = Geometry(a, b, shared, transposeA: false, transposeB: false);
        var y = WaitingProjection.Project([.. a.Shape.AsSpan()[..^1], b.Shape[^1]], a, b, bias, normalizes: false,
            (kernels, a, _, b, in epilogue, y) =>
            {
                MultiplyAddCounter.Add(geometry.MultiplyAdds);
                kernels.MatMul(a, b, geometry, epilogue, y);
            });
        return y.WithBackward(nameof(MatMul), [a, b, bias], [a, b], (dy, saved) =>
        {
            var (a, b) = saved;
            return
            [
                saved.IfNeeded(0, () => Product(dy, b, shared, transposeA: false, transposeB: true, a.Shape)),
                saved.IfNeeded(1, () => shared
                    ? Product(Rows(a), Rows(dy), shared: true, transposeA: true, transposeB: false, b.Shape)
                    : Product(a, dy, shared: false, transposeA: true, transposeB: false, b.Shape)),
                saved.IfNeeded(2, () => Rows(dy).Sum([0])),
            ];
        });
    }

    /// <summary>y = op(a) b of two matrices, without a graph; op transposes where asked.</summary>
    internal static void Product(Tensor a, Tensor b, bool transposeA, Tensor y) => Run(a, b, Geometry(a, b, shared: true, transposeA, transposeB: false), y);

    static Tensor Rows(Tensor x) => x.Detach().Reshape(x.Shape.Rows, x.Shape.Channels);

    static Tensor Product(Tensor a, Tensor b, bool shared, bool transposeA, bool transposeB, Shape shape)
    {
        var y = Tensor.Empty(shape, a.Device);
        Run(a, b, Geometry(a, b, shared, transposeA, transposeB), y);
        return y;
    }

    static void Run(Tensor a, Tensor b, MatMulGeometry geometry, Tensor y)
    {
        MultiplyAddCounter.Add(geometry.MultiplyAdds);
        y.Device.Backend.MatMul(a, b, geometry, default, y);
    }

    // A shared right operand makes all leading axes of the left one rows of a single product.
    static MatMulGeometry Geometry(Tensor a, Tensor b, bool shared, bool transposeA, bool transposeB)
    {
        int m = shared && !transposeA ? a.Shape.Rows : a.Shape[transposeA ? ^1 : ^2], k = a.Shape[transposeA ? ^2 : ^1], n = b.Shape[transposeB ? ^2 : ^1];
        var batch = shared ? 1 : Shape.Create(a.Shape.AsSpan()[..^2]).Elements;
        return new MatMulGeometry(batch, m, n, k, transposeA, transposeB, m * k, k * n);
    }
}
