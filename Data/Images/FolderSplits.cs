using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace QuadEngine.Data;

/// <summary>
/// The training and the test part of a folder of pictures. Either the folder has the parts itself, FOLDER/train/cat/1.jpg and FOLDER/val/cat/2.jpg (or test; training, testing, valid,
/// validation, dev, in upper or lower case), or it is one folder of classes, FOLDER/cat/1.jpg, and a share of each class is held out. Only the seed and the names of the pictures decide which.
/// </summary>
/// <param name="Train">The training images.</param>
/// <param name="Test">The test images.</param>
/// <param name="TestFolder">The name of the folder of the test part; null if the part was held out.</param>
public sealed record FolderSplits(ImageFolder Train, ImageFolder Test, string? TestFolder)
{
    /// <summary>The share of each class that is held out for the evaluation if the folder has no part for it.</summary>
    public const float DefaultTestShare = 0.2f;

    /// <summary>A short hash of the names and sizes of all files. Another hash means another data set.</summary>
    public string Fingerprint { get; } = FingerprintOf(Train, Test);

    /// <summary>Opens a folder for a training.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="testShare">The share of each class that is held out for the evaluation if the folder has no part for it.</param>
    /// <param name="seed">The seed that decides which pictures are held out.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="ArgumentException">There are fewer than two classes, a class has no pictures, the parts have different classes or a common picture, or a folder beside the parts would be left out.</exception>
    public static FolderSplits Open(string folder, float testShare = DefaultTestShare, ulong seed = 1)
    {
        Check.That(testShare is > 0f and < 1f, nameof(FolderSplits), $"{nameof(testShare)} is {testShare}, expected a number between 0 and 1.");
        var parts = FolderParts.Of(folder);
        var part = parts.Val ?? parts.Test;
        Check.That(parts.Train is not null || part is null, nameof(FolderSplits), $"{folder} has {string.Join(" and ", new[] { parts.Val, parts.Test }.OfType<string>().Select(Path.GetFileName))} but no training part; put its classes into {Path.Combine(folder, "train")}.");
        var images = ImageFolder.Open(parts.Train ?? folder);
        Check.That(images.ClassNames.Count > 1, nameof(FolderSplits), $"{images.Folder} has only one class ({images.ClassNames[0]}); training needs at least two classes, with a folder for each.");
        var empty = images.ClassNames.Where((_, label) => !images.Labels.Contains(label)).ToArray();
        Check.That(empty.Length == 0, nameof(FolderSplits), $"{images.Folder} has no pictures ({string.Join(", ", Picture.Extensions)}) in {ImageFolder.Listed(empty)}; put some there, or remove the folder.");

        return part is null ? HoldOut(images, testShare, seed) : Apart(images, ImageFolder.Open(part, images.ClassNames), Path.GetFileName(part));
    }

    /// <summary>Returns the folder of classes for the evaluation at the end: the test part of a folder, else its val part; null if it has neither.</summary>
    /// <param name="folder">A folder with parts, or a folder of classes.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="ArgumentException">Folders beside the parts would be left out, or the folder has a part twice.</exception>
    public static string? TestPart(string folder) => FolderParts.Of(folder) is var parts ? parts.Test ?? parts.Val : null;

    /// <summary>Returns the folder of classes for training: the train part of a folder, or the folder itself.</summary>
    /// <param name="folder">A folder with parts, or a folder of classes.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="ArgumentException">Folders beside the parts would be left out, or the folder has a part twice.</exception>
    public static string TrainPart(string folder) => FolderParts.Of(folder).Train ?? folder;

    /// <summary>Returns the sizes and colors of the training images from the heads of their files. It checks the heads of the test images too.</summary>
    /// <exception cref="InvalidFileException">Some files of either part are not images, or are damaged; one message names them all.</exception>
    public FolderSurvey Survey()
    {
        var (heads, damaged) = Train.Heads();
        if (damaged.Count + Test.Heads().Damaged.Count > 0) RequireIntact();
        return new(heads, damaged);
    }

    /// <summary>Decodes every image of both parts.</summary>
    /// <exception cref="InvalidFileException">Some images are damaged; one message names them all.</exception>
    public void RequireIntact()
    {
        InvalidFileException[] damaged = [.. Train.Inspect().Damaged, .. Test.Inspect().Damaged];
        if (damaged.Length > 0) throw ImageFolder.Refusal(damaged);
    }

    /// <summary>Returns two parts that share no file, because an evaluation on training images says nothing about other images.</summary>
    static FolderSplits Apart(ImageFolder train, ImageFolder test, string testFolder)
    {
        string[] shared = [.. train.RealFiles.Intersect(test.RealFiles, StringComparer.Ordinal)];
        Check.That(shared.Length == 0, nameof(FolderSplits), $"links make {shared.Length:N0} {(shared.Length == 1 ? "picture" : "pictures")} part of both {train.Folder} and {test.Folder} ({ImageFolder.Listed(shared, most: 3)}); "
            + $"an evaluation on training pictures has no meaning. Remove them from one part.");
        return new(train, test, testFolder);
    }

    /// <summary>Holds out the pictures of each class whose names have the lowest hashes, so that one more picture moves hardly any other.</summary>
    static FolderSplits HoldOut(ImageFolder all, float share, ulong seed)
    {
        var heldOut = new HashSet<int>();
        foreach (var images in Enumerable.Range(0, all.Count).GroupBy(image => all.Labels[image]).Select(group => group.ToArray()))
        {
            var count = Math.Clamp((int)MathF.Round(share * images.Length), Math.Min(1, images.Length - 1), images.Length - 1);
            heldOut.UnionWith(images.OrderBy(image => Hash(seed, RelativePath(all, image))).Take(count));
        }

        Check.That(heldOut.Count > 0, nameof(FolderSplits), $"{all.Folder} has one picture for each class; with at least two, one can be held out for the evaluation.");
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
