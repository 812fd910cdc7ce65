using System.Buffers.Binary;

namespace QuadEngine.Tests.Formats;

public class ElementTypeTests
{
    const float NaN = float.NaN, Inf = float.PositiveInfinity;

    static IEnumerable<TestCaseData> Examples()
    {
        static TestCaseData Case(ElementType type, byte[] bytes, params float[] values) =>
            new TestCaseData(type, bytes, values).SetArgDisplayNames(type.ToString());

        yield return Case(ElementType.BOOL, [0, 1, 255], 0, 1, 1);
        yield return Case(ElementType.U8, [0, 127, 255], 0, 127, 255);
        yield return Case(ElementType.I8, [0, 127, 128, 255], 0, 127, -128, -1);
        yield return Case(ElementType.U16, [0xFF, 0xFF, 1, 2], 65535, 513);
        yield return Case(ElementType.I16, [0xFF, 0xFF, 0, 0x80], -1, -32768);
        yield return Case(ElementType.U32, Bytes(uint.MaxValue, 16_777_217), 4294967296f, 16_777_216);
        yield return Case(ElementType.I32, Bytes(unchecked((uint)-5), 0x80000000), -5, -2147483648f);
        yield return Case(ElementType.U64, Bytes(ulong.MaxValue, 3), 18446744073709551616f, 3);
        yield return Case(ElementType.I64, Bytes(unchecked((ulong)-7), 1UL << 63), -7, -9223372036854775808f);
        yield return Case(ElementType.F64, Bytes(BitConverter.DoubleToUInt64Bits(1e300), BitConverter.DoubleToUInt64Bits(-0.1)), Inf, -0.1f);
        yield return Case(ElementType.F32, Bytes(0x3FC00000, 0x00000001), 1.5f, float.Epsilon);
        yield return Case(ElementType.F16, [0x00, 0x3E, 0xFF, 0xFB, 0x01, 0x00, 0x00, 0x7C], 1.5f, -65504, 5.9604645E-08f, Inf);
        yield return Case(ElementType.BF16, [0xC0, 0x3F, 0x80, 0xFF, 0xC0, 0x7F], 1.5f, -Inf, NaN);
        // The extremes that arXiv 2209.05433 tables for E4M3 (448, 2^-6, 2^-9) and E5M2 (57344, 2^-14, 2^-16).
        yield return Case(ElementType.F8_E4M3, [0x7E, 0x08, 0x01, 0xFE, 0x38, 0x80, 0x7F, 0xFF], 448, 0.015625f, 0.001953125f, -448, 1, -0f, NaN, NaN);
        yield return Case(ElementType.F8_E5M2, [0x7B, 0x04, 0x01, 0x3C, 0x7C, 0xFC, 0x7D, 0xFF], 57344, 6.1035156E-05f, 1.5258789E-05f, 1, Inf, -Inf, NaN, NaN);
        // The exponents are one lower than above, and 0x80 is the only NaN: maxima 240 and 57344 (arXiv 2206.02915).
        yield return Case(ElementType.F8_E4M3FNUZ, [0x7F, 0x40, 0x01, 0x80, 0xFF], 240, 1, 0.0009765625f, NaN, -240);
        yield return Case(ElementType.F8_E5M2FNUZ, [0x7F, 0x40, 0x01, 0x80, 0xFF], 57344, 1, 7.6293945E-06f, NaN, -57344);
        yield return Case(ElementType.F8_E8M0, [0x00, 0x7F, 0x80, 0xFE, 0xFF], 5.877472E-39f, 1, 2, 1.7014118E+38f, NaN);
        yield return Case(ElementType.F4, [0x10, 0x32, 0x54, 0x76, 0xF9], 0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.5f, -6);
        // Codes 1, 31 (largest), 8 (one), 63 (lowest) from the low bits of three bytes.
        yield return Case(ElementType.F6_E2M3, PackSix(1, 31, 8, 63), 0.125f, 7.5f, 1, -7.5f);
        yield return Case(ElementType.F6_E3M2, PackSix(1, 31, 12, 63), 0.0625f, 28, 1, -28);
        yield return Case(ElementType.C64, Bytes(0x3FC00000, 0xBF800000), 1.5f, -1);
    }

    [TestCaseSource(nameof(Examples))]
    public void Every_type_is_read_as_float32(ElementType type, byte[] bytes, float[] expected)
    {
        using var files = new FormatFiles();
        var count = type == ElementType.C64 ? expected.Length / 2 : expected.Length;
        var path = files.Write("type.safetensors",
            SafeTensorsBytes.File($"{{{SafeTensorsBytes.Entry("x", type.ToString(), $"[{count}]", 0, bytes.Length)}}}", bytes));

        using var file = SafeTensors.Open(path);
        var tensor = file.Read("x");

        Assert.That(tensor.Values.Select(BitsOf), Is.EqualTo(expected.Select(BitsOf)));
        Assert.That(tensor.Shape, Is.EqualTo(type == ElementType.C64 ? [1, 2] : new[] { count }));
    }

    [Test]
    public void Every_type_has_an_example() =>
        Assert.That(Examples().Select(c => (ElementType)c.Arguments[0]!), Is.EquivalentTo(Enum.GetValues<ElementType>()));

    [Test]
    public void Conversion_in_pieces_joins_them_seamlessly([Values(ElementType.F6_E2M3, ElementType.U8, ElementType.F16)] ElementType type)
    {
        const int Count = (1 << 20) + 1000;      // more than one piece
        var bytes = new byte[Count * type.Bits() / 8];
        var random = new SplitMix64(3);
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)random.Next();
        var whole = new float[Count];
        Elements.ToFloat32(type, bytes, whole);

        using var files = new FormatFiles();
        using var file = new MappedFile(files.Write("pieces.bin", [1, 2, 3, .. bytes]));

        Assert.That(Elements.Read(file, 3, type, Count).Select(BitsOf), Is.EqualTo(whole.Select(BitsOf)));
    }

    // All NaNs count as equal, because the payload after a conversion depends on the hardware.
    static uint BitsOf(float value) => float.IsNaN(value) ? 0x7FC00000 : BitConverter.SingleToUInt32Bits(value);

    static byte[] Bytes(params uint[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    static byte[] Bytes(params ulong[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    static byte[] PackSix(int a, int b, int c, int d)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, a | b << 6 | c << 12 | d << 18);
        return bytes[..3];
    }
}
