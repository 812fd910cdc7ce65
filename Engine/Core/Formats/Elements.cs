using System.Numerics;
using System.Runtime.InteropServices;

namespace QuadEngine;

/// <summary>Converts stored elements to float32. Integers and doubles are rounded to nearest; every narrower float is represented exactly.</summary>
internal static class Elements
{
    // A piece has a whole number of bytes in every type. Tensors beyond 2 GiB are converted piece by piece.
    const int ChunkElements = 1 << 20;

    public static int Bits(this ElementType type) => type switch
    {
        ElementType.F4 => 4,
        ElementType.F6_E2M3 or ElementType.F6_E3M2 => 6,
        ElementType.I16 or ElementType.U16 or ElementType.F16 or ElementType.BF16 => 16,
        ElementType.I32 or ElementType.U32 or ElementType.F32 => 32,
        ElementType.C64 or ElementType.F64 or ElementType.I64 or ElementType.U64 => 64,
        _ => 8,
    };

    /// <summary>Reads <paramref name="count"/> elements that start at a byte of a file.</summary>
    public static float[] Read(MappedFile file, long offset, ElementType type, int count)
    {
        var bits = type.Bits();
        // The file is checked first, so that nothing is allocated for elements that the file does not have.
        file.Require(offset, ((long)count * bits + 7) / 8);
        var values = new float[count];
        for (var start = 0; start < count; start += ChunkElements)
        {
            var n = Math.Min(ChunkElements, count - start);
            var bytes = file.Slice(offset + (long)start * bits / 8, (n * bits + 7) / 8);
            ToFloat32(type, bytes, values.AsSpan(start, n));
        }
        return values;
    }

    public static void ToFloat32(ElementType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        switch (type)
        {
            case ElementType.F32: MemoryMarshal.Cast<byte, float>(source).CopyTo(destination); break;
            case ElementType.F64: Convert<double>(source, destination); break;
            case ElementType.F16: Convert<Half>(source, destination); break;
            case ElementType.I64: Convert<long>(source, destination); break;
            case ElementType.I32: Convert<int>(source, destination); break;
            case ElementType.I16: Convert<short>(source, destination); break;
            case ElementType.I8: Convert<sbyte>(source, destination); break;
            case ElementType.U64: Convert<ulong>(source, destination); break;
            case ElementType.U32: Convert<uint>(source, destination); break;
            case ElementType.U16: Convert<ushort>(source, destination); break;
            case ElementType.U8: Convert<byte>(source, destination); break;
            case ElementType.BF16: ConvertBFloat16(source, destination); break;
            case ElementType.C64: throw new ArgumentException("Elements: a complex number is not a float32; read it as two F32.", nameof(type));
            default: ConvertByTable(type, source, destination); break;
        }
    }

    static void Convert<T>(ReadOnlySpan<byte> source, Span<float> destination) where T : unmanaged, INumberBase<T>
    {
        var values = MemoryMarshal.Cast<byte, T>(source);
        for (var i = 0; i < destination.Length; i++)
            destination[i] = float.CreateTruncating(values[i]);
    }

    static void ConvertBFloat16(ReadOnlySpan<byte> source, Span<float> destination)
    {
        var values = MemoryMarshal.Cast<byte, ushort>(source);
        for (var i = 0; i < destination.Length; i++)
            destination[i] = BitConverter.UInt32BitsToSingle((uint)values[i] << 16);
    }

    // For types of at most 8 bits: a table has the values of all codes. Codes are packed from the low bits upwards.
    static void ConvertByTable(ElementType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        var bits = type.Bits();
        Span<float> table = stackalloc float[1 << bits];
        for (var code = 0; code < table.Length; code++)
            table[code] = Decode(type, code);

        for (var i = 0; i < destination.Length; i++)
        {
            var bit = i * bits;
            var at = bit / 8;
            var window = source[at] | (at + 1 < source.Length ? source[at + 1] << 8 : 0);
            destination[i] = table[(window >> (bit % 8)) & (table.Length - 1)];
        }
    }

    static float Decode(ElementType type, int code) => type switch
    {
        ElementType.BOOL => code == 0 ? 0f : 1f,
        ElementType.F4 => Minifloat(code, exponentBits: 2, mantissaBits: 1, bias: 1),
        ElementType.F6_E2M3 => Minifloat(code, exponentBits: 2, mantissaBits: 3, bias: 1),
        ElementType.F6_E3M2 => Minifloat(code, exponentBits: 3, mantissaBits: 2, bias: 3),
        ElementType.F8_E5M2 when (code & 0x7F) == 0x7C => code == 0x7C ? float.PositiveInfinity : float.NegativeInfinity,
        ElementType.F8_E5M2 when (code & 0x7F) > 0x7C => float.NaN,
        ElementType.F8_E5M2 => Minifloat(code, exponentBits: 5, mantissaBits: 2, bias: 15),
        ElementType.F8_E4M3 when (code & 0x7F) == 0x7F => float.NaN,
        ElementType.F8_E4M3 => Minifloat(code, exponentBits: 4, mantissaBits: 3, bias: 7),
        ElementType.F8_E4M3FNUZ or ElementType.F8_E5M2FNUZ when code == 0x80 => float.NaN,
        ElementType.F8_E4M3FNUZ => Minifloat(code, exponentBits: 4, mantissaBits: 3, bias: 8),
        ElementType.F8_E5M2FNUZ => Minifloat(code, exponentBits: 5, mantissaBits: 2, bias: 16),
        ElementType.F8_E8M0 => code == 0xFF ? float.NaN : MathF.ScaleB(1f, code - 127),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Elements: not a type of at most 8 bits."),
    };

    // (-1)^sign * 1.mantissa * 2^(exponent - bias), or 0.mantissa * 2^(1 - bias) if the exponent is 0.
    static float Minifloat(int code, int exponentBits, int mantissaBits, int bias)
    {
        var mantissa = code & ((1 << mantissaBits) - 1);
        var exponent = (code >> mantissaBits) & ((1 << exponentBits) - 1);
        var magnitude = exponent == 0
            ? MathF.ScaleB(mantissa, 1 - bias - mantissaBits)
            : MathF.ScaleB((1 << mantissaBits) + mantissa, exponent - bias - mantissaBits);
        return code >> (exponentBits + mantissaBits) == 0 ? magnitude : -magnitude;
    }
}
