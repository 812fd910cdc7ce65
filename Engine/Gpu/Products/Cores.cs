using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>Multiplies a step of <see cref="Fragments.Terms"/> terms that is in shared memory.</summary>
interface ICores
{
    /// <summary>Whether loops must be unrolled before the text is written.</summary>
    static abstract bool Unrolled { get; }

    static abstract void Multiply<TTile, TLeft, TRight>(ArrayView<float> shared, int part, float[] sums) where TTile : struct, IWarpTile where TLeft : struct, IOperand where TRight : struct, IOperand;
}

/// <summary>Tensor cores: a warp multiplies 16 x 8 sums in one instruction.</summary>
readonly struct Cores<TFormat> : ICores where TFormat : struct, IFormat
{
    public static bool Unrolled => true;

    public static void Multiply<TTile, TLeft, TRight>(ArrayView<float> shared, int part, float[] sums) where TTile : struct, IWarpTile where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        int right = part + WarpTile<TTile>.RightPart, lane = WarpTile<TTile>.Lane;
        int[] rows = new int[4], columns = new int[4];
        Fragments.Locate<TLeft>(TTile.Rows, WarpTile<TTile>.FirstRow, lane, rows);
        Fragments.Locate<TRight>(TTile.Columns, WarpTile<TTile>.FirstColumn, lane, columns);
        var b = new int[WarpTile<TTile>.ColumnBlocks * TFormat.Words];
        for (var j = 0; j < WarpTile<TTile>.ColumnBlocks; j++)
            TFormat.Pack(Fragments.Read<TRight>(shared, right, TTile.Columns, columns, j * Fragments.Columns), b, j * TFormat.Words);

        for (var i = 0; i < WarpTile<TTile>.RowBlocks; i++)
        {
            var a = new int[2 * TFormat.Words];
            TFormat.Pack(Fragments.Read<TLeft>(shared, part, TTile.Rows, rows, i * Fragments.Rows), a, 0);
            TFormat.Pack(Fragments.Read<TLeft>(shared, part, TTile.Rows, rows, i * Fragments.Rows + 8), a, TFormat.Words);
            for (var j = 0; j < WarpTile<TTile>.ColumnBlocks; j++)
                for (var n = 0; n < TFormat.Words / 2; n++)
                    TFormat.Multiply(Left(a, n, 0), Left(a, n, 1), Left(a, n, 2), Left(a, n, 3), Right(b, j, n, 0), Right(b, j, n, 1), sums, WarpTile<TTile>.SumAt(i, j, 0));
        }
    }

    static int Left(int[] a, int instruction, int register) => a[Fragments.LeftRow(register) * TFormat.Words + Fragments.LeftWord(instruction, register)];

    static int Right(int[] b, int block, int instruction, int register) => b[block * TFormat.Words + Fragments.RightWord(instruction, register)];
}

/// <summary>For devices without tensor cores: the same sums of the same threads, from the same places of shared memory, by multiply-adds of numbers with the same rounding.</summary>
readonly struct EmulatedCores<TFormat> : ICores where TFormat : struct, IFormat
{
    public static bool Unrolled => false;

    public static void Multiply<TTile, TLeft, TRight>(ArrayView<float> shared, int part, float[] sums) where TTile : struct, IWarpTile where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        int lane = WarpTile<TTile>.Lane, firstRow = WarpTile<TTile>.FirstRow, firstColumn = WarpTile<TTile>.FirstColumn;
        for (var k = 0; k < Fragments.Terms; k++)
            for (var i = 0; i < WarpTile<TTile>.RowBlocks; i++)
                for (var j = 0; j < WarpTile<TTile>.ColumnBlocks; j++)
                    for (var sum = 0; sum < Fragments.SumsPerLane; sum++)
                    {
                        int row = firstRow + i * Fragments.Rows + Fragments.SumRow(lane, sum), column = firstColumn + j * Fragments.Columns + Fragments.SumColumn(lane, sum);
                        float a = shared[part + Fragments.At<TLeft>(TTile.Rows, row, k)], b = shared[part + WarpTile<TTile>.RightPart + Fragments.At<TRight>(TTile.Columns, column, k)];
                        sums[WarpTile<TTile>.SumAt(i, j, sum)] += TFormat.Round(a) * TFormat.Round(b);
                    }
    }
}
