using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>
/// A small encoder-decoder that labels every pixel (after Ronneberger et al. 2015). Two strided convolutions halve the size, a dilated convolution sees most of an
/// object, and two steps double the size by nearest neighbors and concatenate the encoder's features of that size. All 3x3 convolutions have one kind of neuron; the classifier is linear.
/// </summary>
public sealed class EncoderDecoder : Module
{
    readonly Module down1, down2, down3, middle, up2, up1, classifier;

    /// <summary>Makes a network that maps images [N, H, W, inChannels], with H and W divisible by 4, to logits [N, H, W, classes].</summary>
    /// <param name="inChannels">The number of channels of the images.</param>
    /// <param name="classes">The number of classes of a pixel.</param>
    /// <param name="width">The number of channels at full resolution. Half the resolution has twice this number, a quarter has four times.</param>
    /// <param name="neuron">The neuron of the 3x3 convolutions.</param>
    public EncoderDecoder(int inChannels, int classes, int width, Neuron neuron)
    {
        Module Block(string name, int from, int to, int stride = 1, int dilation = 1) =>
            Register(name, new Sequential(neuron.Conv2d(from, to, 3, stride, padding: dilation, dilation, bias: false), new BatchNorm(to), new Relu()));

        down1 = Block("down1", inChannels, width);
        down2 = Block("down2", width, 2 * width, stride: 2);
        down3 = Block("down3", 2 * width, 4 * width, stride: 2);
        middle = Block("middle", 4 * width, 4 * width, dilation: 2);
        up2 = Block("up2", 6 * width, 2 * width);
        up1 = Block("up1", 3 * width, width);
        classifier = Register("classifier", new Conv2d(width, classes, 1));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        Check.That(x.Rank == 4 && x.Shape[1] % 4 == 0 && x.Shape[2] % 4 == 0, nameof(EncoderDecoder), $"the input has shape {x.Shape}; images [N, H, W, C] need H and W divisible by 4.");
        var full = down1[x];
        var half = down2[full];
        var y = up2[Tensor.Concat([middle[down3[half]].Upsample(2), half], axis: 3)];
        return classifier[up1[Tensor.Concat([y.Upsample(2), full], axis: 3)]];
    }
}
