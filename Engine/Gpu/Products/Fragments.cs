using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// The elements that a lane of a warp gives to mma.sync and gets from it (PTX ISA, "Matrix fragments for mma.m16n8k8" and "m16n8k16").
/// With g = lane / 4 and t = lane mod 4, these are rows g and g + 8 of the left operand, column g of the right operand, and the sums of
/// rows g and g + 8 at columns 2t and 2t + 1.
/// </summary>
/// <remarks>
/// The terms of a sum may come in any order, if it is the same for both operands. A lane takes terms 4t to 4t + 3 of 16, which are adjacent
/// in memory. The manual assigns it t and t + 4, or 2t, 2t + 1, 2t + 8 and 2t + 9.
/// </remarks>
static class Fragments
{
    /// <summary>The sums of an instruction: 16 x 8, four per lane.</summary>
    public const int Rows = 16, Columns = 8, SumsPerLane = 4;

    /// <summary>The number of terms in a step: two instructions in tf32, one in bf16.</summary>
    public const int Terms = 16;

    /// <summary>The lane's row of the left operand (it also has the row 8 below), and its column of the right operand.</summary>
    public static int Outer(int lane) => lane >> 2;

    /// <summary>The first of the lane's four terms.</summary>
    public static int Term(int lane) => 4 * (lane & 3);

    /// <summary>The row (0: g, 1: g + 8) and the word of a register of the left operand.</summary>
    public static int LeftRow(int register) => register & 1;

    public static int LeftWord(int instruction, int register) => 2 * instruction + (register >> 1);

    public static int RightWord(int instruction, int register) => 2 * instruction + register;

    /// <summary>The row and the column of one of the lane's four sums.</summary>
    public static int SumRow(int lane, int sum) => (lane >> 2) + 8 * (sum >> 1);

    public static int SumColumn(int lane, int sum) => 2 * (lane & 3) + (sum & 1);

    /// <summary>
    /// The position of an element of an operand in a part of shared memory. It keeps the order of memory, so that whole quads are copied. Across the sum,
    /// [terms, outers], bits 3 and 4 of an address are swizzled with the lane's t. Then the 32 lanes of a fragment, which differ in outer by 0 to 7
    /// and in k by 0, 4, 8, 12, read 32 different banks. Along the sum, [outers, terms], eight lanes read 32 adjacent floats.
    /// </summary>
    public static int At<TOperand>(int outers, int outer, int k) where TOperand : struct, IOperand =>
        TOperand.AlongK ? outer * Terms + k : (k * outers + outer) ^ (8 * ((k >> 2) & 3));

    /// <summary>
    /// The lane's places in a part, from which the reads of <see cref="Read"/> have constant distances. There is one place or, if bits are swizzled, one for each value of
    /// bits 3 and 4 of that distance, because these bits must not carry into others.
    /// </summary>
    /// <param name="outers">Rows (or columns) of the tile.</param>
    /// <param name="first">The warp's first row (or column).</param>
    /// <param name="lane">The lane within the warp.</param>
    /// <param name="places">Gets four places.</param>
    public static void Locate<TOperand>(int outers, int first, int lane, int[] places) where TOperand : struct, IOperand
    {
        for (var i = 0; i < 4; i++)
            places[i] = TOperand.AlongK ? (first + Outer(lane)) * Terms + Term(lane) : Term(lane) * outers + (first & ~24) + Outer(lane) + ((first & 24) ^ (8 * i) ^ (8 * (lane & 3)));
    }

    /// <summary>The lane's four terms of a row (or column).</summary>
    /// <param name="shared">Shared memory.</param>
    /// <param name="part">The position at which the operand's part begins, divisible by 4.</param>
    /// <param name="outers">Rows (or columns) of the tile.</param>
    /// <param name="places">The places of the lane.</param>
    /// <param name="row">The row, counted from the lane's first row, divisible by 8.</param>
    public static Quad Read<TOperand>(ArrayView<float> shared, int part, int outers, int[] places, int row) where TOperand : struct, IOperand
    {
        if (TOperand.AlongK) return shared.Cast<Quad>().SubView(part / 4 + places[0] / 4)[row * (Terms / 4)];
        return new Quad(Crossed(shared, part, places, row), Crossed(shared, part, places, outers + row), Crossed(shared, part, places, 2 * outers + row), Crossed(shared, part, places, 3 * outers + row));
    }

    static float Crossed(ArrayView<float> shared, int part, int[] places, int distance) => shared.SubView(part + places[(distance >> 3) & 3])[distance & ~24];
}

/// <summary>The layout of the warps of a group, and of the instructions of a warp, in a tile.</summary>
static class WarpTile<TTile> where TTile : struct, IWarpTile
{
    public const int Lanes = 32;

    /// <summary>The number of warps along the rows and the columns of a tile.</summary>
    public static int Down => TTile.Rows / TTile.OwnRows;

    public static int Across => TTile.Columns / TTile.OwnColumns;

    /// <summary>The number of instructions along the rows and the columns of a warp.</summary>
    public static int RowBlocks => TTile.OwnRows / Fragments.Rows;

    public static int ColumnBlocks => TTile.OwnColumns / Fragments.Columns;

    public static int Lane => Group.IdxX & (Lanes - 1);

    /// <summary>The warp's position among the rows of warps, and its first row and column.</summary>
    public static int Line => Group.IdxX / Lanes / Across;

    public static int FirstRow => Line * TTile.OwnRows;

    public static int FirstColumn => (Group.IdxX / Lanes & (Across - 1)) * TTile.OwnColumns;

    /// <summary>The position at which the right operand begins in a part of shared memory.</summary>
    public static int RightPart => TTile.Rows * Fragments.Terms;

    /// <summary>The index of a sum in the lane's array.</summary>
    public static int SumAt(int rowBlock, int columnBlock, int sum) => (rowBlock * ColumnBlocks + columnBlock) * Fragments.SumsPerLane + sum;
}
