using QuadEngine.Models;

namespace QuadEngine.Cli.Export;

/// <summary>Tells the files that <c>quad export</c> wrote from other files. If the user named no file, only an earlier export is replaced.</summary>
static class EarlierExport
{
    const int Head = 64;

    // The first bytes of programs for Linux, Windows and macOS.
    static readonly byte[][] programs = [[0x7F, (byte)'E', (byte)'L', (byte)'F'], "MZ"u8.ToArray(), [0xCF, 0xFA, 0xED, 0xFE]];

    /// <summary>Whether a file is an export of a format. (Devices and pipes have no length, so they are not.)</summary>
    public static bool Is(string path, string format)
    {
        if (new FileInfo(path) is not { Exists: true, Length: > Head }) return false;
        switch (format)
        {
            case "onnx":
                return Begin(path).IndexOf("QuadEngine"u8) >= 0;      // the producer
            case "safetensors":
                return IsClassifier(path);
            default:
                return programs.Any(magic => Begin(path).StartsWith(magic)) && File.ReadAllBytes(path).AsSpan().IndexOf("quadengine.network"u8) >= 0;      // in the weights inside
        }
    }

    static ReadOnlySpan<byte> Begin(string path)
    {
        using var file = File.OpenRead(path);
        var bytes = new byte[Head];
        file.ReadExactly(bytes);
        return bytes;
    }

    // A checkpoint of a run has more metadata.
    static bool IsClassifier(string path)
    {
        try
        {
            using var file = SafeTensors.Open(path);
            return Classifier.Describes(file.Metadata) && file.Metadata.Count == 2;
        }
        catch (InvalidFileException)
        {
            return false;
        }
    }
}
