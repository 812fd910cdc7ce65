using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;
using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>
/// Orthonormal directions for all neurons of a layer at once. Seen as a matrix W [n, channels], the columns of one neuron's Q stand
/// side by side, so all Q^T Q are the diagonal blocks of W^T W: a mask of blocks makes of matrix products on the
/// whole layer, on its device, what would be a decomposition for each neuron.
/// </summary>
static class Orthonormality
{
    // Singular values start in (0, 1] and s <- s (3 - s^2) / 2 takes each to 1: it grows by half a step while small, then the
    // distance squares. Twelve steps bring 0.05 there.
    const int Iterations = 12;

    /// <summary>sum over neurons of |Q^T Q - I|^2, a scalar.</summary>
    public static Tensor Distance(Tensor weight, NeuronLayout layout)
    {
        var w = Flat(weight);
        var gram = w.MatMul(w, transposeThis: true) * Blocks(layout, 1f, weight.Device);
        return (gram - Diagonal(layout, weight.Device)).Square().Sum();
    }

    /// <summary>
    /// Replaces every Q by its orthonormal polar factor, the nearest orthonormal matrix, in place: Newton-Schulz iteration
    /// Q &lt;- Q (3 I - Q^T Q) / 2 (Bjorck and Bowie 1971) from Q / |Q|.
    /// </summary>
    public static void Retract(Tensor weight, NeuronLayout layout)
    {
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        Tensor blocks = Blocks(layout, 1f, weight.Device), identity = Diagonal(layout, weight.Device), linear = Linear(layout, weight.Device);
        var w = Flat(weight);

        // |Q| of each neuron's block in the columns of its Q; the columns of w divide by 1.
        var squares = w.Square().Sum([0], keepDims: true).MatMul(blocks);
        w /= (squares + Row(linear)).Sqrt();
        for (var i = 0; i < Iterations; i++)
        {
            var gram = w.MatMul(w, transposeThis: true) * blocks;
            w = w.MatMul(1.5f * identity - 0.5f * gram + linear);
        }

        weight.Assign(w.Reshape(weight.Shape));
    }

    /// <summary>Replaces every Q by the U of its Q = U R, the diagonal of R positive, in place.</summary>
    public static void RetractByQr(Tensor weight, NeuronLayout layout)
    {
        var values = weight.ToArray();
        var (n, channels) = (weight.Shape.Rows, layout.Channels);
        for (var neuron = 0; neuron < layout.Neurons; neuron++)
        {
            var (rank, first) = (layout.RankOf(neuron), neuron * layout.Stride + 1);
            if (rank == 0) continue;
            var factors = Matrix<double>.Build.Dense(n, rank, (i, j) => values[i * channels + first + j]).QR(QRMethod.Thin);
            for (var j = 0; j < rank; j++)
            {
                var sign = factors.R[j, j] < 0 ? -1 : 1;
                for (var i = 0; i < n; i++) values[i * channels + first + j] = (float)(sign * factors.Q[i, j]);
            }
        }

        weight.Assign(values);
    }

    static Tensor Flat(Tensor weight) => weight.Reshape(weight.Shape.Rows, weight.Shape.Channels);

    // [channels, channels]: a value where row and column are directions of one neuron.
    static Tensor Blocks(NeuronLayout layout, float value, Device device) =>
        Build(layout, device, (row, column) => IsDirection(layout, row) && IsDirection(layout, column) && row / layout.Stride == column / layout.Stride ? value : 0f);

    static Tensor Diagonal(NeuronLayout layout, Device device) => Build(layout, device, (row, column) => row == column && IsDirection(layout, row) ? 1f : 0f);

    static Tensor Linear(NeuronLayout layout, Device device) => Build(layout, device, (row, column) => row == column && !IsDirection(layout, row) ? 1f : 0f);

    static Tensor Row(Tensor diagonal) => diagonal.Sum([0], keepDims: true);

    static bool IsDirection(NeuronLayout layout, int channel) => channel % layout.Stride > 0;

    static Tensor Build(NeuronLayout layout, Device device, Func<int, int, float> element)
    {
        var n = layout.Channels;
        var values = new float[n * n];
        for (var i = 0; i < values.Length; i++) values[i] = element(i / n, i % n);
        return Tensor.FromArray(values, [n, n], device);
    }
}
