using QuadEngine.Devices;

namespace QuadEngine.Data;

/// <summary>
/// Random changes of a training image: padding by black pixels on all sides, a crop of the original size at a random place,
/// and a horizontal flip with probability 1/2 (torchvision's RandomCrop(size, padding) and RandomHorizontalFlip ahead of
/// ToTensor). What an image gets depends on the seed, the epoch and its index alone.
/// </summary>
/// <param name="Padding">Black pixels on each side before the crop; 0 is no crop.</param>
/// <param name="Flip">Whether half of the images are mirrored left to right.</param>
public sealed record Augmentation(int Padding = 0, bool Flip = false)
{
    /// <summary>The images as they are.</summary>
    public static Augmentation None { get; } = new();

    /// <summary>Padding by 4, a random crop and a horizontal flip: the usual augmentation of CIFAR (He et al. 2016, section 4.2).</summary>
    public static Augmentation PadCropFlip { get; } = new(Padding: 4, Flip: true);

    /// <summary>Black pixels on each side before the crop.</summary>
    public int Padding { get; init; } = Padding >= 0
        ? Padding
        : throw new ArgumentOutOfRangeException(nameof(Padding), $"Augmentation: padding is {Padding}, expected 0 or more.");

    internal bool IsRandom => Padding > 0 || Flip;

    internal RandomWindows Windows(ulong seed, int epoch) => new(EpochRandom.AugmentStream(seed, epoch), Padding, Flip);
}
