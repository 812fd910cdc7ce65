using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>One side of a tile: how much of an operand a group holds.</summary>
interface ISide
{
    static abstract int Outer { get; }

    static abstract int Depth { get; }

    static abstract int Threads { get; }
}

readonly struct LeftSide<TMultiplier> : ISide where TMultiplier : struct, IMultiplier
{
    public static int Outer => TMultiplier.Rows;

    public static int Depth => TMultiplier.Depth;

    public static int Threads => TMultiplier.Threads;
}

readonly struct RightSide<TMultiplier> : ISide where TMultiplier : struct, IMultiplier
{
    public static int Outer => TMultiplier.Columns;

    public static int Depth => TMultiplier.Depth;

    public static int Threads => TMultiplier.Threads;
}

/// <summary>
/// Deals the quads of an operand's part of a tile out to the threads, so that neighbouring threads read neighbouring memory. All extents
/// are powers of two, and a mask takes the place of a remainder, which ptxas would compute by a division even of constants.
/// </summary>
static class Staging<TSide, TOperand>
    where TSide : struct, ISide
    where TOperand : struct, IOperand
{
    /// <summary>Quads of a tile, and those that one thread brings.</summary>
    public static int Quads => TSide.Outer * TSide.Depth / 4;

    public static int PerThread => (Quads + TSide.Threads - 1) / TSide.Threads;

    public static int QuadOf(int q) => Group.IdxX + q * TSide.Threads;

    public static int OuterOf(int quad) => TOperand.AlongK ? quad / (TSide.Depth / 4) : (quad & (TSide.Outer / 4 - 1)) * 4;

    public static int DepthOf(int quad) => TOperand.AlongK ? (quad & (TSide.Depth / 4 - 1)) * 4 : quad / (TSide.Outer / 4);

    public static void Locate(TOperand operand, int first, int[] lines, int at)
    {
        for (var q = 0; q < PerThread; q++)
        {
            var line = operand.Locate(first + OuterOf(QuadOf(q)));
            lines[at + 3 * q] = line.Origin;
            lines[at + 3 * q + 1] = line.Row;
            lines[at + 3 * q + 2] = line.Column;
        }
    }

    public static Line LineOf(int[] lines, int at, int q) => new(lines[at + 3 * q], lines[at + 3 * q + 1], lines[at + 3 * q + 2]);
}

/// <summary>
/// Brings quads into shared memory, laid out [depth, outer]: from memory to registers early, from registers to shared memory once the
/// tile before has been used.
/// </summary>
static class ThroughRegisters<TSide, TOperand, TWidth>
    where TSide : struct, ISide
    where TOperand : struct, IOperand
    where TWidth : struct, IWidth
{
    static int Pitch => TSide.Outer + 4;

    public static void Fetch(TOperand operand, int[] lines, int at, int from, int end, float[] staged, int first)
    {
        for (var q = 0; q < Staging<TSide, TOperand>.PerThread; q++)
        {
            var quad = Staging<TSide, TOperand>.QuadOf(q);
            var line = Staging<TSide, TOperand>.LineOf(lines, at, q);
            var value = quad < Staging<TSide, TOperand>.Quads ? Load(operand, line, from + Staging<TSide, TOperand>.DepthOf(quad), end) : default;
            value.Spread(staged, first + 4 * q);
        }
    }

    public static void Store(float[] staged, int first, ArrayView<float> shared, int part)
    {
        for (var q = 0; q < Staging<TSide, TOperand>.PerThread; q++)
        {
            var quad = Staging<TSide, TOperand>.QuadOf(q);
            if (quad >= Staging<TSide, TOperand>.Quads) continue;
            int at = part + Staging<TSide, TOperand>.DepthOf(quad) * Pitch + Staging<TSide, TOperand>.OuterOf(quad), from = first + 4 * q;
            if (TOperand.AlongK)
                for (var i = 0; i < 4; i++) shared[at + i * Pitch] = staged[from + i];
            else
                shared.Cast<Quad>()[at / 4] = new Quad(staged[from], staged[from + 1], staged[from + 2], staged[from + 3]);
        }
    }

    static Quad Load(TOperand operand, Line line, int k, int end)
    {
        if (TWidth.Four)
        {
            var index = k < end ? operand.Index(line, k, 0) : -1;
            return index < 0 ? default : operand.Memory.Elements.Cast<Quad>()[index / 4];
        }

        return new Quad(Element(operand, line, k, end, 0), Element(operand, line, k, end, 1), Element(operand, line, k, end, 2), Element(operand, line, k, end, 3));
    }

    static float Element(TOperand operand, Line line, int k, int end, int step)
    {
        var index = (TOperand.AlongK ? k + step : k) < end ? operand.Index(line, k, step) : -1;
        return index < 0 ? 0f : operand.Memory.Elements[index];
    }
}
