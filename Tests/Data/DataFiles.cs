using System.Buffers.Binary;
using System.IO.Compression;
using QuadEngine.Data;

namespace QuadEngine.Tests.Data;

/// <summary>A temporary folder that is deleted at the end of the test, with made-up files of the formats, and the real files if there are any.</summary>
public sealed class DataFiles : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("quadengine-data-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public string Write(string name, byte[] content)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>The folder of real data sets. The test is ignored if there is no folder, or if this data set is missing from it.</summary>
    public static DatasetSplits LoadReal(string name)
    {
        var folder = Environment.GetEnvironmentVariable("QUADENGINE_DATA");
        if (string.IsNullOrEmpty(folder))
            Assert.Ignore($"QUADENGINE_DATA is not set: {name} itself is not tested.");

        if (Datasets.Get(name).FolderIn(folder) is null)
            Assert.Ignore($"QUADENGINE_DATA ({folder}) has no {name}: it is not tested.");

        return Datasets.Load(name, folder);
    }

    /// <summary>Bytes that differ from place to place and look like no pattern of the formats.</summary>
    public static byte[] Noise(int count, ulong seed = 1)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
            bytes[i] = (byte)Philox.At(seed, stream: 0, (ulong)i).X;
        return bytes;
    }

    public static byte[] Idx(byte dimensions, byte[] content, params int[] sizes)
    {
        var file = new byte[4 + 4 * sizes.Length + content.Length];
        file[2] = 8;
        file[3] = dimensions;
        for (var i = 0; i < sizes.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + 4 * i), sizes[i]);
        content.CopyTo(file, 4 + 4 * sizes.Length);
        return file;
    }

    public static byte[] Gzip(byte[] content)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Optimal))
            gzip.Write(content);
        return memory.ToArray();
    }

    /// <summary>A data set of noise, with labels 0, 1, 2, ...</summary>
    public static ImageDataset Images(int count, int height, int width, int channels, Normalization? normalization = null, int classes = 10) =>
        new("noise", Noise(count * height * width * channels), Enumerable.Range(0, count).Select(i => i % classes).ToArray(),
            [.. Enumerable.Range(0, classes).Select(c => $"class {c}")], height, width, channels, normalization);
}
