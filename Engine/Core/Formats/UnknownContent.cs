using System.Text;

namespace QuadEngine;

/// <summary>Recognizes by its first bytes a file that holds no weights, e.g. a web page that was downloaded instead of the file.</summary>
internal static class UnknownContent
{
    const int Shown = 60, Looked = 512;

    /// <summary>The problem and its fix, for an <see cref="InvalidFileException"/>; null if the content is not recognized.</summary>
    public static (string Problem, string Fix)? Of(MappedFile file)
    {
        var start = file.Slice(0, (int)Math.Min(file.Length, Looked));
        if (start.StartsWith("version https://git-lfs"u8))
            return ("this is a Git LFS pointer, a short text in place of the file", "Run `git lfs pull` where it came from, or download the file itself.");
        if (start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B])) return ("it is compressed with gzip", "Unpack it first (`gunzip`).");
        if (!IsText(start)) return null;

        var text = Encoding.UTF8.GetString(start).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        var quoted = $"\"{(text.Length > Shown ? text[..Shown] + "..." : text).ReplaceLineEndings(" ").TrimEnd()}\"";
        if (text.StartsWith('<')) return ($"this is a web page or XML, not weights ({quoted})", "It was downloaded instead of the file: open the page, answer what it asks, and download the file itself.");
        if (text.StartsWith('{') && text.Contains("weight_map", StringComparison.Ordinal))
            return ("this is the index of weights that are split over several files", "Join the parts into one file first.");
        return ($"this is text of {file.Length} bytes, not weights ({quoted})", "Pass a file of weights: safetensors, or a PyTorch checkpoint written by torch.save.");
    }

    // The last character may be incomplete.
    static bool IsText(ReadOnlySpan<byte> start)
    {
        if (start.Length < 8 || start.IndexOfAnyInRange((byte)0, (byte)8) >= 0 || start.IndexOfAnyInRange((byte)14, (byte)31) >= 0) return false;
        try
        {
            new UTF8Encoding(false, throwOnInvalidBytes: true).GetDecoder().GetCharCount(start, flush: false);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
