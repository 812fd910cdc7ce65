namespace QuadEngine.Gpu;

/// <summary>
/// How a GPU multiplies in matrix products and convolutions. Sums and stored values are always float32. The precision decides how the
/// factors are rounded. A product stays in float32 if four does not divide its channels (rows, columns).
/// </summary>
public enum Precision
{
    /// <summary>Multiply-adds in float32: relative error about 1e-6.</summary>
    Float32,

    /// <summary>Tensor cores, factors with 10 bits of mantissa: relative error about 1e-3.</summary>
    Tf32,

    /// <summary>Tensor cores, factors with 7 bits of mantissa: relative error about 1e-2.</summary>
    Bf16,
}
