using QuadEngine.Data;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Makes tasks from a data set of gray images, so that they need no other files.</summary>
static class Scenes
{
    const byte Visible = 40;

    /// <summary>
    /// Makes scenes of two images at random places, the second in front. The label of a pixel is the class of its image + 1, or 0 for the background.
    /// </summary>
    public static ExampleSet<Batch<Tensor, IntTensor>> Compose(ImageDataset images, int count, int side, ulong seed)
    {
        var random = Tensor.Uniform([count, 6], generator: new Generator(seed)).ToArray();
        var pixels = new float[count * side * side];
        var labels = new int[pixels.Length];
        for (var scene = 0; scene < count; scene++)
            for (var item = 0; item < 2; item++)
            {
                var draw = random.AsSpan(scene * 6 + item * 3, 3);
                int image = (int)(draw[0] * images.Count), top = (int)(draw[1] * (side - images.Height + 1)), left = (int)(draw[2] * (side - images.Width + 1));
                var source = images.Image(image);
                for (var row = 0; row < images.Height; row++)
                    for (var column = 0; column < images.Width; column++)
                    {
                        var value = source[(row * images.Width + column) * images.Channels];
                        if (value < Visible) continue;
                        var at = (scene * side + top + row) * side + left + column;
                        pixels[at] = value / 255f;
                        labels[at] = images.Labels.Span[image] + 1;
                    }
            }

        return ExampleSet.Of(Tensor.FromArray(pixels, [count, side, side, 1]), IntTensor.FromSpan(labels, [count, side, side]), "scenes");
    }

    /// <summary>Makes a table that has the means of the rows and of the columns of each image, standardized by fixed numbers.</summary>
    public static ExampleSet<Batch<Tensor, IntTensor>> Table(ImageDataset images)
    {
        var features = images.Height + images.Width;
        var table = new float[images.Count * features];
        for (var i = 0; i < images.Count; i++)
        {
            var source = images.Image(i);
            var row = table.AsSpan(i * features, features);
            for (var y = 0; y < images.Height; y++)
                for (var x = 0; x < images.Width; x++)
                {
                    var value = source[(y * images.Width + x) * images.Channels] / 255f;
                    row[y] += value / images.Width;
                    row[images.Height + x] += value / images.Height;
                }

            foreach (ref var value in row) value = (value - 0.3f) / 0.25f;
        }

        return ExampleSet.Of(Tensor.FromArray(table, [images.Count, features]), IntTensor.FromSpan(images.Labels.Span, [images.Count]), "the table");
    }
}
