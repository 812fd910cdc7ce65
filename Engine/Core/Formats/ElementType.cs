namespace QuadEngine;

/// <summary>
/// The type of one stored element of a tensor: the data types of the safetensors format, under its names. All are little-endian.
/// The engine computes in float32 and converts when it reads.
/// </summary>
public enum ElementType
{
    /// <summary>One byte, 0 or 1.</summary>
    BOOL,
    /// <summary>4-bit float, 2 exponent and 1 mantissa bits (OCP MX), two per byte, the low bits first.</summary>
    F4,
    /// <summary>6-bit float, 2 exponent and 3 mantissa bits (OCP MX), four in three bytes, the low bits first.</summary>
    F6_E2M3,
    /// <summary>6-bit float, 3 exponent and 2 mantissa bits (OCP MX), four in three bytes, the low bits first.</summary>
    F6_E3M2,
    /// <summary>Unsigned 8-bit integer.</summary>
    U8,
    /// <summary>Signed 8-bit integer.</summary>
    I8,
    /// <summary>8-bit float, 5 exponent and 2 mantissa bits, with infinities (Micikevicius et al., arXiv 2209.05433).</summary>
    F8_E5M2,
    /// <summary>8-bit float, 4 exponent and 3 mantissa bits, no infinities (Micikevicius et al., arXiv 2209.05433).</summary>
    F8_E4M3,
    /// <summary>8-bit power of two, the scale of OCP MX blocks.</summary>
    F8_E8M0,
    /// <summary>8-bit float, 4 exponent and 3 mantissa bits, bias 8, no infinities, no negative zero (Noune et al., arXiv 2206.02915).</summary>
    F8_E4M3FNUZ,
    /// <summary>8-bit float, 5 exponent and 2 mantissa bits, bias 16, no infinities, no negative zero (Noune et al., arXiv 2206.02915).</summary>
    F8_E5M2FNUZ,
    /// <summary>Signed 16-bit integer.</summary>
    I16,
    /// <summary>Unsigned 16-bit integer.</summary>
    U16,
    /// <summary>IEEE half precision.</summary>
    F16,
    /// <summary>The upper half of a float32.</summary>
    BF16,
    /// <summary>Signed 32-bit integer.</summary>
    I32,
    /// <summary>Unsigned 32-bit integer.</summary>
    U32,
    /// <summary>IEEE single precision.</summary>
    F32,
    /// <summary>A complex number of two float32; read as a tensor with a last axis of 2 (real, imaginary).</summary>
    C64,
    /// <summary>IEEE double precision.</summary>
    F64,
    /// <summary>Signed 64-bit integer.</summary>
    I64,
    /// <summary>Unsigned 64-bit integer.</summary>
    U64,
}
