namespace QuadEngine.Data.Sample;

/// <summary>
/// 10,000 training and 2,000 test images of Fashion-MNIST (Xiao, Rasul and Vollgraf 2017; MIT licence beside this file) inside
/// the assembly, so that real images can be learned with no download. Classes are balanced and interleaved: the label of image i
/// is i mod 10, hence any prefix is balanced too, and labels need no bytes. <c>make-sample.cs</c> writes the resource.
/// </summary>
static class FashionSample
{
    public const int TrainCount = 10_000, TestCount = 2_000, Side = 28, Classes = 10;

    const int ImageBytes = Side * Side;
    const ulong Seed = 1;

    public static DatasetSplits Load(DatasetInfo info)
    {
        var pixels = new byte[(TrainCount + TestCount) * ImageBytes];
        using var resource = typeof(FashionSample).Assembly.GetManifestResourceStream("fashion-mnist-sample.br")
            ?? throw new InvalidOperationException($"{info.Name} was left out of this program when it was trimmed (QuadEngine.Data.Sample is false).");
        GreyImageCodec.Decode(resource, pixels, Side, Side);

        return new(
            Split(pixels.AsMemory(0, TrainCount * ImageBytes)),
            Split(pixels.AsMemory(TrainCount * ImageBytes)));

        ImageDataset Split(ReadOnlyMemory<byte> part)
        {
            var labels = new int[part.Length / ImageBytes];
            for (var i = 0; i < labels.Length; i++)
                labels[i] = i % Classes;
            return new(info.Name, part, labels, info.ClassNames, Side, Side, channels: 1, info.Normalization);
        }
    }

    /// <summary>The pixels of the sample, chosen from the whole data set: training images, then test images.</summary>
    public static byte[] Choose(DatasetSplits whole) => [.. Choose(whole.Train, TrainCount), .. Choose(whole.Test, TestCount)];

    /// <summary>The first images of each class in a random order of the whole, class after class in turn.</summary>
    static byte[] Choose(ImageDataset whole, int count)
    {
        var chosen = new byte[count * ImageBytes];
        var taken = new int[Classes];
        foreach (var image in EpochRandom.Permutation(whole.Count, Seed, epoch: 0))
        {
            var label = whole.Labels.Span[image];
            if (taken[label] < count / Classes)
                whole.Image(image).CopyTo(chosen.AsSpan((taken[label]++ * Classes + label) * ImageBytes));
        }
        return chosen;
    }
}
