namespace QuadEngine.Data;

/// <summary>The training and the test part of a data set.</summary>
/// <param name="Train">The training images.</param>
/// <param name="Test">The test images.</param>
public sealed record DatasetSplits(ImageDataset Train, ImageDataset Test);

/// <summary>
/// The description of a data set before it is loaded: its images, its classes, and suitable options. To make your own images a data set that a run
/// can name, derive a class and register it: see <see cref="Datasets.Registry"/>.
/// </summary>
/// <param name="name">See <see cref="Entry.Name"/>.</param>
/// <param name="help">See <see cref="Entry.Help"/>.</param>
/// <param name="imageShape">The shape [H, W, C] of one image.</param>
/// <param name="classNames">The names of the classes.</param>
public abstract class DatasetInfo(string name, string help, Shape imageShape, IReadOnlyList<string> classNames) : Entry(name, help)
{
    /// <summary>The shape [H, W, C] of one image.</summary>
    public Shape ImageShape { get; } = imageShape;

    /// <summary>The names of the classes.</summary>
    public IReadOnlyList<string> ClassNames { get; } = classNames;

    /// <summary>The number of classes.</summary>
    public int Classes => ClassNames.Count;

    /// <summary>The number of training images; null if it is known only after loading.</summary>
    public int? TrainCount { get; init; }

    /// <summary>The number of test images; null if it is known only after loading.</summary>
    public int? TestCount { get; init; }

    /// <summary>The normalization from bytes to the numbers that a network sees; by default it scales pixels to [0, 1].</summary>
    public Normalization Normalization { get; init; } = Normalization.UnitRange(imageShape[2]);

    /// <summary>The random changes that suit the training images, an entry of <see cref="Augmentations.Registry"/>; none by default.</summary>
    public Selection Augmentation { get; init; } = "none";

    /// <summary>The license of the data set.</summary>
    public string License { get; init; } = "";

    /// <summary>The web page of the authors.</summary>
    public string HomePage { get; init; } = "";

    /// <summary>Whether the data set needs no files, because its images are inside the assembly or are made by it.</summary>
    public virtual bool IsEmbedded => true;

    /// <summary>Returns the folder that holds the files; null if no folder has them all, or if the data set needs none.</summary>
    /// <param name="folder">The folder of all data sets. The usual sub-folders in it come first, then the folder itself.</param>
    public virtual string? FolderIn(string folder) => null;

    /// <summary>Reads or makes both parts, with the shape, the classes and the normalization of this description.</summary>
    /// <param name="folder">The folder of all data sets.</param>
    /// <param name="options">The values of <see cref="Entry.Options"/>.</param>
    /// <exception cref="FileNotFoundException">The files are not in the folder; the message says which file to put where.</exception>
    /// <exception cref="InvalidFileException">The content of a file is wrong.</exception>
    public abstract DatasetSplits Load(string folder, Selection options);
}
