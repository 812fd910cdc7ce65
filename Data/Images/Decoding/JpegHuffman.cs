using System.Runtime.CompilerServices;

namespace QuadEngine.Data;

/// <summary>A Huffman code (T.81, annex C): codes of the same length are consecutive numbers, and longer ones follow shorter ones.</summary>
sealed class JpegHuffman
{
    public const int LongestCode = 16;

    // Nearly all codes of a file have at most 9 bits. Each has an entry, a symbol and a length, for all bits that may follow it.
    const int ShortBits = 9;

    readonly ushort[] shortCodes = new ushort[1 << ShortBits];
    readonly byte[] symbols;
    readonly int[] ends = new int[LongestCode + 1], firsts = new int[LongestCode + 1];

    /// <param name="counts">The number of codes of each length from 1 to 16 bits.</param>
    /// <param name="symbols">The symbols of all codes in order.</param>
    public JpegHuffman(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        this.symbols = symbols.ToArray();
        for (int length = 1, code = 0, index = 0; length <= LongestCode; length++, code <<= 1)
        {
            if (code + counts[length - 1] > 1 << length) throw new InvalidDataException("a Huffman table has more codes than are possible");
            firsts[length] = index - code;
            for (var i = 0; i < counts[length - 1]; i++, code++, index++)
                if (length <= ShortBits) shortCodes.AsSpan(code << (ShortBits - length), 1 << (ShortBits - length)).Fill((ushort)(symbols[index] << 8 | length));
            ends[length] = code << (LongestCode - length);
        }
    }

    /// <summary>Finds the code at the front of 16 bits. Returns its symbol and length; a length of 0 if there is no such code.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (byte Symbol, int Length) Find(int bits)
    {
        var entry = shortCodes[bits >> (LongestCode - ShortBits)];
        return entry != 0 ? ((byte)(entry >> 8), entry & 0xFF) : FindLong(bits);
    }

    (byte Symbol, int Length) FindLong(int bits)
    {
        for (var length = ShortBits + 1; length <= LongestCode; length++)
            if (bits < ends[length]) return (symbols[firsts[length] + (bits >> (LongestCode - length))], length);
        return (0, 0);
    }
}
