using MathNet.Numerics.LinearAlgebra;

namespace QuadEngine.Layers;

/// <summary>Makes the first values of new weights.</summary>
/// <param name="shape">The shape of the weights, [..., outputs]; all axes but the last are the inputs of a neuron (its fan-in).</param>
/// <param name="generator">The generator of the random numbers; null for <see cref="Generator.Default"/>.</param>
public delegate Tensor Initializer(Shape shape, Generator? generator = null);

/// <summary>The usual initializers of weights.</summary>
public static class Initializers
{
    /// <summary>All 0, for a part of a neuron that is absent at the start.</summary>
    /// <param name="shape">The shape of the weights.</param>
    /// <param name="generator">Not used, because nothing is drawn.</param>
    public static Tensor Zeros(Shape shape, Generator? generator = null) => Tensor.Zeros(shape);

    /// <summary>Normal with variance 2 / fan-in, for ReLU networks (He et al. 2015).</summary>
    /// <inheritdoc cref="Initializer"/>
    public static Tensor KaimingNormal(Shape shape, Generator? generator = null) => Tensor.Normal(shape, 0f, MathF.Sqrt(2f / shape.Rows), generator);

    /// <summary>Uniform in +-sqrt(6 / fan-in): the same variance.</summary>
    /// <inheritdoc cref="Initializer"/>
    public static Tensor KaimingUniform(Shape shape, Generator? generator = null) => Symmetric(shape, MathF.Sqrt(6f / shape.Rows), generator);

    /// <summary>Normal with variance 2 / (fan-in + fan-out) (Glorot and Bengio 2010).</summary>
    /// <inheritdoc cref="Initializer"/>
    public static Tensor XavierNormal(Shape shape, Generator? generator = null) => Tensor.Normal(shape, 0f, MathF.Sqrt(2f / (shape.Rows + FanOut(shape))), generator);

    /// <summary>Uniform in +-sqrt(6 / (fan-in + fan-out)): the same variance.</summary>
    /// <inheritdoc cref="Initializer"/>
    public static Tensor XavierUniform(Shape shape, Generator? generator = null) => Symmetric(shape, MathF.Sqrt(6f / (shape.Rows + FanOut(shape))), generator);

    /// <summary>Uniform in +-1 / sqrt(fan-in), as PyTorch initializes linear layers and convolutions.</summary>
    /// <inheritdoc cref="Initializer"/>
    public static Tensor TorchDefault(Shape shape, Generator? generator = null) => Symmetric(shape, 1f / MathF.Sqrt(shape.Rows), generator);

    /// <summary>Orthonormal columns, or orthonormal rows if there are more outputs than inputs (Saxe et al. 2014): Q of a QR decomposition of normal numbers, with a positive diagonal of R.</summary>
    /// <inheritdoc cref="Initializer"/>
    public static Tensor Orthogonal(Shape shape, Generator? generator = null)
    {
        int rows = shape.Rows, columns = shape.Channels;
        using var normal = Tensor.Normal([rows, columns], 0f, 1f, generator);
        var values = normal.ToArray();
        var wide = columns > rows;
        var matrix = Matrix<double>.Build.Dense(rows, columns, (i, j) => values[i * columns + j]);
        var qr = (wide ? matrix.Transpose() : matrix).QR(MathNet.Numerics.LinearAlgebra.Factorization.QRMethod.Thin);
        var q = qr.Q * Matrix<double>.Build.DenseOfDiagonalVector(qr.R.Diagonal().Map(r => r < 0 ? -1.0 : 1.0));
        if (wide) q = q.Transpose();
        return Tensor.FromArray([.. Enumerable.Range(0, rows * columns).Select(i => (float)q[i / columns, i % columns])], shape);
    }

    static Tensor Symmetric(Shape shape, float bound, Generator? generator) => Tensor.Uniform(shape, -bound, bound, generator);

    // Each input pixel of a filter [kH, kW, Cin, Cout] reaches kH kW Cout outputs.
    static int FanOut(Shape shape) => shape.Rank == 4 ? shape[0] * shape[1] * shape[3] : shape.Channels;
}
