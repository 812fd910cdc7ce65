using System.Globalization;
using System.IO.Compression;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace QuadEngine.Tests.Formats;

/// <summary>Makes checkpoints like torch.save, from pickled values that refer to storages by key.</summary>
static class TorchBytes
{
    static readonly BigInteger magic = BigInteger.Parse("01950a86a20f9469cfc6c", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    public static Persistent Storage(string key, string type, long count, string module = "torch") =>
        new(["storage", new Named(module, type), key, "cpu", count]);

    /// <summary>Makes the form of older versions, with a view of the storage, or None, at the end.</summary>
    public static Persistent ViewedStorage(string key, string type, long count, object?[]? view = null) =>
        new(["storage", new Named("torch", type), key, "cuda:0", count, view]);

    public static Call Tensor(Persistent storage, long offset, int[] size, int[] stride) =>
        new("torch._utils", "_rebuild_tensor_v2", storage, offset, Tuple(size), Tuple(stride), false, new Dict(ordered: true));

    public static object?[] Tuple(params int[] values) => [.. values.Select(v => (object)(long)v)];

    public static Dict StateDict(params (string Name, object? Value)[] items)
    {
        var dictionary = new Dict(ordered: true);
        dictionary.AddRange(items.Select(item => ((object)item.Name, item.Value)));
        return dictionary;
    }

    public static Dict Checkpoint(params (string Name, object? Value)[] items)
    {
        var dictionary = new Dict(ordered: false);
        dictionary.AddRange(items.Select(item => ((object)item.Name, item.Value)));
        return dictionary;
    }

    public static byte[] Bytes<T>(params T[] values) where T : unmanaged => MemoryMarshal.AsBytes<T>(values).ToArray();

    public static byte[] Zip(object? root, params (string Key, byte[] Data)[] storages) => Zip(PickleWriter.Pickle(root), "little", CompressionLevel.NoCompression, storages);

    public static byte[] Zip(byte[] pickle, string? byteOrder, CompressionLevel compression, params (string Key, byte[] Data)[] storages)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            void Add(string name, byte[] data)
            {
                using var entry = zip.CreateEntry("archive/" + name, compression).Open();
                entry.Write(data);
            }
            Add("data.pkl", pickle);
            if (byteOrder is not null)
                Add("byteorder", Encoding.ASCII.GetBytes(byteOrder));
            foreach (var (key, data) in storages)
                Add("data/" + key, data);
            Add("version", "3\n"u8.ToArray());
        }
        return stream.ToArray();
    }

    public static byte[] Legacy(object? root, params (string Key, long Count, byte[] Data)[] storages) => Legacy(root, 2, storages);

    public static byte[] Legacy(object? root, int protocol, params (string Key, long Count, byte[] Data)[] storages)
    {
        var system = Checkpoint(("protocol_version", 1001L), ("little_endian", true), ("type_sizes", Checkpoint(("int", 4L), ("long", 4L))));
        object?[] values = [magic, 1001L, system, root, storages.Select(s => (object?)s.Key).ToList()];
        return [.. values.SelectMany(value => PickleWriter.Pickle(value, protocol)), .. storages.SelectMany(s => BitConverter.GetBytes(s.Count).Concat(s.Data))];
    }
}
