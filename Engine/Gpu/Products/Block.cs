namespace QuadEngine.Gpu;

/// <summary>
/// Four adjacent rows (or columns) of an operand by four adjacent terms of the sum. A thread reads a block at once, as four quads. In whichever direction
/// the quads lie in memory, the thread then has all four terms of each row.
/// </summary>
static class Block
{
    public const int Side = 4, Values = Side * Side;

    /// <summary>The number of values that describe the place of a row.</summary>
    const int Place = 3;

    /// <summary>The number of rows whose places are computed. Quads across the sum need only the first row's.</summary>
    public static int Lines<TOperand>() where TOperand : struct, IOperand => TOperand.AlongK ? Side : 1;

    /// <summary>Computes these places.</summary>
    /// <param name="operand">The operand.</param>
    /// <param name="outer">The first row.</param>
    /// <param name="lines">Gets three values per line.</param>
    /// <param name="at">The first line to write.</param>
    public static void Locate<TOperand>(TOperand operand, int outer, int[] lines, int at) where TOperand : struct, IOperand
    {
        for (var i = 0; i < Lines<TOperand>(); i++)
        {
            var line = operand.Outer(outer + i);
            lines[Place * (at + i)] = line.Offset;
            lines[Place * (at + i) + 1] = line.Row;
            lines[Place * (at + i) + 2] = line.Column;
        }
    }

    /// <summary>Reads a block into a thread's own array, [row, term].</summary>
    public static void Load<TOperand>(TOperand operand, int[] lines, int at, int term, float[] values, int first) where TOperand : struct, IOperand
    {
        var along = operand.Term(term);
        for (var i = 0; i < Side; i++)
        {
            var index = TOperand.AlongK ? operand.Index(Line(lines, at + i), along) : operand.Index(Line(lines, at), i == 0 ? along : operand.Term(term + i));
            var quad = index < 0 ? default : operand.Memory.Elements.Cast<Quad>()[index / 4];
            int place = TOperand.AlongK ? first + Side * i : first + i, apart = TOperand.AlongK ? 1 : Side;
            values[place] = quad.X;
            values[place + apart] = quad.Y;
            values[place + 2 * apart] = quad.Z;
            values[place + 3 * apart] = quad.W;
        }
    }

    /// <summary>The four terms of a row.</summary>
    public static Quad Terms(float[] values, int first, int row) => new(values[first + Side * row], values[first + Side * row + 1], values[first + Side * row + 2], values[first + Side * row + 3]);

    static Coordinate Line(int[] lines, int line) => new(lines[Place * line], lines[Place * line + 1], lines[Place * line + 2]);
}
