using System.Buffers.Binary;
using System.Text;

namespace QuadEngine.Tests.Formats;

/// <summary>Makes safetensors files by hand, valid or not.</summary>
static class SafeTensorsBytes
{
    public static byte[] File(string header, params byte[] data) => File((ulong)Encoding.UTF8.GetByteCount(header), header, data);

    public static byte[] File(ulong headerLength, string header, params byte[] data)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, headerLength);
        return [.. length, .. Encoding.UTF8.GetBytes(header), .. data];
    }

    public static string Entry(string name, string type, string shape, long start, long end) =>
        $"\"{name}\":{{\"dtype\":\"{type}\",\"shape\":{shape},\"data_offsets\":[{start},{end}]}}";
}
