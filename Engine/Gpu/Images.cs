using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void GatherImages(Operand pixels, Operand classes, Operand levels, Operand order, int first, RandomWindows windows, Operand images, Operand labels)
    {
        var parts = Math.Clamp(Groups(images.Shape[1] * images.Shape[2] * images.Shape[3], ImageGathering.PerPart), 1, ImageGathering.MostParts);
        device.Launch(new ImageGathering(pixels, classes, levels, order.Integers(), first, windows, images, labels.Integers()), images.Shape[0], parts);
    }
}

/// <summary>
/// images[n] = the window of image order[first + n], each byte looked up in the levels of its channel; black is byte 0. There is one group per image, or several
/// along y for a large image. A thread draws the window once and takes elements that are a group's width apart. Floor: one byte is read and one float is written per element.
/// </summary>
readonly struct ImageGathering : IKernel
{
    public const int PerPart = 4 * IKernel.DefaultThreads, MostParts = 1024;

    readonly ArrayView<byte> pixels;
    readonly ArrayView<int> classes, order, labels;
    readonly ArrayView<float> levels, images;
    readonly RandomStream stream;
    readonly int first, padding, flip, height, elements;
    readonly FastDivisor channels, widths;

    public ImageGathering(Operand pixels, Operand classes, Operand levels, ArrayView<int> order, int first, RandomWindows windows, Operand images, ArrayView<int> labels)
    {
        (this.pixels, this.classes, this.levels) = (pixels.View().Cast<byte>(), classes.Integers(), levels.View());
        (this.order, this.first, this.images, this.labels) = (order, first, images.View(), labels);
        (stream, padding, flip) = (windows.Stream, windows.Padding, windows.Flip ? 1 : 0);
        (height, widths, channels) = (images.Shape[1], new(images.Shape[2]), new(images.Shape[3]));
        elements = height * images.Shape[2] * images.Shape[3];
    }

    public void Run()
    {
        var image = order[first + Grid.IdxX];
        var placement = new RandomWindows(stream, padding, flip != 0).Of(image);

        // A data set has at most 2^31 - 1 bytes, so positions are ints. After the last byte i may overflow, which the unsigned comparison handles.
        int source = image * elements, target = Grid.IdxX * elements, step = Grid.DimY * IKernel.DefaultThreads;
        for (var i = Grid.IdxY * IKernel.DefaultThreads + Group.IdxX; (uint)i < (uint)elements; i += step)
        {
            int pixel = channels.Divide(i), row = widths.Divide(pixel), channel = channels.Rest(i, pixel);
            int h = placement.Row(row), w = placement.Column(widths.Rest(pixel, row), widths.Divisor), level = 0;
            if ((uint)h < (uint)height && (uint)w < (uint)widths.Divisor) level = pixels[source + (h * widths.Divisor + w) * channels.Divisor + channel];
            images[target + i] = levels[256 * channel + level];
        }

        if (Grid.IdxY == 0 && Group.IdxX == 0) labels[Grid.IdxX] = classes[image];
    }
}
