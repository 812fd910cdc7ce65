using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// Tensor cores of compute capability 9.0 (wgmma): two warp groups multiply 256 x 128 sums while the threads load the next step. Both factors are rounded in registers. The
/// left factors stay there, because each warp has its own rows. The right factors go to shared memory, where both groups read them.
/// Floor: the time of the tensor cores, 1024 cycles per step in tf32 and 512 in bf16, and 48 KiB from memory per step.
/// </summary>
/// <remarks>Three parts of shared memory alternate, so that one group may be a step ahead of the other, and no thread waits for products before a barrier.</remarks>
readonly struct WarpGroupMultiplier<TCores> : IMultiplier where TCores : struct, IWarpGroupCores
{
    public static bool Unrolled => TCores.Unrolled;

    public static int GroupsPerMultiprocessor => 0;

    public static int Rows => WarpGroups.Rows;

    public static int Columns => WarpGroups.Columns;

    public static int Depth => WarpGroups.Depth;

    public static int Threads => WarpGroups.Threads;

    public static int Sums => TCores.Sums;

    public static int Ahead => 1;

    public static int Parts => TCores.Parts;

    public static int PartFloats => LeftPart + TCores.LeftFloats;

    public static int WorkingFloats => Parts * PartFloats;

    // The blocks of the left operand, then one block of the right operand.
    public static int Staged => RightValues + Block.Values;

    public static int SlabPitch => Columns + 4;

    public static bool MultipliesMeanwhile => true;

    static int RightValues => WarpGroups.LeftBlocks * Block.Values;

    static int LeftPart => WarpGroups.Words(TCores.Words) * Columns;

    public static int Lines<TLeft, TRight>() where TLeft : struct, IOperand where TRight : struct, IOperand => Block.Lines<TLeft>() + Block.Lines<TRight>();

    public static void Locate<TLeft, TRight>(TLeft left, TRight right, int row, int column, int[] lines) where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        Block.Locate(left, row + WarpGroups.FirstRow(Group.IdxX), lines, 0);
        Block.Locate(right, column + WarpGroups.FirstColumn(Group.IdxX), lines, Block.Lines<TLeft>());
    }

    public static void Clear(float[] sums) => TCores.Clear(sums);

    public static void Request<TLeft, TRight>(TLeft left, TRight right, int[] lines, int k, int end, float[] staged, ArrayView<float> shared, int part) where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        if (k >= end) return;
        Block.Load(right, lines, Block.Lines<TLeft>(), k + WarpGroups.RightTerm(Group.IdxX), staged, RightValues);
        for (var i = 0; i < WarpGroups.LeftBlocks; i++) Block.Load(left, lines, 0, k + WarpGroups.LeftTerm(Group.IdxX, i), staged, i * Block.Values);
    }

    public static void Receive<TLeft, TRight>(float[] staged, ArrayView<float> shared, int part) where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        var words = shared.Cast<int>().SubView(part + WarpGroups.RightPlace(TCores.Words, Group.IdxX));
        for (var column = 0; column < Block.Side; column++)
        {
            var packed = new int[TCores.Words];
            TCores.Pack(Block.Terms(staged, RightValues, column), packed, 0);
            for (var word = 0; word < TCores.Words; word++) words[WarpGroups.RightDistance(column, word)] = packed[word];
        }

        TCores.Publish(staged, shared, part + LeftPart);
    }

    public static void Drain() => TCores.Wait();

    public static void Multiply<TLeft, TRight>(float[] staged, ArrayView<float> shared, int part, float[] sums) where TLeft : struct, IOperand where TRight : struct, IOperand =>
        TCores.Multiply(staged, shared, part, part + LeftPart, sums);

    public static int RowOf(int slab, int line) => Block.Side * line + slab;

    public static void Put(float[] sums, int slab, ArrayView<float> shared) => TCores.Put(sums, slab, shared, SlabPitch);
}
