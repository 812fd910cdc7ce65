using System.Globalization;

namespace QuadEngine.Tests.Images;

/// <summary>A small image file, with the size and the checksum of the RGB pixels that Pillow (with libjpeg-turbo) reads from it. make-reference-pictures.py makes them.</summary>
public sealed record ReferencePicture(string Name, int Width, int Height, uint Checksum, byte[] File)
{
    public static ReferencePicture[] All { get; } = Read();

    public static ReferencePicture Get(string name) => All.Single(picture => picture.Name == name);

    public override string ToString() => Name;

    static ReferencePicture[] Read()
    {
        using var reader = new StreamReader(typeof(ReferencePicture).Assembly.GetManifestResourceStream("reference-pictures.txt")!);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).Select(fields => new ReferencePicture(
            fields[0], int.Parse(fields[1], CultureInfo.InvariantCulture), int.Parse(fields[2], CultureInfo.InvariantCulture),
            uint.Parse(fields[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture), Convert.FromBase64String(fields[4])))];
    }
}
