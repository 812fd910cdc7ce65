using System.Text.Json.Serialization;
using QuadEngine.Data;

namespace QuadEngine.Models;

/// <summary>Options for making a data set from a folder of pictures, and for recognizing the same folder again.</summary>
public sealed record PictureOptions
{
    /// <summary>The height and width to which pictures are cut and resized.</summary>
    public int Size { get; init; } = InputForm.Small.LargestSide;

    /// <summary>The number of channels: 1 for gray, 3 for color.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>The share of each class that is held out for the evaluation if the folder has no val or test part.</summary>
    public float TestShare { get; init; } = FolderSplits.DefaultTestShare;

    /// <summary>The seed that decides which pictures are held out.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The <see cref="FolderSplits.Fingerprint"/> by which a resumed run checks that the pictures are the same; null for no check.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>The most bytes that the pictures may take in memory. If they need more, they are read from their files in each epoch. It changes no bit of the run.</summary>
    [JsonIgnore]
    public long HeldBytes { get; init; } = Math.Min(int.MaxValue / 2, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>Returns the options that suit the pictures of a folder: their size, at most the largest size that the network is made for, and gray if all pictures are gray.</summary>
    /// <exception cref="InvalidFileException">Some files are not pictures; the message names them.</exception>
    internal static PictureOptions For(FolderSplits splits, Selection model)
    {
        var survey = splits.Survey();
        return new() { Size = Math.Min(survey.MedianSide, Networks.Registry.Get(model).Input.LargestSide), Channels = survey.Channels, Fingerprint = splits.Fingerprint };
    }

    /// <summary>The shape [H, W, C] of a picture as the network sees it.</summary>
    [JsonIgnore]
    public Shape ImageShape => [Size, Size, Channels];

    /// <summary>Returns the training and the test part of a folder.</summary>
    /// <param name="folder">A folder with parts, or a folder with classes: see <see cref="FolderSplits"/>.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="ArgumentException">The folder is not suitable for training; the message says why.</exception>
    /// <exception cref="InvalidOperationException">The files do not match the <see cref="Fingerprint"/>.</exception>
    public FolderSplits Split(string folder)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"the pictures were in {folder}, which no longer exists; put them back.");
        var splits = FolderSplits.Open(folder, TestShare, Seed);
        if (Fingerprint is { } expected && splits.Fingerprint != expected)
            throw new InvalidOperationException($"the pictures in {folder} are not those that the run started with: files were added, removed, renamed or changed since then "
                + $"(now {splits.Train.Count:N0} for training and {splits.Test.Count:N0} for the evaluation). Restore the folder, or start a new run; trained weights can be evaluated on another folder.");
        return splits;
    }

    /// <summary>Returns the images of a folder as a network sees them: the middle of each, cut square. They are in memory if they fit.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="images">The description of the images that the network was trained on: the part that it saw, and the normalization. Null for the usual values.</param>
    public LabeledImages Open(ImageFolder folder, ImageDescription? images = null)
    {
        var framing = new CenterFraming(images?.Share ?? 1f);
        var normalization = images is null ? null : new Normalization([.. images.Mean], [.. images.Std]);
        return (long)folder.Count * ImageShape.Elements <= HeldBytes ? folder.ToDataset(ImageShape, framing, normalization) : folder.Stream(ImageShape, framing, normalization);
    }
}
