using QuadEngine.Data;
using StbImageWriteSharp;

namespace QuadEngine.Tests.Images;

/// <summary>A folder of image files, which Dispose deletes.</summary>
sealed class ImageFiles : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("quadengine-images-").FullName;

    /// <summary>Makes an image in which every pixel differs from its neighbors, smooth enough for JPEG.</summary>
    public static Picture Waves(int height, int width, int channels = 3, int seed = 0) => new(height, width, channels,
        [.. Enumerable.Range(0, height * width * channels).Select(i =>
        {
            var (h, w, c) = (i / channels / width, i / channels % width, i % channels);
            return (byte)(128 + 100 * MathF.Sin(0.11f * (h + seed) + 0.07f * w + 2f * c));
        })]);

    public string Write(string name, Picture picture)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var stream = File.Create(path);
        var components = picture.Channels == 1 ? ColorComponents.Grey : ColorComponents.RedGreenBlue;
        if (name.EndsWith(".png", StringComparison.Ordinal)) new ImageWriter().WritePng(picture.Pixels, picture.Width, picture.Height, components, stream);
        else new ImageWriter().WriteJpg(picture.Pixels, picture.Width, picture.Height, components, stream, quality: 95);
        return path;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
