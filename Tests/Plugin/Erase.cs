using QuadEngine;
using QuadEngine.Data;

namespace Shapes;

/// <summary>A black square at a random place (Zhong et al. 2020).</summary>
public sealed record Erase(int Side) : Augmentation
{
    public override void Apply(ReadOnlySpan<byte> image, Shape shape, ImageRandom random, Span<byte> to)
    {
        int height = shape[0], width = shape[1], channels = shape[2];
        image.CopyTo(to);
        int top = random.NextBelow(height), left = random.NextBelow(width);
        for (var row = top; row < Math.Min(height, top + Side); row++)
            to.Slice((row * width + left) * channels, Math.Min(Side, width - left) * channels).Clear();
    }
}

public sealed class EraseEntry() : AugmentationEntry("erase", "a black square at a random place (Zhong et al. 2020)")
{
    static readonly EntryOption<int> side = EntryOption.Number("side", "Height and width of the square", 2, 1, 4096);

    public override IReadOnlyList<EntryOption> Options => [side];

    public override Augmentation Make(Shape imageShape, Selection options) => new Erase(options.Get(side));
}
