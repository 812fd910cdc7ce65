using CsCheck;
using QuadEngine.Tests.Oracles;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class MemoryTests
{
    /// <summary>Both sides of a strided copy: any order of axes, some flipped, some of x repeated.</summary>
    record Strided(int[] Extents, int[] XStrides, int XOffset, int[] YStrides, int YOffset, int XLength, int YLength);

    static readonly Gen<Strided> Copies =
        from extents in Gen.Frequency((5, Gen.Int[1, 7].Array[0, 5]), (2, Gen.Int[1, 70].Array[2, 3]), (1, Gen.Int[1, 400].Array[2]))
        from xOrder in Gen.Shuffle(Enumerable.Range(0, extents.Length).ToArray())
        from yOrder in Gen.Shuffle(Enumerable.Range(0, extents.Length).ToArray())
        from flips in Gen.Int[0, 31]
        from repeats in Gen.Int[0, 31]
        from both in Gen.Bool
        from gap in Gen.Int[0, 2]
        select Make(extents, xOrder, yOrder, flips, both ? repeats : 0, gap);

    static Strided Make(int[] extents, int[] xOrder, int[] yOrder, int flips, int repeats, int gap)
    {
        var (xStrides, xLength) = Lay(extents, xOrder, axis => (repeats >> axis & 1) != 0, gap);
        var (yStrides, yLength) = Lay(extents, yOrder, _ => false, gap);
        int xOffset = 0, yOffset = 0;
        for (var axis = 0; axis < extents.Length; axis++)
        {
            if ((flips >> axis & 1) == 0) continue;
            var strides = axis % 2 == 0 ? xStrides : yStrides;
            if (axis % 2 == 0) xOffset += strides[axis] * (extents[axis] - 1);
            else yOffset += strides[axis] * (extents[axis] - 1);
            strides[axis] = -strides[axis];
        }

        return new(extents, xStrides, xOffset, yStrides, yOffset, xLength, yLength);
    }

    // Strides with axes in the given order in memory, the innermost a gap apart.
    static (int[] Strides, int Length) Lay(int[] extents, int[] order, Func<int, bool> repeats, int gap)
    {
        var strides = new int[extents.Length];
        var step = 1;
        foreach (var axis in order)
        {
            if (repeats(axis)) continue;
            strides[axis] = step;
            step *= extents[axis];
            step += gap;
        }

        return (strides, step + 1);
    }

    [Test]
    public void CopyStrided_moves_every_element_and_no_other() => Gen.Select(Copies, Seeds).ForAll((copy, seed) =>
    {
        float[] values = Values(copy.XLength, seed), expected = Values(copy.YLength, seed + 1);
        using var x = Unaligned(values, [copy.XLength]);
        var before = (float[])expected.Clone();
        foreach (var index in Broadcast.Indices(copy.Extents))
            expected[copy.YOffset + index.Zip(copy.YStrides, (i, stride) => i * stride).Sum()] = values[copy.XOffset + index.Zip(copy.XStrides, (i, stride) => i * stride).Sum()];
        var got = SameOnAnyThreads(() =>
        {
            var y = Unaligned(before, [copy.YLength]);
            CpuBackend.CopyStrided(x, copy.XOffset, copy.XStrides, copy.Extents, copy.YOffset, copy.YStrides, y);
            return y;
        });
        Assert.That(got, Is.EqualTo(expected));
    }, iterations: 200);

    [Test]
    public void CopyStrided_of_nothing_writes_nothing()
    {
        using Tensor x = Unaligned([], [0]), y = Unaligned([1f], [1]);
        CpuBackend.CopyStrided(x, 0, [3, 1], [0, 3], 0, [3, 1], y);
        Assert.That(y.Item(), Is.EqualTo(1f));
    }

    [Test]
    public void Fill_and_Copy_reach_every_element() => Gen.Select(Gen.Frequency((4, Gen.Int[0, 80]), (1, Gen.Int[60_000, 99_000])), Seeds).ForAll((length, seed) =>
    {
        var values = Values(length, seed);
        using Tensor x = Unaligned(values, [length]), y = Result([length]);
        CpuBackend.Copy(x, y);
        Assert.That(y.ToArray(), Is.EqualTo(values));
        CpuBackend.Fill(y, 2.5f);
        Assert.That(y.ToArray(), Is.All.EqualTo(2.5f));
    });
}
