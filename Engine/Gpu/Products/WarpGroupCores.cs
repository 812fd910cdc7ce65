using ILGPU;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>Multiplies a step whose left factors are in a thread's own array and whose right factors are in shared memory.</summary>
interface IWarpGroupCores
{
    /// <inheritdoc cref="IKernel.Unrolled"/>
    static abstract bool Unrolled { get; }

    /// <inheritdoc cref="IFormat.Words"/>
    static abstract int Words { get; }

    /// <inheritdoc cref="IMultiplier.Sums"/>
    static abstract int Sums { get; }

    /// <inheritdoc cref="IMultiplier.Parts"/>
    static abstract int Parts { get; }

    /// <summary>The number of floats of a part that hold left factors.</summary>
    static abstract int LeftFloats { get; }

    /// <inheritdoc cref="IMultiplier.Clear"/>
    static abstract void Clear(float[] sums);

    /// <inheritdoc cref="IFormat.Pack"/>
    static abstract void Pack(Quad terms, int[] words, int at);

    /// <summary>Makes the thread's part of a step visible, after a barrier, to the threads that multiply it.</summary>
    /// <param name="staged">The thread's own array, its left factors first.</param>
    /// <param name="shared">The group's memory, which already has the right factors.</param>
    /// <param name="left">The first of its <see cref="LeftFloats"/> floats for left factors.</param>
    static abstract void Publish(float[] staged, ArrayView<float> shared, int left);

    /// <summary>Adds the products of a step, or starts to. Afterwards <paramref name="staged"/> is free.</summary>
    /// <param name="staged">The thread's own array, its left factors first.</param>
    /// <param name="shared">The group's memory.</param>
    /// <param name="right">The first float of the right factors there.</param>
    /// <param name="left">The first of its <see cref="LeftFloats"/> floats for left factors.</param>
    /// <param name="sums">The thread's sums, if they are not in registers of the instructions.</param>
    static abstract void Multiply(float[] staged, ArrayView<float> shared, int right, int left, float[] sums);

    /// <summary>Waits for all products.</summary>
    static abstract void Wait();

    /// <summary>Stores the thread's sums of a slab.</summary>
    /// <param name="sums">The thread's sums, if they are not in registers of the instructions.</param>
    /// <param name="slab">The number of the slab, counted from 0.</param>
    /// <param name="shared">Gets [line, column].</param>
    /// <param name="pitch">Floats from line to line.</param>
    static abstract void Put(float[] sums, int slab, ArrayView<float> shared, int pitch);
}

/// <summary>The instructions of compute capability 9.0. Sums are in registers that only these instructions name (<see cref="WarpGroupText"/>).</summary>
readonly struct WarpGroupCores<TFormat> : IWarpGroupCores where TFormat : struct, IFormat
{
    // The descriptor of the right operand, in units of 16 bytes: from bit 16 on the distance of its two chunks, from bit 32 on the distance of core matrices along the columns.
    const long Layout = (long)WarpGroups.Columns << 16 | 8L << 32;

    public static bool Unrolled => true;

    public static int Words => TFormat.Words;

    public static int Sums => 1;

    public static int Parts => 3;

    public static int LeftFloats => 0;

    public static void Clear(float[] sums) => CudaAsm.Emit("sums.clear;");

    public static void Pack(Quad terms, int[] words, int at) => TFormat.Pack(terms, words, at);

    public static void Publish(float[] staged, ArrayView<float> shared, int left) => CudaAsm.Emit("fence.proxy.async.shared::cta;");

    public static void Multiply(float[] staged, ArrayView<float> shared, int right, int left, float[] sums)
    {
        var matrix = Layout + (AsyncCopy.SharedMemoryAddress() + sizeof(float) * right >> 4);
        for (var i = 0; i < WarpGroups.LeftBlocks; i++)
        {
            // After this the batch that had these registers has ended; the batch after it keeps the tensor cores busy.
            CudaAsm.Emit("wgmma.wait_group.sync.aligned 1;");
            var words = new int[Block.Side * TFormat.Words];
            for (var row = 0; row < Block.Side; row++) TFormat.Pack(Block.Terms(staged, i * Block.Values, row), words, row * TFormat.Words);
            for (var n = 0; n < TFormat.Words / 2; n++)
                TFormat.MultiplyByGroup(
                    Left(words, n, 0, 0), Left(words, n, 0, 1), Left(words, n, 0, 2), Left(words, n, 0, 3), Left(words, n, 1, 0), Left(words, n, 1, 1), Left(words, n, 1, 2), Left(words, n, 1, 3),
                    matrix + (i * TFormat.Words + 2 * n) * WarpGroups.Columns);
            CudaAsm.Emit("sums.start;");
        }
    }

    static int Left(int[] words, int instruction, int half, int register) => words[WarpGroups.LeftRow(half, register) * TFormat.Words + Fragments.LeftWord(instruction, register)];

    public static void Wait() => CudaAsm.Emit("wgmma.wait_group.sync.aligned 0;");

    public static void Put(float[] sums, int slab, ArrayView<float> shared, int pitch)
    {
        var address = AsyncCopy.SharedMemoryAddress() + sizeof(float) * (WarpGroups.SlabLine(Group.IdxX) * pitch + WarpGroups.ColumnOf(WarpGroups.SumPlace(Group.IdxX, 0)));
        if (slab == 0) CudaAsm.Emit("sums.store 0, %0;", address);
        else if (slab == 1) CudaAsm.Emit("sums.store 1, %0;", address);
        else if (slab == 2) CudaAsm.Emit("sums.store 2, %0;", address);
        else CudaAsm.Emit("sums.store 3, %0;", address);
    }
}

/// <summary>
/// The same sums of the same threads by multiply-adds of words at the same places. Left factors go through shared memory too, [rows, words], which then has room for one step. All threads
/// finish multiplying it before any thread continues.
/// </summary>
readonly struct EmulatedWarpGroupCores<TFormat> : IWarpGroupCores where TFormat : struct, IFormat
{
    public static bool Unrolled => false;

    public static int Words => TFormat.Words;

    public static int Sums => WarpGroups.Sums;

    public static int Parts => 1;

    public static int LeftFloats => WarpGroups.Rows * RowWords;

    static int RowWords => WarpGroups.Words(TFormat.Words);

    public static void Clear(float[] sums)
    {
        for (var i = 0; i < WarpGroups.Sums; i++) sums[i] = 0f;
    }

    public static void Pack(Quad terms, int[] words, int at) => TFormat.PackPortably(terms, words, at);

    public static void Publish(float[] staged, ArrayView<float> shared, int left)
    {
        var words = shared.Cast<int>().SubView(left + WarpGroups.FirstRow(Group.IdxX) * RowWords + (Group.IdxX & 3));
        var packed = new int[TFormat.Words];
        for (var i = 0; i < WarpGroups.LeftBlocks; i++)
            for (var row = 0; row < Block.Side; row++)
            {
                TFormat.PackPortably(Block.Terms(staged, i * Block.Values, row), packed, 0);
                for (var word = 0; word < TFormat.Words; word++) words[row * RowWords + (i * TFormat.Words + word) * WarpGroups.ChunkWords] = packed[word];
            }
    }

    public static void Multiply(float[] staged, ArrayView<float> shared, int right, int left, float[] sums)
    {
        var words = shared.Cast<int>();
        for (var k = 0; k < RowWords; k++)
            for (var row = 0; row < Block.Side; row++)
                for (var i = 0; i < WarpGroups.SumsOfRow; i++)
                {
                    int a = words[left + (WarpGroups.FirstRow(Group.IdxX) + row) * RowWords + k];
                    int b = words[right + (k / WarpGroups.ChunkWords * WarpGroups.Columns + WarpGroups.SumPlace(Group.IdxX, i)) * WarpGroups.ChunkWords + (k & (WarpGroups.ChunkWords - 1))];
                    sums[row * WarpGroups.SumsOfRow + i] = TFormat.Add(sums[row * WarpGroups.SumsOfRow + i], a, b);
                }

        Group.Barrier();
    }

    public static void Wait()
    {
    }

    public static void Put(float[] sums, int slab, ArrayView<float> shared, int pitch)
    {
        for (var i = 0; i < WarpGroups.SumsOfRow; i++)
            shared[WarpGroups.SlabLine(Group.IdxX) * pitch + WarpGroups.ColumnOf(WarpGroups.SumPlace(Group.IdxX, i))] = sums[slab * WarpGroups.SumsOfRow + i];
    }
}
