namespace QuadEngine.Data;

/// <summary>The two parts of a data set.</summary>
/// <param name="Train">Images to learn from.</param>
/// <param name="Test">Images to judge by.</param>
public sealed record DatasetSplits(ImageDataset Train, ImageDataset Test);

/// <summary>
/// What is known of a data set before it is loaded: its images, its classes, and what suits them. A class of your own makes images a data set that a run
/// can name: see <see cref="Datasets.Registry"/>.
/// </summary>
/// <param name="name">See <see cref="Entry.Name"/>.</param>
/// <param name="help">See <see cref="Entry.Help"/>.</param>
/// <param name="imageShape">[H, W, C], the shape of one image.</param>
/// <param name="classNames">One name a class.</param>
public abstract class DatasetInfo(string name, string help, Shape imageShape, IReadOnlyList<string> classNames) : Entry(name, help)
{
    /// <summary>[H, W, C], the shape of one image.</summary>
    public Shape ImageShape { get; } = imageShape;

    /// <summary>One name a class.</summary>
    public IReadOnlyList<string> ClassNames { get; } = classNames;

    /// <summary>The number of classes.</summary>
    public int Classes => ClassNames.Count;

    /// <summary>The number of training images; null where it is known only when they are loaded.</summary>
    public int? TrainCount { get; init; }

    /// <summary>The number of test images; null where it is known only when they are loaded.</summary>
    public int? TestCount { get; init; }

    /// <summary>How bytes become the numbers a network sees; pixels scaled to [0, 1] unless it says otherwise.</summary>
    public Normalization Normalization { get; init; } = Normalization.UnitRange(imageShape[2]);

    /// <summary>The random changes that suit its training images, one of <see cref="Augmentations.Registry"/>; none unless it says otherwise.</summary>
    public Selection Augmentation { get; init; } = "none";

    /// <summary>Under which terms it may be used.</summary>
    public string License { get; init; } = "";

    /// <summary>Its authors' page.</summary>
    public string HomePage { get; init; } = "";

    /// <summary>It needs no files: its images are inside the assembly, or are made by it.</summary>
    public virtual bool IsEmbedded => true;

    /// <summary>The folder that holds its files; null where none has them all, or it needs none.</summary>
    /// <param name="folder">Where data sets are kept. The usual sub-folders in it come first, then the folder itself.</param>
    public virtual string? FolderIn(string folder) => null;

    /// <summary>Reads or makes both parts, with the shape, the classes and the normalisation given here.</summary>
    /// <param name="folder">Where data sets are kept.</param>
    /// <param name="options">Values of <see cref="Entry.Options"/>.</param>
    /// <exception cref="FileNotFoundException">Its files are not in the folder; the message says which to put where.</exception>
    /// <exception cref="InvalidFileException">A file does not hold what it should.</exception>
    public abstract DatasetSplits Load(string folder, Selection options);
}
