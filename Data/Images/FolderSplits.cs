using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace QuadEngine.Data;

/// <summary>
/// A folder of pictures in two parts. Either it has them itself, FOLDER/train/cat/1.jpg and FOLDER/val/cat/2.jpg (or test; training, testing, valid,
/// validation, dev, in any case), or it is one folder of classes, FOLDER/cat/1.jpg, and a share of each class is held out: which pictures, the seed and their names alone decide.
/// </summary>
/// <param name="Train">Images to learn from.</param>
/// <param name="Test">Images to judge by.</param>
/// <param name="TestFolder">The name of the folder that Test is; null where it was held out.</param>
public sealed record FolderSplits(ImageFolder Train, ImageFolder Test, string? TestFolder)
{
    /// <summary>Of each class, where the folder has no part to judge by.</summary>
    public const float DefaultTestShare = 0.2f;

    /// <summary>Names and sizes of all files in few letters: another, and it is another data set.</summary>
    public string Fingerprint { get; } = FingerprintOf(Train, Test);

    /// <summary>Lists a folder to train on.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="testShare">The share of each class that is held out where the folder has no part to judge by.</param>
    /// <param name="seed">Of what is held out.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="ArgumentException">There are no classes or only one, one is without pictures, the parts have other classes or the same pictures, or a folder beside them would be left out.</exception>
    public static FolderSplits Open(string folder, float testShare = DefaultTestShare, ulong seed = 1)
    {
        Check.That(testShare is > 0f and < 1f, nameof(FolderSplits), $"{nameof(testShare)} is {testShare}, expected a number between 0 and 1.");
        var parts = FolderParts.Of(folder);
        var part = parts.Val ?? parts.Test;
        Check.That(parts.Train is not null || part is null, nameof(FolderSplits), $"{folder} has {string.Join(" and ", new[] { parts.Val, parts.Test }.OfType<string>().Select(Path.GetFileName))} but no part to learn from; put its classes into {Path.Combine(folder, "train")}.");
        var images = ImageFolder.Open(parts.Train ?? folder);
        Check.That(images.ClassNames.Count > 1, nameof(FolderSplits), $"{images.Folder} has one class only ({images.ClassNames[0]}); a network learns to tell at least two apart, a folder for each.");
        var empty = images.ClassNames.Where((_, label) => !images.Labels.Contains(label)).ToArray();
        Check.That(empty.Length == 0, nameof(FolderSplits), $"{images.Folder} has no pictures ({string.Join(", ", Picture.Extensions)}) in {ImageFolder.Listed(empty)}; put some there, or take the folder out.");

        return part is null ? HoldOut(images, testShare, seed) : Apart(images, ImageFolder.Open(part, images.ClassNames), Path.GetFileName(part));
    }

    /// <summary>The folder of classes that networks are judged by in the end: the test part, else the val part of a folder; null where it has neither.</summary>
    /// <param name="folder">A folder with parts, or a folder of classes.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="ArgumentException">Folders beside its parts would be left out, or it has a part twice.</exception>
    public static string? TestPart(string folder) => FolderParts.Of(folder) is var parts ? parts.Test ?? parts.Val : null;

    /// <summary>The folder of classes that networks learn from: the train part of a folder, or the folder itself.</summary>
    /// <param name="folder">A folder with parts, or a folder of classes.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="ArgumentException">Folders beside its parts would be left out, or it has a part twice.</exception>
    public static string TrainPart(string folder) => FolderParts.Of(folder).Train ?? folder;

    /// <summary>What is known of the images to learn from by the heads of their files. Those to judge by are looked into as well.</summary>
    /// <exception cref="InvalidFileException">Files of either part are no images, or damaged; the message names them, all at once.</exception>
    public FolderSurvey Survey()
    {
        var (heads, damaged) = Train.Heads();
        if (damaged.Count + Test.Heads().Damaged.Count > 0) RequireIntact();
        return new(heads, damaged);
    }

    /// <summary>Decodes every image of both parts.</summary>
    /// <exception cref="InvalidFileException">Some are damaged; the message names them, all at once.</exception>
    public void RequireIntact()
    {
        InvalidFileException[] damaged = [.. Train.Inspect().Damaged, .. Test.Inspect().Damaged];
        if (damaged.Length > 0) throw ImageFolder.Refusal(damaged);
    }

    /// <summary>Two parts that share no file: what a network learned from says nothing about how it judges.</summary>
    static FolderSplits Apart(ImageFolder train, ImageFolder test, string testFolder)
    {
        string[] shared = [.. train.RealFiles.Intersect(test.RealFiles, StringComparer.Ordinal)];
        Check.That(shared.Length == 0, nameof(FolderSplits), $"links make {shared.Length:N0} {(shared.Length == 1 ? "picture" : "pictures")} part of both {train.Folder} and {test.Folder} ({ImageFolder.Listed(shared, most: 3)}); "
            + $"a network would be judged by what it learned from. Take them out of one.");
        return new(train, test, testFolder);
    }

    /// <summary>Of each class the pictures whose names hash lowest: one more picture moves hardly any other.</summary>
    static FolderSplits HoldOut(ImageFolder all, float share, ulong seed)
    {
        var heldOut = new HashSet<int>();
        foreach (var images in Enumerable.Range(0, all.Count).GroupBy(image => all.Labels[image]).Select(group => group.ToArray()))
        {
            var count = Math.Clamp((int)MathF.Round(share * images.Length), Math.Min(1, images.Length - 1), images.Length - 1);
            heldOut.UnionWith(images.OrderBy(image => Hash(seed, RelativePath(all, image))).Take(count));
        }

        Check.That(heldOut.Count > 0, nameof(FolderSplits), $"{all.Folder} has one picture a class; with at least two, one can be held out to judge by.");
        return new(all.Select([.. Enumerable.Range(0, all.Count).Where(image => !heldOut.Contains(image))]), all.Select([.. heldOut.Order()]), null);
    }

    static ulong Hash(ulong seed, string name) => BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{name}")));

    static string FingerprintOf(params ImageFolder[] parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in parts)
            for (var image = 0; image < part.Count; image++)
                hash.AppendData(Encoding.UTF8.GetBytes($"{RelativePath(part, image)} {PictureFile.Length(part.Files[image])}\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    static string RelativePath(ImageFolder folder, int image) => Path.GetRelativePath(folder.Folder, folder.Files[image]).Replace(Path.DirectorySeparatorChar, '/');
}
