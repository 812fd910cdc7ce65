using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;
using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>
/// Keeps the directions of all neurons of a layer orthonormal at once. In the weights as a matrix W [n, channels], the columns of one neuron's Q are
/// adjacent, so all Q^T Q are the diagonal blocks of W^T W. With a mask of blocks, matrix products over the
/// whole layer, on its device, replace a decomposition for each neuron.
/// </summary>
sealed class OrthonormalBasis(NeuronLayout layout, QuadraticOptions options) : Constraint
{
    // Singular values start in (0, 1], and s <- s (3 - s^2) / 2 moves each to 1: a small s grows by half in each step; near 1, the
    // distance is squared in each step. Twelve steps are enough for a start at 0.05.
    const int Iterations = 12;

    Masks? masks;

    /// <inheritdoc/>
    public override Tensor? Penalty(Parameter parameter) => options.Basis == Basis.Penalized ? Distance(parameter) * options.Penalty : null;

    /// <inheritdoc/>
    public override void Retract(Parameter parameter)
    {
        if (options.Basis != Basis.Retracted) return;
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        if (options.Retraction == Retraction.Qr) RetractByQr(parameter);
        else RetractByNewtonSchulz(parameter);
    }

    // The sum over neurons of |Q^T Q - I|^2, a scalar.
    Tensor Distance(Parameter weight)
    {
        var (w, (_, blocks, identity, _)) = (Flat(weight), MasksOn(weight.Device));
        var gram = w.MatMul(w, transposeThis: true) * blocks;
        return (gram - identity).Square().Sum();
    }

    // Replaces every Q by its orthonormal polar factor, the nearest orthonormal matrix, in place: Newton-Schulz iteration
    // Q <- Q (3 I - Q^T Q) / 2 (Bjorck and Bowie 1971) from Q / |Q|.
    void RetractByNewtonSchulz(Parameter weight)
    {
        var (w, (_, blocks, identity, linear)) = (Flat(weight), MasksOn(weight.Device));

        // The columns of each neuron's Q are divided by |Q| of that neuron; the columns of w are divided by 1.
        var squares = w.Square().Sum([0], keepDims: true).MatMul(blocks);
        w /= (squares + Row(linear)).Sqrt();
        for (var i = 0; i < Iterations; i++)
        {
            var gram = w.MatMul(w, transposeThis: true) * blocks;
            w = w.MatMul(1.5f * identity - 0.5f * gram + linear);
        }

        weight.Assign(w.Reshape(weight.Shape));
    }

    // Replaces every Q in place by the U of Q = U R, where R has a positive diagonal.
    void RetractByQr(Parameter weight)
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

    // Made once per device, so that they exist before a step is recorded.
    Masks MasksOn(Device device)
    {
        if (masks is { } known && ReferenceEquals(known.Device, device)) return known;
        return masks = new(device,
            Blocks: Build((row, column) => IsDirection(row) && IsDirection(column) && row / layout.Stride == column / layout.Stride),
            Identity: Build((row, column) => row == column && IsDirection(row)),
            Linear: Build((row, column) => row == column && !IsDirection(row)));

        bool IsDirection(int channel) => channel % layout.Stride > 0;

        Tensor Build(Func<int, int, bool> isOne)
        {
            var n = layout.Channels;
            var values = new float[n * n];
            for (var i = 0; i < values.Length; i++) values[i] = isOne(i / n, i % n) ? 1f : 0f;
            return Tensor.FromArray(values, [n, n], device).Keep();
        }
    }

    static Tensor Row(Tensor diagonal) => diagonal.Sum([0], keepDims: true);

    /// <summary>Matrices [channels, channels] of ones and zeros.</summary>
    /// <param name="Device">The device of the matrices.</param>
    /// <param name="Blocks">1 where row and column are directions of one neuron.</param>
    /// <param name="Identity">1 on the diagonal at directions.</param>
    /// <param name="Linear">1 on the diagonal at the w of the neurons.</param>
    sealed record Masks(Device Device, Tensor Blocks, Tensor Identity, Tensor Linear);
}
