using System.Runtime.InteropServices;
using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>Copies, and batches of images gathered from bytes.</summary>
static class MemoryGeometries
{
    public static IEnumerable<GeometryCase> All =>
    [
        new(nameof(Backend.Fill), s =>
        {
            var y = s.Output([s.Noted(s.Extent(s.MostElements))]);
            s.Backend.Fill(y, 2.5f);
            s.ExpectExactly("y", y, () => [.. Enumerable.Repeat(2.5f, y.Length)]);
        }),
        new(nameof(Backend.Copy), s =>
        {
            Shape shape = [s.Noted(s.Extent(s.MostElements))];
            Tensor x = s.Values(shape), y = s.Output(shape);
            s.Backend.Copy(x, y);
            s.ExpectExactly("y", y, () => s.Initial(x));
        }),
        new(nameof(Backend.CopyStrided), CopyStrided),
        new(nameof(Backend.GatherImages), GatherImages),
    ];

    // Both sides have any order of axes. Some axes are flipped, some of x are repeated, and there are gaps between them; a few draws are plain transposes.
    // Elements of y that no index reaches keep their values.
    static void CopyStrided(Draw s)
    {
        var extents = new int[s.OneOf(0, 1, 2, 2, 2, 3, 3, 4, 5)];
        for (int axis = 0, rest = s.MostElements; axis < extents.Length; rest /= Math.Max(1, extents[axis++])) extents[axis] = s.Extent(axis == extents.Length - 1 ? rest : Math.Min(rest, 70));
        var gap = s.Chance() ? 0 : s.Between(1, 3);
        var (xStrides, xLength) = Lay(s, extents, gap, mayRepeat: s.Chance(3));
        var (yStrides, yLength) = Lay(s, extents, gap, mayRepeat: false);
        int xOffset = Flip(s, extents, xStrides), yOffset = Flip(s, extents, yStrides);
        s.Noted($"[{string.Join(", ", extents)}] from {xOffset} by [{string.Join(", ", xStrides)}] to {yOffset} by [{string.Join(", ", yStrides)}]");

        Tensor x = s.Values([xLength]), y = s.InPlace([yLength]);
        s.Backend.CopyStrided(x, xOffset, xStrides, extents, yOffset, yStrides, y);
        s.ExpectExactly("y", y, () =>
        {
            var expected = (float[])s.Initial(y).Clone();
            foreach (var index in Broadcast.Indices(extents)) expected[yOffset + Along(index, yStrides)] = s.Initial(x)[xOffset + Along(index, xStrides)];
            return expected;
        });
    }

    static int Along(int[] index, int[] strides) => index.Zip(strides, (i, stride) => i * stride).Sum();

    // Returns strides for axes in a random order in memory, with a gap after each axis.
    static (int[] Strides, int Length) Lay(Draw s, int[] extents, int gap, bool mayRepeat)
    {
        int[] strides = new int[extents.Length], order = [.. Enumerable.Range(0, extents.Length).OrderBy(_ => s.Between(0, 1 << 20))];
        int step = 1, last = 0;
        foreach (var axis in order)
        {
            if (mayRepeat && s.Chance(3)) continue;
            strides[axis] = step;
            last += step * Math.Max(0, extents[axis] - 1);
            step = step * extents[axis] + gap;
        }

        return (strides, extents.Contains(0) ? 0 : last + 1);
    }

    // Reverses some axes and returns the offset of the first element.
    static int Flip(Draw s, int[] extents, int[] strides)
    {
        var offset = 0;
        for (var axis = 0; axis < extents.Length; axis++)
        {
            if (extents.Contains(0) || !s.Chance(4)) continue;
            offset += strides[axis] * (extents[axis] - 1);
            strides[axis] = -strides[axis];
        }

        return offset;
    }

    static void GatherImages(Draw s)
    {
        int count = s.Positive(9), channels = s.Extent(4), height = s.Extent(40), width = s.Extent(Math.Max(1, s.MostElements / Math.Max(1, 4 * height * channels))), batch = s.Extent(Math.Max(1, s.MostElements / Math.Max(1, height * width * channels))), first = s.Between(0, 5);
        var windows = s.Chance(3) ? default : new RandomWindows(RandomNumberGeometries.Stream(s), s.OneOf(0, 1, 3, 2 * height + 1), s.Chance());
        s.Noted($"{batch} of {count} images {height}x{width}x{channels}, {windows}");

        var length = height * width * channels;
        byte[] bytes = [.. Enumerable.Range(0, (count * length + 3) / 4 * 4).Select(_ => (byte)s.Between(0, 255))];
        int[] order = [.. Enumerable.Range(0, first + batch + s.Between(0, 3)).Select(_ => s.Between(0, count - 1))], classes = [.. Enumerable.Range(0, count).Select(_ => s.Between(0, 9))];
        var levels = s.Values([channels, 256]);
        var images = s.Output([batch, height, width, channels]);
        var labels = s.IntegerOutput([batch]);
        var set = new ImageBytes(s.Integers(MemoryMarshal.Cast<byte, int>(bytes).ToArray(), [bytes.Length / 4]), s.Integers(classes, [count]), levels);
        s.Backend.GatherImages(set, s.Integers(order, [order.Length]), first, windows, images, labels);

        s.Expect("labels", labels, () => [.. order.Skip(first).Take(batch).Select(image => classes[image])]);
        s.ExpectExactly("images", images, () => [.. Broadcast.Indices(images.Shape).Select(at =>
        {
            var image = order[first + at[0]];
            var placement = windows.Of(image);
            int h = placement.Row(at[1]), w = placement.Column(at[2], width);
            var level = h < 0 || h >= height || w < 0 || w >= width ? 0 : bytes[image * length + (h * width + w) * channels + at[3]];
            return s.Initial(levels)[256 * at[3] + level];
        })]);
    }
}
