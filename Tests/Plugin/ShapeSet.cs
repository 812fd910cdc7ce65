using System.Numerics.Tensors;
using QuadEngine;
using QuadEngine.Data;

namespace Shapes;

/// <summary>Images of bright rows, columns and diagonals in noise, which are computed and not read from files.</summary>
public sealed class ShapeSet : DatasetInfo
{
    const int Side = 8;

    static readonly EntryOption<int> count = EntryOption.Number("count", "Training images; a quarter as many are for the test", 128, 4, 1 << 20);

    public ShapeSet() : base("shapes", "rows, columns and diagonals of 8 x 8 pixels, as many as you like", [Side, Side, 1], ["row", "column", "diagonal"])
    {
        Normalization = new([0.3f], [0.3f]);
        Augmentation = "flip";
    }

    public override IReadOnlyList<EntryOption> Options => [count];

    public override DatasetSplits Load(string folder, Selection options)
    {
        var images = options.Get(count);
        return new(Draw(images, seed: 1), Draw(images / 4, seed: 2));
    }

    ImageDataset Draw(int images, ulong seed)
    {
        var pixels = new byte[images * Side * Side];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(Philox.At(seed, stream: 0, (ulong)i).X >> 26);
        int[] labels = [.. Enumerable.Range(0, images).Select(image => image % Classes)];
        var bright = Enumerable.Repeat((byte)180, Side).ToArray();
        for (var image = 0; image < images; image++)
        {
            var place = (int)(Philox.At(seed, stream: 1, (ulong)image).X % Side);
            var shape = new byte[Side * Side];
            for (var i = 0; i < Side; i++)
                shape[labels[image] switch { 0 => place * Side + i, 1 => i * Side + place, _ => i * Side + (i + place) % Side }] = bright[i];
            var drawn = pixels.AsSpan(image * Side * Side, Side * Side);
            TensorPrimitives.Add<byte>(drawn, shape, drawn);
        }

        return new(Name, pixels, labels, ClassNames, Side, Side, channels: 1, Normalization);
    }
}
