using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// Tensor cores: operands are rounded to a format, and products are added up in float32. A warp computes OwnRows x OwnColumns elements by instructions of 16 x 8.
/// Asynchronous copies load two steps from memory while one is multiplied.
/// </summary>
readonly struct TensorCoreMultiplier<TTile, TCores> : IMultiplier where TTile : struct, IWarpTile where TCores : struct, ICores
{
    public static bool Unrolled => TCores.Unrolled;

    // A thread needs about 100 registers in addition to its sums. Without this limit, ptxas uses fewer registers if that makes room for one more group, and spills.
    public static int GroupsPerMultiprocessor => 65536 / (Threads * (Sums + 100));

    public static int Rows => TTile.Rows;

    public static int Columns => TTile.Columns;

    public static int Depth => Fragments.Terms;

    public static int Threads => WarpTile<TTile>.Lanes * WarpTile<TTile>.Down * WarpTile<TTile>.Across;

    public static int Sums => TTile.OwnRows * TTile.OwnColumns / WarpTile<TTile>.Lanes;

    public static int Ahead => 2;

    public static int Parts => 3;

    public static int PartFloats => WarpTile<TTile>.RightPart + Depth * Columns;

    public static int WorkingFloats => Parts * PartFloats;

    public static int Staged => 1;

    // Lanes four apart store to the next row. With eight floats more per row they use other banks.
    public static int SlabPitch => Columns + 8;

    public static int Lines<TLeft, TRight>() where TLeft : struct, IOperand where TRight : struct, IOperand => LeftRows<TLeft>() + Staging<RightSide<TensorCoreMultiplier<TTile, TCores>>, TRight, Vector>.Rows;

    static int LeftRows<TLeft>() where TLeft : struct, IOperand => Staging<LeftSide<TensorCoreMultiplier<TTile, TCores>>, TLeft, Vector>.Rows;

    public static void Locate<TLeft, TRight>(TLeft left, TRight right, int row, int column, int[] lines) where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        Staging<LeftSide<TensorCoreMultiplier<TTile, TCores>>, TLeft, Vector>.Locate(left, row, lines, 0);
        Staging<RightSide<TensorCoreMultiplier<TTile, TCores>>, TRight, Vector>.Locate(right, column, lines, 3 * LeftRows<TLeft>());
    }

    public static bool MultipliesMeanwhile => false;

    public static void Clear(float[] sums)
    {
        for (var i = 0; i < Sums; i++) sums[i] = 0f;
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

    public static void Multiply<TLeft, TRight>(float[] staged, ArrayView<float> shared, int part, float[] sums) where TLeft : struct, IOperand where TRight : struct, IOperand =>
        TCores.Multiply<TTile, TLeft, TRight>(shared, part, sums);

    // A slab has the same rows of every warp.
    static int RowsOfSlab => TTile.OwnRows / TileMemory<TensorCoreMultiplier<TTile, TCores>>.Slabs;

    public static int RowOf(int slab, int line) => RowsOfSlab == TTile.OwnRows ? line : line / RowsOfSlab * TTile.OwnRows + RowsOfSlab * slab + (line & (RowsOfSlab - 1));

    public static void Put(float[] sums, int slab, ArrayView<float> shared)
    {
        var lane = WarpTile<TTile>.Lane;
        var pairs = shared.Cast<Pair>().SubView(((WarpTile<TTile>.Line * RowsOfSlab + Fragments.SumRow(lane, 0)) * SlabPitch + WarpTile<TTile>.FirstColumn + Fragments.SumColumn(lane, 0)) / 2);
        for (var i = 0; i < WarpTile<TTile>.RowBlocks; i++)
            for (var half = 0; half < 2; half++)
            {
                var row = i * Fragments.Rows + 8 * half;
                if (RowsOfSlab < TTile.OwnRows && row / RowsOfSlab != slab) continue;
                for (var j = 0; j < WarpTile<TTile>.ColumnBlocks; j++)
                    pairs[((row & (RowsOfSlab - 1)) * SlabPitch + j * Fragments.Columns) / 2] = new Pair(sums[WarpTile<TTile>.SumAt(i, j, 2 * half)], sums[WarpTile<TTile>.SumAt(i, j, 2 * half + 1)]);
            }
    }

    static void Copy<TSide, TOperand>(TOperand operand, int[] lines, int at, int from, ArrayView<float> shared, int address, int part) where TSide : struct, ISide where TOperand : struct, IOperand
    {
        if (!Staging<TSide, TOperand, Vector>.IsBusy) return;
        int along = Staging<TSide, TOperand, Vector>.Along, across = Staging<TSide, TOperand, Vector>.Across;
        var place = part + (TOperand.AlongK ? Fragments.At<TOperand>(TSide.Outer, across, along) : Fragments.At<TOperand>(TSide.Outer, along, across));
        var term = Staging<TSide, TOperand, Vector>.TermOf(operand, from, 0);
        for (var i = 0; i < Staging<TSide, TOperand, Vector>.Rows; i++)
        {
            var index = operand.Index(Staging<TSide, TOperand, Vector>.RowOf(lines, at, i), term);

            // The distance of quads does not change the swizzled bits of their places.
            AsyncCopy.Quad(operand.Memory, index, shared, address, place + i * Staging<TSide, TOperand, Vector>.Apart * (TOperand.AlongK ? Depth : 1));
        }
    }
}
