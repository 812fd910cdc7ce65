namespace QuadEngine.Data;

/// <summary>An augmentation that a run can name. A class of your own makes it one: see <see cref="Augmentations.Registry"/>.</summary>
/// <param name="name">See <see cref="Entry.Name"/>.</param>
/// <param name="help">See <see cref="Entry.Help"/>.</param>
public abstract class AugmentationEntry(string name, string help) : Entry(name, help)
{
    /// <summary>The augmentation for images of a shape.</summary>
    /// <param name="imageShape">[H, W, C] of every image.</param>
    /// <param name="options">Values of <see cref="Entry.Options"/>.</param>
    public abstract Augmentation Make(Shape imageShape, Selection options);
}

/// <summary>The random changes of training images by name.</summary>
public static class Augmentations
{
    /// <summary>The engine's own ("none", "flip", "crop", "crop-flip"), and those that were added.</summary>
    public static Registry<AugmentationEntry> Registry { get; } = new("augmentation",
        new CropFlipEntry("none", "images as they are", crop: false, flip: false),
        new CropFlipEntry("flip", "half of the images mirrored left to right", crop: false, flip: true),
        new CropFlipEntry("crop", "shifted by up to the padding each way", crop: true, flip: false),
        new CropFlipEntry("crop-flip", "shifted, and half of them mirrored", crop: true, flip: true));

    /// <summary>An augmentation for images of a shape.</summary>
    /// <param name="augmentation">Its name, and values of its options.</param>
    /// <param name="imageShape">[H, W, C] of every image.</param>
    /// <exception cref="ArgumentException">There is no such augmentation, or a value is not possible; the message says what is.</exception>
    public static Augmentation Create(Selection augmentation, Shape imageShape) => Registry.Get(augmentation).Make(imageShape, Registry.Complete(augmentation));
}

sealed class CropFlipEntry(string name, string help, bool crop, bool flip) : AugmentationEntry(name, help)
{
    // The usual 4 of 32 pixels.
    const int UsualPart = 8;

    static readonly EntryOption<int?> padding = EntryOption.OptionalNumber("padding", "Black pixels on each side before the crop", "an eighth of the image's height", 0, 4096);

    public override IReadOnlyList<EntryOption> Options => crop ? [padding] : [];

    public override Augmentation Make(Shape imageShape, Selection options) => new CropFlip(crop ? options.Get(padding) ?? imageShape[0] / UsualPart : 0, flip);
}
