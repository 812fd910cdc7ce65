namespace QuadEngine.Data.Formats;

/// <summary>
/// The IDX format of MNIST (LeCun, Cortes and Burges): a magic number 0x00000D0n (08 = unsigned byte, n = number of
/// dimensions), n sizes (both as 32-bit big-endian integers), then the bytes, row-major. Files are plain or gzip.
/// </summary>
public static class Idx
{
    const uint ImagesMagic = 0x00000803, LabelsMagic = 0x00000801;

    /// <summary>Reads gray images [N, H, W, 1] from an IDX file of images and an IDX file of labels.</summary>
    /// <param name="name">The name of the data set.</param>
    /// <param name="imagesPath">An IDX file of bytes with 3 dimensions.</param>
    /// <param name="labelsPath">An IDX file of bytes with 1 dimension of the same size.</param>
    /// <param name="classNames">The names of the classes.</param>
    /// <param name="normalization">The normalization from bytes to numbers; null to scale to [0, 1].</param>
    /// <exception cref="InvalidFileException">A magic number, count, size or label is wrong.</exception>
    public static ImageDataset Read(
        string name, string imagesPath, string labelsPath, IReadOnlyList<string> classNames, Normalization? normalization = null)
    {
        var (pixels, count, height, width) = ReadImages(imagesPath);
        var labels = ReadLabels(labelsPath, count, classNames.Count);
        return new(name, pixels, labels, classNames, height, width, channels: 1, normalization);
    }

    static (byte[] Pixels, int Count, int Height, int Width) ReadImages(string path)
    {
        using var reader = new CheckedReader(path);
        ExpectMagic(reader, ImagesMagic, "an IDX file of images");
        var count = Size(reader, "number of images", 0, int.MaxValue);
        var height = Size(reader, "height", 1, ushort.MaxValue);
        var width = Size(reader, "width", 1, ushort.MaxValue);
        var pixels = reader.ReadBytes((long)count * height * width, "pixels");
        reader.ExpectEnd();
        return (pixels, count, height, width);
    }

    static int[] ReadLabels(string path, int images, int classes)
    {
        using var reader = new CheckedReader(path);
        ExpectMagic(reader, LabelsMagic, "an IDX file of labels");
        Size(reader, "number of labels (one for each image)", images, images);

        var start = reader.Offset;
        var bytes = reader.ReadBytes(images, "labels");
        reader.ExpectEnd();

        var labels = new int[images];
        for (var i = 0; i < images; i++)
            labels[i] = bytes[i] < classes
                ? bytes[i]
                : throw reader.Damage(start + i, $"label {i} is {bytes[i]}, expected 0 to {classes - 1}");
        return labels;
    }

    static void ExpectMagic(CheckedReader reader, uint expected, string kind)
    {
        var got = reader.ReadUInt32BigEndian("magic number");
        if (got != expected)
            throw reader.Damage(0, $"its magic number is 0x{got:X8}, expected 0x{expected:X8} for {kind}");
    }

    static int Size(CheckedReader reader, string what, int min, int max)
    {
        var at = reader.Offset;
        var got = reader.ReadUInt32BigEndian(what);
        if (got < min || got > max)
            throw reader.Damage(at, $"the {what} is {got}, expected {(min == max ? $"{min}" : $"{min} to {max}")}");
        return (int)got;
    }
}
