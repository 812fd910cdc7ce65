namespace QuadEngine.Gpu;

/// <summary>
/// How a GPU multiplies in matrix products and convolutions. Sums are always formed, and everything is stored, in float32; what differs is how the
/// factors are rounded. Products whose channels (rows, columns) four does not divide stay in float32.
/// </summary>
public enum Precision
{
    /// <summary>Multiply-adds in float32: relative error about 1e-6.</summary>
    Float32,

    /// <summary>Tensor cores, factors of 10 bits of mantissa: relative error about 1e-3.</summary>
    Tf32,

    /// <summary>Tensor cores, factors of 7 bits of mantissa: relative error about 1e-2.</summary>
    Bf16,
}
