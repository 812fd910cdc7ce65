using System.Buffers.Binary;

namespace QuadEngine;

/// <summary>The checksum of zip entries (ISO 3309, polynomial 0xEDB88320), eight bytes at a time.</summary>
internal static class Crc32
{
    const uint Polynomial = 0xEDB88320;
    const int Lanes = 8;

    // Row k: the checksum of a byte that k further bytes follow.
    static readonly uint[][] tables = Tables();

    /// <summary>Goes on with a checksum, which starts as 0.</summary>
    public static uint Append(uint checksum, ReadOnlySpan<byte> bytes)
    {
        var crc = ~checksum;
        for (; bytes.Length >= Lanes; bytes = bytes[Lanes..])
        {
            var low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ crc;
            var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^ tables[4][low >> 24]
                ^ tables[3][high & 0xFF] ^ tables[2][high >> 8 & 0xFF] ^ tables[1][high >> 16 & 0xFF] ^ tables[0][high >> 24];
        }

        foreach (var value in bytes) crc = tables[0][(crc ^ value) & 0xFF] ^ crc >> 8;
        return ~crc;
    }

    static uint[][] Tables()
    {
        var rows = new uint[Lanes][];
        rows[0] = [.. Enumerable.Range(0, 256).Select(value =>
        {
            var crc = (uint)value;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : crc >> 1 ^ Polynomial;
            return crc;
        })];
        for (var row = 1; row < Lanes; row++) rows[row] = [.. rows[row - 1].Select(crc => crc >> 8 ^ rows[0][crc & 0xFF])];
        return rows;
    }
}
