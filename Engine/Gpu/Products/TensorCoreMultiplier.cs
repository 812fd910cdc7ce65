using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// Tensor cores: operands rounded to a format, products added up in float32, OwnRows x OwnColumns elements a warp by instructions of 16 x 8.
/// Two steps are on their way from memory by asynchronous copies while one is multiplied.
/// </summary>
readonly struct TensorCoreMultiplier<TTile, TCores> : IMultiplier where TTile : struct, IWarpTile where TCores : struct, ICores
{
    public static bool Unrolled => TCores.Unrolled;

    public static int Rows => TTile.Rows;

    public static int Columns => TTile.Columns;

    public static int Depth => Fragments.Terms;

    public static int Threads => WarpTile<TTile>.Lanes * WarpTile<TTile>.Down * WarpTile<TTile>.Across;

    public static int Sums => TTile.OwnRows * TTile.OwnColumns / WarpTile<TTile>.Lanes;

    public static int Ahead => 2;

    public static int PartFloats => WarpTile<TTile>.RightPart + Depth * Columns;

    public static int Staged => 1;

    public static int Slabs => TTile.OwnRows / 8;

    public static int SlabRows => 8 * WarpTile<TTile>.Down;

    // Lanes four apart store to the next row: eight floats on, they fall into other banks.
    public static int SlabPitch => Columns + 8;

    public static int Lines<TLeft, TRight>() where TLeft : struct, IOperand where TRight : struct, IOperand => LeftRows<TLeft>() + Staging<RightSide<TensorCoreMultiplier<TTile, TCores>>, TRight, Vector>.Rows;

    static int LeftRows<TLeft>() where TLeft : struct, IOperand => Staging<LeftSide<TensorCoreMultiplier<TTile, TCores>>, TLeft, Vector>.Rows;

    public static void Locate<TLeft, TRight>(TLeft left, TRight right, int row, int column, int[] lines) where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        Staging<LeftSide<TensorCoreMultiplier<TTile, TCores>>, TLeft, Vector>.Locate(left, row, lines, 0);
        Staging<RightSide<TensorCoreMultiplier<TTile, TCores>>, TRight, Vector>.Locate(right, column, lines, 3 * LeftRows<TLeft>());
    }

    public static void Request<TLeft, TRight>(TLeft left, TRight right, int[] lines, int k, int end, float[] staged, ArrayView<float> shared, int part) where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        if (k < end)
        {
            var address = AsyncCopy.SharedMemoryAddress();
            Copy<LeftSide<TensorCoreMultiplier<TTile, TCores>>, TLeft>(left, lines, 0, k, shared, address, part);
            Copy<RightSide<TensorCoreMultiplier<TTile, TCores>>, TRight>(right, lines, 3 * LeftRows<TLeft>(), k, shared, address, part + WarpTile<TTile>.RightPart);
        }

        AsyncCopy.Commit();
    }

    public static void Receive<TLeft, TRight>(float[] staged, ArrayView<float> shared, int part) where TLeft : struct, IOperand where TRight : struct, IOperand => AsyncCopy.WaitForAllButOne();

    public static void Drain() => AsyncCopy.WaitForAll();

    public static void Multiply<TLeft, TRight>(ArrayView<float> shared, int part, float[] sums) where TLeft : struct, IOperand where TRight : struct, IOperand =>
        TCores.Multiply<TTile, TLeft, TRight>(shared, part, sums);

    public static int RowOf(int slab, int line) => line / 8 * TTile.OwnRows + 8 * slab + (line & 7);

    public static void Put(float[] sums, int slab, ArrayView<float> shared)
    {
        int line = 8 * WarpTile<TTile>.Line, column = WarpTile<TTile>.FirstColumn, lane = WarpTile<TTile>.Lane;
        for (var i = 0; i < WarpTile<TTile>.RowBlocks; i++)
            for (var j = 0; j < WarpTile<TTile>.ColumnBlocks; j++)
                for (var sum = 0; sum < Fragments.SumsPerLane; sum++)
                    if (2 * i + sum / 2 == slab)
                        shared[(line + (Fragments.SumRow(lane, sum) & 7)) * SlabPitch + column + j * Fragments.Columns + Fragments.SumColumn(lane, sum)] = sums[WarpTile<TTile>.SumAt(i, j, sum)];
    }

    static void Copy<TSide, TOperand>(TOperand operand, int[] lines, int at, int from, ArrayView<float> shared, int address, int part) where TSide : struct, ISide where TOperand : struct, IOperand
    {
        for (var i = 0; i < Staging<TSide, TOperand, Vector>.Terms; i++)
        {
            var term = Staging<TSide, TOperand, Vector>.TermOf(operand, from, i);
            for (var j = 0; j < Staging<TSide, TOperand, Vector>.Rows; j++)
            {
                var q = Staging<TSide, TOperand, Vector>.QuadOf(j, i);
                if (!Staging<TSide, TOperand, Vector>.Has(q)) continue;
                var index = operand.Index(Staging<TSide, TOperand, Vector>.RowOf(lines, at, j), term);
                int along = Staging<TSide, TOperand, Vector>.Along, across = Staging<TSide, TOperand, Vector>.Across + q * Staging<TSide, TOperand, Vector>.Apart;
                var place = TOperand.AlongK ? Fragments.At<TOperand>(TSide.Outer, across, along) : Fragments.At<TOperand>(TSide.Outer, along, across);
                AsyncCopy.Quad(operand.Memory, index, shared, address, part + place);
            }
        }
    }
}
