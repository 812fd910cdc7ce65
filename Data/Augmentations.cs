namespace QuadEngine.Data;

/// <summary>An augmentation that a run can name. To add your own, derive a class and register it: see <see cref="Augmentations.Registry"/>.</summary>
/// <param name="name">See <see cref="Entry.Name"/>.</param>
/// <param name="help">See <see cref="Entry.Help"/>.</param>
public abstract class AugmentationEntry(string name, string help) : Entry(name, help)
{
    /// <summary>Creates the augmentation for images of a shape.</summary>
    /// <param name="imageShape">The shape [H, W, C] of every image.</param>
    /// <param name="options">The values of <see cref="Entry.Options"/>.</param>
    public abstract Augmentation Make(Shape imageShape, Selection options);
}

/// <summary>The augmentations by name.</summary>
public static class Augmentations
{
    /// <summary>The engine's own augmentations ("none", "flip", "crop", "crop-flip"), and those that were added.</summary>
    public static Registry<AugmentationEntry> Registry { get; } = new("augmentation",
        new CropFlipEntry("none", "images as they are", crop: false, flip: false),
        new CropFlipEntry("flip", "half of the images mirrored left to right", crop: false, flip: true),
        new CropFlipEntry("crop", "shifted by up to the padding each way", crop: true, flip: false),
        new CropFlipEntry("crop-flip", "shifted, and half of them mirrored", crop: true, flip: true));

    /// <summary>Creates an augmentation for images of a shape.</summary>
    /// <param name="augmentation">The name, and values of the options.</param>
    /// <param name="imageShape">The shape [H, W, C] of every image.</param>
    /// <exception cref="ArgumentException">The augmentation is unknown, or a value is not possible; the message says what is possible.</exception>
    public static Augmentation Create(Selection augmentation, Shape imageShape) => Registry.Get(augmentation).Make(imageShape, Registry.Complete(augmentation));
}

sealed class CropFlipEntry(string name, string help, bool crop, bool flip) : AugmentationEntry(name, help)
{
    // The usual padding is 4 of 32 pixels.
    const int UsualPart = 8;

    static readonly EntryOption<int?> padding = EntryOption.OptionalNumber("padding", "Black pixels on each side before the crop", "an eighth of the image's height", 0, 4096);

    public override IReadOnlyList<EntryOption> Options => crop ? [padding] : [];

    public override Augmentation Make(Shape imageShape, Selection options) => new CropFlip(crop ? options.Get(padding) ?? imageShape[0] / UsualPart : 0, flip);
}
