using System.Text;

namespace QuadEngine.Tests.Formats;

/// <summary>Writes a zip with all sizes and offsets in the 64-bit fields, as in checkpoints larger than 4 GB.</summary>
static class ZipWriter
{
    public static byte[] Zip64(params (string Name, byte[] Data)[] entries)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        using var directory = new MemoryStream();
        using var central = new BinaryWriter(directory);
        foreach (var (name, data) in entries)
        {
            var bytes = Encoding.UTF8.GetBytes(name);
            var local = stream.Position;
            writer.Write(0x04034B50u);
            writer.Write(new byte[22]);                       // version to sizes: readers take them from the directory
            writer.Write((ushort)bytes.Length);
            writer.Write((ushort)5);                          // padding, because PyTorch aligns its storages
            writer.Write(bytes);
            writer.Write(new byte[5]);
            writer.Write(data);

            central.Write(0x02014B50u);
            central.Write(new byte[16]);                      // versions, flags, method 0, time, CRC
            central.Write(uint.MaxValue);
            central.Write(uint.MaxValue);
            central.Write((ushort)bytes.Length);
            central.Write((ushort)(6 + 28));
            central.Write(new byte[10]);                      // no comment, disk 0, attributes
            central.Write(uint.MaxValue);
            central.Write(bytes);
            central.Write([0x42, 0x46, 2, 0, 0, 0]);          // some other extra field first
            central.Write((ushort)1);
            central.Write((ushort)24);
            central.Write((long)data.Length);
            central.Write((long)data.Length);
            central.Write(local);
        }
        var (start, end) = (stream.Position, stream.Position + directory.Length);
        writer.Write(directory.ToArray());
        writer.Write(0x06064B50u);
        writer.Write(44L);
        writer.Write(new byte[12]);
        writer.Write((long)entries.Length);
        writer.Write((long)entries.Length);
        writer.Write(directory.Length);
        writer.Write(start);
        writer.Write(0x07064B50u);
        writer.Write(0u);
        writer.Write(end);
        writer.Write(1u);
        writer.Write(0x06054B50u);
        writer.Write(0u);
        writer.Write(ushort.MaxValue);
        writer.Write(ushort.MaxValue);
        writer.Write(uint.MaxValue);
        writer.Write(uint.MaxValue);
        writer.Write((ushort)0);
        return stream.ToArray();
    }
}
