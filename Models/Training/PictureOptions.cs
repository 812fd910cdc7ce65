using System.Text.Json.Serialization;
using QuadEngine.Data;

namespace QuadEngine.Models;

/// <summary>How a folder of pictures is made a data set, and how the same one is known again.</summary>
public sealed record PictureOptions
{
    /// <summary>Height and width to which pictures are cut and resized.</summary>
    public int Size { get; init; } = InputForm.Small.LargestSide;

    /// <summary>1 for grey, 3 for colours.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>The share of each class that is held out where the folder has no val or test part.</summary>
    public float TestShare { get; init; } = FolderSplits.DefaultTestShare;

    /// <summary>Of what is held out.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary><see cref="FolderSplits.Fingerprint"/>, by which a run that goes on knows that the pictures are the same; null for not asking.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>The most bytes that the pictures may take in memory; more are read from their files again and again. Changes no bit.</summary>
    [JsonIgnore]
    public long HeldBytes { get; init; } = Math.Min(int.MaxValue / 2, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>What suits the pictures of a folder: their size, at most the largest that the network is made for; grey where all of them are.</summary>
    /// <exception cref="InvalidFileException">Files are no pictures; the message names them.</exception>
    internal static PictureOptions For(FolderSplits splits, Selection model)
    {
        var survey = splits.Survey();
        return new() { Size = Math.Min(survey.MedianSide, Networks.Registry.Get(model).Input.LargestSide), Channels = survey.Channels, Fingerprint = splits.Fingerprint };
    }

    /// <summary>[H, W, C] of the pictures as a network sees them.</summary>
    [JsonIgnore]
    public Shape ImageShape => [Size, Size, Channels];

    /// <summary>The two parts of a folder.</summary>
    /// <param name="folder">One with parts, or one of classes: see <see cref="FolderSplits"/>.</param>
    /// <exception cref="DirectoryNotFoundException">The folder is not there.</exception>
    /// <exception cref="ArgumentException">It cannot be learned from; the message says why.</exception>
    /// <exception cref="InvalidOperationException">Its files are not those of the <see cref="Fingerprint"/>.</exception>
    public FolderSplits Split(string folder)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"the pictures were in {folder}, which is not there any more; put them back.");
        var splits = FolderSplits.Open(folder, TestShare, Seed);
        if (Fingerprint is { } expected && splits.Fingerprint != expected)
            throw new InvalidOperationException($"the pictures in {folder} are not those that the run began with: files were added, taken out, renamed or changed since "
                + $"(now {splits.Train.Count:N0} to learn from and {splits.Test.Count:N0} to judge by). Put the folder back as it was, or start a new run; trained weights can be judged by another folder.");
        return splits;
    }

    /// <summary>The images of a folder as a network sees them: the middle of each, cut square. In memory where they fit.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="images">What a network was trained on: how much of a picture it saw, and how bytes became numbers; the usual where it is left out.</param>
    public LabeledImages Open(ImageFolder folder, ImageDescription? images = null)
    {
        var framing = new CenterFraming(images?.Share ?? 1f);
        var normalization = images is null ? null : new Normalization([.. images.Mean], [.. images.Std]);
        return (long)folder.Count * ImageShape.Elements <= HeldBytes ? folder.ToDataset(ImageShape, framing, normalization) : folder.Stream(ImageShape, framing, normalization);
    }
}
