using System.Numerics;
using System.Runtime.Intrinsics;

namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>
/// wgmma.mma_async of 64 x N sums, d = a b + d, with left factors in registers (PTX ISA, "Register Fragments" and "Shared Memory Matrix Layout"). A warp has 16 of the rows: with
/// g = lane / 4 and t = lane mod 4, the elements of a lane are
/// <code>
///   .tf32   a_i at row g + 8 (i mod 2),        term t + 4 (i / 2)
///   .bf16   a_i at row g + 8 (i / 2 mod 2),    term 2 t + i mod 2 + 8 (i / 4)
///   d       d_i at row g + 8 (i / 2 mod 2),    column 8 (i / 4) + 2 t + i mod 2
/// </code>
/// Right factors are in shared memory as the descriptor says: along the sum (K-major) and without swizzle. Eight columns of 16 bytes are a core matrix.
/// </summary>
sealed class GroupMultiply(int[] d, int[] a, int matrix, int add, bool bf16) : Instruction
{
    const int Rows = 16, CoreColumns = 8, CoreBytes = 16;

    int Columns => d.Length * 2;

    int Depth => bf16 ? 16 : 8;

    /// <summary>The registers of the sums and of the left factors.</summary>
    public IReadOnlyList<int> Sums => d;

    public IReadOnlyList<int> Left => a;

    public override void Execute(Warp warp, uint lanes)
    {
        warp.RequireAll(lanes, uint.MaxValue);
        var products = warp.Products;
        products.Begin(this, warp.At<ulong>(matrix, 0));
        for (var lane = 1; lane < Warp.Size; lane++)
            if (warp.At<ulong>(matrix, lane) != warp.At<ulong>(matrix, 0)) throw warp.Fault(lane, "the descriptor differs from that of lane 0");

        double[] left = new double[Rows * Depth], right = Right(warp, warp.At<ulong>(matrix, 0)), sums = new double[Rows * Columns];
        for (var lane = 0; lane < Warp.Size; lane++)
        {
            int g = lane / 4, t = lane % 4;
            for (var i = 0; i < (bf16 ? 8 : 4); i++)
                if (bf16) left[(g + 8 * (i / 2 % 2)) * Depth + 2 * t + i % 2 + 8 * (i / 4)] = MatrixMultiply.Half(warp.At<uint>(a[i / 2], lane), i % 2);
                else left[(g + 8 * (i % 2)) * Depth + t + 4 * (i / 2)] = MatrixMultiply.Tf32(warp.At<uint>(a[i], lane));
            for (var i = 0; i < d.Length; i++) sums[Place(lane, i)] = (warp.Predicates[add] >> lane & 1) != 0 ? products.Sum(d[i], lane) : 0;
        }

        for (var row = 0; row < Rows; row++)
            for (var column = 0; column < Columns; column += Vector512<double>.Count)
            {
                var sum = Vector512.Create<double>(sums.AsSpan(row * Columns + column));
                for (var k = 0; k < Depth; k++) sum += left[row * Depth + k] * Vector512.Create<double>(right.AsSpan(k * Columns + column));
                sum.CopyTo(sums, row * Columns + column);
            }

        for (var i = 0; i < d.Length; i++)
            for (var lane = 0; lane < Warp.Size; lane++) products.SetSum(d[i], lane, (float)sums[Place(lane, i)]);
    }

    int Place(int lane, int i) => (lane / 4 + 8 * (i / 2 % 2)) * Columns + 8 * (i / 4) + 2 * (lane % 4) + i % 2;

    // [term, column]. In the descriptor, in units of 16 bytes: bits 0 to 13 are the address, 16 to 29 the distance of core matrices along the sum, 32 to 45 their distance along the columns.
    double[] Right(Warp warp, ulong descriptor)
    {
        ulong Field(int bit, int bits) => descriptor >> bit & ((1ul << bits) - 1);
        if (Field(62, 2) != 0 || Field(49, 3) != 0) throw warp.Fault(0, $"the descriptor {descriptor:x16} asks for a swizzle or an offset, which the interpreter does not know");
        ulong start = 16 * Field(0, 14), along = 16 * Field(16, 14), across = 16 * Field(32, 14);
        var right = new double[Depth * Columns];
        for (var column = 0; column < Columns; column++)
            for (var half = 0; half < 2; half++)
                for (var word = 0; word < CoreBytes / 4; word++)
                {
                    var address = start + (ulong)half * along + (ulong)(column / CoreColumns) * across + (ulong)(column % CoreColumns * CoreBytes + 4 * word);
                    var value = warp.Block.Shared.BeginGroupRead(warp, address);
                    warp.Products.Read(address);
                    if (!bf16) right[(4 * half + word) * Columns + column] = MatrixMultiply.Tf32(value);
                    else
                        for (var upper = 0; upper < 2; upper++) right[(8 * half + 2 * word + upper) * Columns + column] = MatrixMultiply.Half(value, upper);
                }

        return right;
    }
}

/// <summary>A fence: before it, other instructions may use registers of the warp; after it, wgmma.mma_async may use them.</summary>
sealed class GroupFence : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        warp.RequireAll(lanes, uint.MaxValue);
        warp.Products.Fence();
    }
}

sealed class CommitGroup : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        warp.RequireAll(lanes, uint.MaxValue);
        warp.Products.Commit();
    }
}

/// <summary>Waits for all batches of products but the last few.</summary>
sealed class WaitForGroups(int butLast) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        warp.RequireAll(lanes, uint.MaxValue);
        warp.Products.Wait(butLast);
    }
}

/// <summary>fence.proxy.async: wgmma.mma_async after it sees the thread's earlier writes to shared memory.</summary>
sealed class ProxyFence : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var rest = lanes; rest != 0; rest &= rest - 1) warp.Block.Shared.FenceProxy(warp, BitOperations.TrailingZeroCount(rest));
    }
}

/// <summary>
/// The unfinished products of a warp (wgmma.mma_async). Their sums arrive only when the warp waits for them. Until then nothing may access the registers of the sums, change
/// the registers of the left factors or write to the right factors.
/// </summary>
sealed class GroupProducts(Warp warp, PtxKernel kernel)
{
    // For each register: its future sums, the batch of the last instruction that adds to it (0 for none), and the time when another instruction accessed it.
    readonly Dictionary<int, float[]> coming = [];
    readonly Dictionary<int, int> batchOf = [], touched = [];
    readonly List<(int Batch, ulong Address)> reads = [];
    readonly List<(int Batch, int Register, uint[] Words, Instruction By)> lefts = [];
    int batch, clock, fence;

    /// <summary>The number of instructions that were begun, and a digest of them. All four warps of a group must have begun the same instructions.</summary>
    public (int Count, int Digest) Begun { get; private set; }

    public void Clear()
    {
        coming.Clear();
        batchOf.Clear();
        touched.Clear();
        reads.Clear();
        lefts.Clear();
        (batch, clock, fence, Begun) = (1, 1, 0, default);
    }

    /// <summary>Notes that another instruction uses registers.</summary>
    public void Touch(IReadOnlyList<int> registers)
    {
        clock++;
        foreach (var register in registers)
        {
            if (!kernel.GroupRegisters.Contains(register)) continue;
            if (batchOf.ContainsKey(register)) throw warp.Fault(0, "a register of sums is accessed while products may still be added to it: wgmma.wait_group");
            touched[register] = clock;
        }
    }

    public void Fence() => fence = ++clock;

    public void Begin(GroupMultiply instruction, ulong descriptor)
    {
        Begun = (Begun.Count + 1, HashCode.Combine(Begun.Digest, instruction.Line, descriptor));
        if (fence == 0) throw warp.Fault(0, "there was no wgmma.fence before it");
        foreach (var register in instruction.Sums.Concat(instruction.Left))
            if (touched.GetValueOrDefault(register) > fence) throw warp.Fault(0, "one of its registers was used by another instruction since the last wgmma.fence");
        foreach (var register in instruction.Left) lefts.Add((batch, register, Words(register), instruction));
    }

    public void Read(ulong address) => reads.Add((batch, address));

    public float Sum(int register, int lane) => coming.TryGetValue(register, out var sums) ? sums[lane] : warp.At<float>(register, lane);

    public void SetSum(int register, int lane, float sum)
    {
        if (!coming.TryGetValue(register, out var sums)) coming[register] = sums = new float[Warp.Size];
        sums[lane] = sum;
        batchOf[register] = batch;
    }

    public void Commit() => batch++;

    public void Wait(int butLast)
    {
        bool IsDone(int number) => number < batch - butLast;
        foreach (var (number, register, words, by) in lefts)
            if (IsDone(number) && !words.SequenceEqual(Words(register))) throw warp.Fault(0, $"a register of left factors has changed while the products of line {by.Line} may still read it");
        lefts.RemoveAll(left => IsDone(left.Batch));
        foreach (var (number, address) in reads)
            if (IsDone(number)) warp.Block.Shared.EndGroupRead(warp, address);
        reads.RemoveAll(read => IsDone(read.Batch));
        foreach (var register in batchOf.Where(sums => IsDone(sums.Value)).Select(sums => sums.Key).ToArray())
        {
            for (var lane = 0; lane < Warp.Size; lane++) warp.At<float>(register, lane) = coming[register][lane];
            coming.Remove(register);
            batchOf.Remove(register);
        }

    }

    uint[] Words(int register) => [.. Enumerable.Range(0, Warp.Size).Select(lane => warp.At<uint>(register, lane))];
}
