using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>
    /// Symmetric matrices from their upper triangles: M[c, i, j] = M[c, j, i] = packed[t(i, j), c] for i &lt;= j, where t counts the elements of the triangle row by
    /// row. Backward: dpacked = dM[c, i, j] + dM[c, j, i], and dM[c, i, i] on the diagonal.
    /// </summary>
    /// <param name="n">The number of rows of a matrix; this tensor is packed: [n(n + 1)/2, channels].</param>
    /// <returns>[channels, n, n]</returns>
    /// <exception cref="ArgumentException">The triangle of n rows has another number of elements.</exception>
    public Tensor UnpackSymmetric(int n) => SymmetricMatrixOp.Unpack(this, n);
}

/// <summary>See <see cref="Tensor.UnpackSymmetric"/>.</summary>
static class SymmetricMatrixOp
{
    public static Tensor Unpack(Tensor packed, int n)
    {
        Check.That(packed.Rank == 2 && packed.Shape[0] == n * (n + 1) / 2, nameof(Tensor.UnpackSymmetric),
            $"the upper triangle of {n} rows has {n * (n + 1) / 2} elements, so it must be [{n * (n + 1) / 2}, channels], not {packed.Shape}.");
        var channels = packed.Shape[1];
        var y = Tensor.Empty([channels, n, n], packed.Device);
        for (var i = 0; i < n; i++)
        {
            Shape row = [n - i, channels];
            packed.Device.Backend.CopyStrided(packed, Start(i, n) * channels, [channels, 1], row, Corner(i, n), [1, n * n], y);
            packed.Device.Backend.CopyStrided(packed, Start(i, n) * channels, [channels, 1], row, Corner(i, n), [n, n * n], y);
        }

        return y.WithBackward(nameof(Tensor.UnpackSymmetric), [packed], [], (dy, _) =>
        {
            Tensor rows = Tensor.Empty([n * (n + 1) / 2, channels], dy.Device), columns = Tensor.Like(rows);
            for (var i = 0; i < n; i++)
            {
                // The row contains the diagonal element; the column starts below it.
                Shape row = [n - i, channels];
                dy.Device.Backend.CopyStrided(dy, Corner(i, n), [1, n * n], row, Start(i, n) * channels, [channels, 1], rows);
                dy.Device.Backend.CopyStrided(dy, Corner(i, n), [n, n * n], row, Start(i, n) * channels, [channels, 1], columns);
            }

            for (var i = 0; i < n; i++) dy.Device.Backend.Fill(columns.Slice(0, Start(i, n), 1), 0f);
            return [rows + columns];
        });
    }

    // Row i of the triangle starts with its diagonal element, after n + (n - 1) + ... + (n - i + 1) other elements.
    static int Start(int i, int n) => i * n - i * (i - 1) / 2;

    static int Corner(int i, int n) => i * n + i;
}
