namespace QuadEngine.Data.Sample;

/// <summary>
/// 10,000 training and 2,000 test images of Fashion-MNIST (Xiao, Rasul and Vollgraf 2017; the MIT license is beside this file) inside
/// the assembly, so that training on real images needs no download. Classes are balanced and interleaved: the label of image i
/// is i mod 10. So any prefix is balanced too, and labels need no bytes. <c>make-sample.cs</c> writes the resource.
/// </summary>
sealed class FashionSample : DatasetInfo
{
    public const int Side = 28;

    const int TrainImages = 10_000, TestImages = 2_000, ImageBytes = Side * Side;
    const ulong Seed = 1;

    public FashionSample(IReadOnlyList<string> classNames, Normalization normalization)
        : base("fashion-mnist-sample", "12,000 images of Fashion-MNIST inside the package: needs no download", [Side, Side, 1], classNames)
    {
        TrainCount = TrainImages;
        TestCount = TestImages;
        Normalization = normalization;
        Augmentation = "flip";
        License = "MIT (Zalando SE)";
        HomePage = "https://github.com/zalandoresearch/fashion-mnist";
    }

    public override DatasetSplits Load(string folder, Selection options)
    {
        var pixels = new byte[(TrainImages + TestImages) * ImageBytes];
        using var resource = typeof(FashionSample).Assembly.GetManifestResourceStream("fashion-mnist-sample.br")
            ?? throw new InvalidOperationException($"{Name} was left out of this program when it was trimmed (QuadEngine.Data.Sample is false).");
        GrayImageCodec.Decode(resource, pixels, Side, Side);

        return new(
            Split(pixels.AsMemory(0, TrainImages * ImageBytes)),
            Split(pixels.AsMemory(TrainImages * ImageBytes)));

        ImageDataset Split(ReadOnlyMemory<byte> part)
        {
            var labels = new int[part.Length / ImageBytes];
            for (var i = 0; i < labels.Length; i++)
                labels[i] = i % Classes;
            return new(Name, part, labels, ClassNames, Side, Side, channels: 1, Normalization);
        }
    }

    /// <summary>Chooses the pixels of the sample from the whole data set: training images, then test images.</summary>
    public static byte[] Choose(DatasetSplits whole) => [.. Choose(whole.Train, TrainImages), .. Choose(whole.Test, TestImages)];

    /// <summary>Chooses the first images of each class in a random order of all images. The classes follow each other in turn.</summary>
    static byte[] Choose(ImageDataset whole, int count)
    {
        var classes = whole.Classes;
        var chosen = new byte[count * ImageBytes];
        var taken = new int[classes];
        foreach (var image in EpochRandom.Permutation(whole.Count, Seed, epoch: 0))
        {
            var label = whole.Labels.Span[image];
            if (taken[label] < count / classes)
                whole.Image(image).CopyTo(chosen.AsSpan((taken[label]++ * classes + label) * ImageBytes));
        }
        return chosen;
    }
}
