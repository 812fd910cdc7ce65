using System.Buffers;
using QuadEngine.Devices;

namespace QuadEngine.Data;

/// <summary>
/// Random changes of training images. Derive a record to write your own: <see cref="Apply"/> changes the bytes of one image, on the host. The change
/// depends only on the seed, the epoch and the index of the image, so the bits are the same on any number of threads.
/// </summary>
/// <remarks>Several threads call it at the same time, so it must keep nothing from one image to the next.</remarks>
public abstract record Augmentation
{
    /// <summary>No change.</summary>
    public static Augmentation None { get; } = new CropFlip();

    /// <summary>Padding by 4, a random crop and a horizontal flip: the usual augmentation of CIFAR (He et al. 2016, section 4.2).</summary>
    public static Augmentation PadCropFlip { get; } = new CropFlip(Padding: 4, Flip: true);

    /// <summary>Whether it draws random numbers, which need a seed.</summary>
    public virtual bool IsRandom => true;

    /// <summary>Writes the image that a network sees in this epoch.</summary>
    /// <param name="image">Bytes [H, W, C], channels last.</param>
    /// <param name="shape">The shape [H, W, C].</param>
    /// <param name="random">The random numbers of this image in this epoch.</param>
    /// <param name="to">Bytes [H, W, C], black at first.</param>
    public abstract void Apply(ReadOnlySpan<byte> image, Shape shape, ImageRandom random, Span<byte> to);

    /// <summary>Returns windows that make the same change, so that a device can cut them; null if only the host can make the change.</summary>
    internal virtual RandomWindows? Windows(ulong seed, int epoch) => null;

    /// <summary>Writes an image, changed and normalized.</summary>
    internal void Write(ReadOnlySpan<byte> image, Shape shape, int index, ulong seed, int epoch, ReadOnlySpan<float> levels, Span<float> to)
    {
        if (Windows(seed, epoch) is { } windows)
        {
            windows.Of(index).Write(image, shape[1], levels, to);
            return;
        }

        var rented = ArrayPool<byte>.Shared.Rent(image.Length);
        try
        {
            var changed = rented.AsSpan(0, image.Length);
            changed.Clear();
            Apply(image, shape, new ImageRandom(EpochRandom.AugmentStream(seed, epoch), index), changed);
            ImageBytes.ToNumbers(changed, levels, to);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}

/// <summary>
/// Padding by black pixels on all sides, a crop of the original size at a random place, and a horizontal flip with probability 1/2 (torchvision's
/// RandomCrop(size, padding) and RandomHorizontalFlip before ToTensor). A device that holds the images cuts them itself.
/// </summary>
/// <param name="Padding">The number of black pixels on each side before the crop; 0 for no crop.</param>
/// <param name="Flip">Whether half of the images are mirrored left to right.</param>
public sealed record CropFlip(int Padding = 0, bool Flip = false) : Augmentation
{
    /// <summary>The number of black pixels on each side before the crop.</summary>
    public int Padding { get; init; } = Padding >= 0
        ? Padding
        : throw new ArgumentOutOfRangeException(nameof(Padding), $"Augmentation: padding is {Padding}, expected 0 or more.");

    /// <inheritdoc/>
    public override bool IsRandom => Padding > 0 || Flip;

    /// <inheritdoc/>
    public override void Apply(ReadOnlySpan<byte> image, Shape shape, ImageRandom random, Span<byte> to) =>
        RandomWindows.Of(Padding, Flip, random.Next(), random.Next(), random.Next()).Copy(image, shape[1], shape[2], to);

    internal override RandomWindows? Windows(ulong seed, int epoch) => new(EpochRandom.AugmentStream(seed, epoch), Padding, Flip);
}

/// <summary>The random numbers of one image in one epoch. They are the same on any number of threads, and in a run that was resumed.</summary>
public sealed class ImageRandom
{
    readonly RandomStream stream;
    readonly uint image;
    uint taken;
    (uint X, uint Y, uint Z, uint W) words;

    internal ImageRandom(RandomStream stream, int image) => (this.stream, this.image) = (stream, (uint)image);

    /// <summary>Returns 32 random bits.</summary>
    public uint Next()
    {
        // The first four words are at the image's index, the next four 2^32 further on, and so on.
        if (taken % 4 == 0) words = Philox.At(stream.Seed, stream.Stream, (ulong)(taken / 4) << 32 | image);
        return (taken++ % 4) switch { 0 => words.X, 1 => words.Y, 2 => words.Z, _ => words.W };
    }

    /// <summary>Returns a number in [0, 1).</summary>
    public float NextUnit() => Philox.ToUnit(Next());

    /// <summary>Returns a whole number from 0 to bound - 1.</summary>
    /// <param name="bound">The bound, 1 or more.</param>
    public int NextBelow(int bound)
    {
        Check.That(bound >= 1, nameof(NextBelow), $"{nameof(bound)} is {bound}, expected 1 or more.");
        return Philox.Below(bound, Next());
    }

    /// <summary>Returns true or false, each with probability 1/2.</summary>
    public bool NextCoin() => Next() >> 31 != 0;
}
