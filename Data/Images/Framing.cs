namespace QuadEngine.Data;

/// <summary>The choice of the part of a photograph that a network sees.</summary>
public abstract record Framing
{
    /// <summary>The framing for evaluation: the middle, 224 of 256 pixels in the usual sizes.</summary>
    public static Framing Center { get; } = new CenterFraming();

    /// <summary>The framing for training: parts of any size, place and proportion, half of them mirrored (Szegedy et al. 2015).</summary>
    public static Framing Random { get; } = new RandomFraming();

    /// <summary>Whether two draws of the same image may differ.</summary>
    internal abstract bool IsRandom { get; }

    internal abstract (Frame Frame, bool Mirrored) Choose(Picture picture, int height, int width, ulong seed, int epoch, int image);
}

/// <summary>The middle of the image in the proportions of the network's input: torchvision's Resize and CenterCrop in one.</summary>
/// <param name="Share">The side of the visible part, divided by the side of the largest such part.</param>
public sealed record CenterFraming(float Share = 0.875f) : Framing
{
    internal override bool IsRandom => false;

    internal override (Frame, bool) Choose(Picture picture, int height, int width, ulong seed, int epoch, int image) =>
        (Frame.Center(picture.Height, picture.Width, height, width, Share), false);
}

/// <summary>
/// A part of random area, proportions and place, mirrored or not: torchvision's RandomResizedCrop and RandomHorizontalFlip. If the drawn
/// rectangle is longer than the image, it is cut at the edge of the image.
/// </summary>
/// <param name="LeastArea">The smallest share of the image's area, from 0 to 1.</param>
/// <param name="MostArea">The largest share of the image's area, from 0 to 1.</param>
/// <param name="Stretch">The limit of the proportions: width by height is between 1 / stretch and stretch, relative to the network's input.</param>
/// <param name="Flip">Whether half of the images are mirrored left to right.</param>
public sealed record RandomFraming(float LeastArea = 0.08f, float MostArea = 1f, float Stretch = 4f / 3f, bool Flip = true) : Framing
{
    internal override bool IsRandom => true;

    internal override (Frame, bool) Choose(Picture picture, int height, int width, ulong seed, int epoch, int image)
    {
        var (x, y, z, w) = EpochRandom.AugmentStream(seed, epoch).At(image);
        var area = (LeastArea + (MostArea - LeastArea) * Philox.ToUnit(x)) * picture.Height * picture.Width;
        var proportion = MathF.Pow(Stretch, 2f * Philox.ToUnit(y) - 1f) * width / height;
        var frameWidth = MathF.Min(MathF.Sqrt(area * proportion), picture.Width);
        var frameHeight = MathF.Min(MathF.Sqrt(area / proportion), picture.Height);

        // The lowest bit of w decides the flip, the other bits decide the place: both are uniform.
        return (new((picture.Height - frameHeight) * Philox.ToUnit(z), (picture.Width - frameWidth) * Philox.ToUnit(w & ~1u), frameHeight, frameWidth), Flip && (w & 1) != 0);
    }
}
