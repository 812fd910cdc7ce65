using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>One side of a tile: how much of an operand a group holds.</summary>
interface ISide
{
    static abstract int Outer { get; }

    static abstract int Depth { get; }

    static abstract int Threads { get; }
}

readonly struct LeftSide<TTile> : ISide where TTile : struct, ITile
{
    public static int Outer => TTile.Rows;

    public static int Depth => TTile.Depth;

    public static int Threads => TTile.Threads;
}

readonly struct RightSide<TTile> : ISide where TTile : struct, ITile
{
    public static int Outer => TTile.Columns;

    public static int Depth => TTile.Depth;

    public static int Threads => TTile.Threads;
}

/// <summary>
/// Brings an operand's part of a tile into shared memory, laid out [depth, outer]: from memory to registers early, from registers to
/// shared memory once the tile before has been used.
/// </summary>
static class Staging<TSide, TOperand, TWidth>
    where TSide : struct, ISide
    where TOperand : struct, IOperand
    where TWidth : struct, IWidth
{
    /// <summary>Quads of a tile, and those that one thread brings.</summary>
    public static int Quads => TSide.Outer * TSide.Depth / 4;

    public static int PerThread => (Quads + TSide.Threads - 1) / TSide.Threads;

    /// <summary>Floats from one k to the next: a quad more than the tile has, so that stores across k fall into different banks.</summary>
    public static int Pitch => TSide.Outer + 4;

    // Quads are dealt out so that neighbouring threads read neighbouring memory. All extents are powers of two, and a mask takes
    // the place of a remainder, which ptxas would compute by a division even of constants.
    static int OuterOf(int quad) => TOperand.AlongK ? quad / (TSide.Depth / 4) : (quad & (TSide.Outer / 4 - 1)) * 4;

    static int DepthOf(int quad) => TOperand.AlongK ? (quad & (TSide.Depth / 4 - 1)) * 4 : quad / (TSide.Outer / 4);

    public static void Locate(TOperand operand, int first, int[] lines)
    {
        for (var q = 0; q < PerThread; q++)
        {
            var line = operand.Locate(first + OuterOf(Group.IdxX + q * TSide.Threads));
            lines[3 * q] = line.Origin;
            lines[3 * q + 1] = line.Row;
            lines[3 * q + 2] = line.Column;
        }
    }

    public static void Fetch(TOperand operand, int[] lines, int from, int end, float[] staged)
    {
        for (var q = 0; q < PerThread; q++)
        {
            var quad = Group.IdxX + q * TSide.Threads;
            var line = new Line(lines[3 * q], lines[3 * q + 1], lines[3 * q + 2]);
            var k = from + DepthOf(quad);
            var value = quad < Quads ? Load(operand, line, k, end) : new Quad(0f, 0f, 0f, 0f);
            staged[4 * q] = value.X;
            staged[4 * q + 1] = value.Y;
            staged[4 * q + 2] = value.Z;
            staged[4 * q + 3] = value.W;
        }
    }

    public static void Store(float[] staged, ArrayView<float> shared, int offset)
    {
        for (var q = 0; q < PerThread; q++)
        {
            var quad = Group.IdxX + q * TSide.Threads;
            if (quad >= Quads) continue;
            var at = offset + DepthOf(quad) * Pitch + OuterOf(quad);
            if (TOperand.AlongK)
                for (var i = 0; i < 4; i++) shared[at + i * Pitch] = staged[4 * q + i];
            else
                shared.Cast<Quad>()[at / 4] = new Quad(staged[4 * q], staged[4 * q + 1], staged[4 * q + 2], staged[4 * q + 3]);
        }
    }

    static Quad Load(TOperand operand, Line line, int k, int end)
    {
        if (TWidth.Four)
        {
            var index = k < end ? operand.Index(line, k, 0) : -1;
            return index < 0 ? new Quad(0f, 0f, 0f, 0f) : operand.Elements.Cast<Quad>()[index / 4];
        }

        return new Quad(Element(operand, line, k, end, 0), Element(operand, line, k, end, 1), Element(operand, line, k, end, 2), Element(operand, line, k, end, 3));
    }

    static float Element(TOperand operand, Line line, int k, int end, int step)
    {
        var index = (TOperand.AlongK ? k + step : k) < end ? operand.Index(line, k, step) : -1;
        return index < 0 ? 0f : operand.Elements[index];
    }
}
