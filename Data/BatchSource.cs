namespace QuadEngine.Data;

/// <summary>Where a <see cref="Loader"/> takes its images from, each a function of its index, the seed and the epoch. Used from several threads at once.</summary>
abstract class BatchSource
{
    /// <summary>Number of images.</summary>
    public abstract int Count { get; }

    /// <summary>[H, W, C] of every image as the network sees it.</summary>
    public abstract Shape ImageShape { get; }

    /// <summary>What it draws at random, for a message; null where it draws nothing and needs no seed.</summary>
    public abstract object? Randomness { get; }

    /// <summary>The class of an image.</summary>
    public abstract int Label(int image);

    /// <summary>Writes an image, changed and normalised.</summary>
    /// <param name="image">Its index.</param>
    /// <param name="seed">Of the random changes; 0 where there are none.</param>
    /// <param name="epoch">Likewise.</param>
    /// <param name="to">[H, W, C]</param>
    public abstract void Write(int image, ulong seed, int epoch, Span<float> to);
}

/// <summary>The images of a data set.</summary>
sealed class DatasetSource(LabelledImages data, Augmentation augmentation) : BatchSource
{
    readonly BatchWriter writer = new(data);

    public override int Count => data.Count;

    public override Shape ImageShape => data.ImageShape;

    public override object? Randomness => augmentation.IsRandom ? augmentation : null;

    public override int Label(int image) => data.Label(image);

    public override void Write(int image, ulong seed, int epoch, Span<float> to) =>
        writer.Write(image, augmentation.IsRandom ? augmentation.Draw(seed, epoch, image) : default, to);
}
