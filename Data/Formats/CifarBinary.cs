namespace QuadEngine.Data.Formats;

/// <summary>
/// The binary version of CIFAR-10 and CIFAR-100 (Krizhevsky 2009): records of label bytes and 3 planes (R, G, B) of 32 x 32
/// bytes, with nothing between them. CIFAR-10 has one label byte. CIFAR-100 has a coarse label (20 super-classes), then the
/// fine label (100 classes), which is used here.
/// </summary>
public static class CifarBinary
{
    const int Side = 32, Plane = Side * Side, Coarse = 20;

    /// <summary>Reads RGB images [N, 32, 32, 3] from the records of all files, one file after the other.</summary>
    /// <param name="name">The name of the data set.</param>
    /// <param name="paths">The files.</param>
    /// <param name="classNames">The names of the classes.</param>
    /// <param name="labelBytes">The number of label bytes: 1 (CIFAR-10), or 2 for coarse label, then label (CIFAR-100).</param>
    /// <param name="recordsPerFile">The number of records that each file must have; null for any number.</param>
    /// <param name="normalization">The normalization from bytes to numbers; null to scale to [0, 1].</param>
    /// <exception cref="InvalidFileException">A file has a broken record, too few or too many records, or a label that is out of range.</exception>
    public static ImageDataset Read(
        string name, IReadOnlyList<string> paths, IReadOnlyList<string> classNames,
        int labelBytes = 1, int? recordsPerFile = null, Normalization? normalization = null)
    {
        Check.That(labelBytes is 1 or 2, nameof(CifarBinary), $"labelBytes is {labelBytes}, expected 1 (CIFAR-10) or 2 (CIFAR-100).");

        var counts = paths.Select(path => CountRecords(path, labelBytes, recordsPerFile)).ToArray();
        var images = counts.Sum(count => (long)count);
        if (images * 3 * Plane > Array.MaxLength) throw CheckedReader.Damage(paths[0], 0, $"this file and {paths.Count - 1} more files have {images:N0} records, more than fit in memory ({Array.MaxLength / (3 * Plane):N0})");
        var labels = new int[images];
        var pixels = new byte[images * 3 * Plane];
        for (int file = 0, first = 0; file < counts.Length; first += counts[file++])
            ReadRecords(paths[file], labelBytes, classNames.Count, labels.AsSpan(first, counts[file]), pixels.AsSpan(first * 3 * Plane));

        return new(name, pixels, labels, classNames, Side, Side, channels: 3, normalization);
    }

    static int CountRecords(string path, int labelBytes, int? expected)
    {
        var length = new FileInfo(path).Length;
        long record = labelBytes + 3 * Plane, records = length / record;
        if (expected is { } n && length != n * record)
            throw CheckedReader.Damage(path, Math.Min(length, n * record),
                $"it has {length:N0} bytes, expected {n * record:N0} ({n:N0} records of {record} bytes)");

        if (length != records * record)
            throw CheckedReader.Damage(path, records * record, $"its last record has {length - records * record} bytes, expected {record}");

        return checked((int)records);
    }

    static void ReadRecords(string path, int labelBytes, int classes, Span<int> labels, Span<byte> pixels)
    {
        using var reader = new CheckedReader(path);
        var record = new byte[labelBytes + 3 * Plane];
        for (var i = 0; i < labels.Length; i++)
        {
            var at = reader.Offset;
            reader.Read(record, $"record {i}");
            if (labelBytes == 2 && record[0] >= Coarse)
                throw reader.Damage(at, $"the coarse label of record {i} is {record[0]}, expected 0 to {Coarse - 1}");

            var label = record[labelBytes - 1];
            if (label >= classes)
                throw reader.Damage(at + labelBytes - 1, $"the label of record {i} is {label}, expected 0 to {classes - 1}");

            labels[i] = label;
            ToChannelsLast(record.AsSpan(labelBytes), pixels.Slice(i * 3 * Plane, 3 * Plane));
        }
    }

    static void ToChannelsLast(ReadOnlySpan<byte> planes, Span<byte> image)
    {
        ReadOnlySpan<byte> red = planes[..Plane], green = planes.Slice(Plane, Plane), blue = planes.Slice(2 * Plane, Plane);
        for (int p = 0, to = 0; p < Plane; p++, to += 3)
        {
            image[to] = red[p];
            image[to + 1] = green[p];
            image[to + 2] = blue[p];
        }
    }
}
