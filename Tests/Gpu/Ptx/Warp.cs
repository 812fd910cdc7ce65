using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>
/// 32 threads that execute one instruction at a time. If they take different paths, one path runs first. All continue together at the first
/// instruction that every path reaches (the immediate post-dominator of the branch).
/// </summary>
sealed class Warp
{
    public const int Size = 32;

    /// <summary>More instructions than any kernel of a test takes.</summary>
    const long MostInstructions = 200_000_000;

    /// <summary>The content of a register that was never written: not a small number, and NaN as a float.</summary>
    const uint Poison = 0xFFBADBAD;

    static readonly Vector512<uint> Bits = Vector512.Create([.. Enumerable.Range(0, 16).Select(i => 1u << i)]);
    static readonly Vector512<ulong> WideBits = Vector512.Create([.. Enumerable.Range(0, 8).Select(i => 1ul << i)]);

    readonly PtxKernel kernel;
    readonly uint[] registers;
    readonly bool multipliesByGroup;
    readonly List<Path> paths = [];
    long executed;

    public Warp(PtxKernel kernel, Block block, int number)
    {
        (this.kernel, Block, Number) = (kernel, block, number);
        registers = new uint[kernel.RegisterWords];
        Predicates = new uint[kernel.Predicates];
        Local = new LocalMemory(kernel);
        Products = new GroupProducts(this, kernel);
        multipliesByGroup = kernel.GroupRegisters.Count > 0;
    }

    public Block Block { get; }

    public int Number { get; }

    /// <summary>For each predicate, one bit for each lane.</summary>
    public uint[] Predicates { get; }

    public LocalMemory Local { get; }

    public AsyncCopies Copies { get; } = new();

    /// <summary>The unfinished products (wgmma.mma_async).</summary>
    public GroupProducts Products { get; }

    /// <summary>The lanes that are threads, and those of them that have returned.</summary>
    public uint Present { get; private set; }

    public uint Returned { get; private set; }

    /// <summary>The lanes that have written to global memory since their last fence, and those that have executed a fence since the block counted others.</summary>
    public uint Unfenced { get; set; }

    public uint Acquired { get; set; }

    /// <summary>The lanes that have waited for the previous grids, or need not wait.</summary>
    public uint Waited { get; set; }

    /// <summary>The allocation of the last access to global memory. The next access usually has the same.</summary>
    public Allocation? LastAllocation { get; set; }

    /// <summary>The barrier at which the warp waits.</summary>
    public Instruction? Barrier { get; set; }

    public bool IsDone => paths.Count == 0;

    ref Path Top => ref CollectionsMarshal.AsSpan(paths)[^1];

    // ---- registers

    public ref T At<T>(int register, int lane) => ref Unsafe.Add(ref Unsafe.As<uint, T>(ref registers[register]), lane);

    public Vector512<T> Load<T>(int register, int lane) => Unsafe.As<T, Vector512<T>>(ref At<T>(register, lane));

    public Vector256<T> LoadHalf<T>(int register, int lane) => Unsafe.As<T, Vector256<T>>(ref At<T>(register, lane));

    public void Store<T>(int register, int lane, Vector512<T> value, uint lanes)
    {
        ref var target = ref Unsafe.As<T, Vector512<T>>(ref At<T>(register, lane));
        target = lanes == uint.MaxValue ? value : Vector512.ConditionalSelect(Mask<T>(lanes, lane), value, target);
    }

    public void SetPredicate(int predicate, uint value, uint lanes) => Predicates[predicate] = value & lanes | Predicates[predicate] & ~lanes;

    /// <summary>Returns a word of ones for each participating lane of a vector.</summary>
    public static Vector512<T> Mask<T>(uint lanes, int first)
    {
        if (Unsafe.SizeOf<T>() == 4) return Vector512.Equals(Vector512.Create(lanes >> first) & Bits, Bits).As<uint, T>();
        return Vector512.Equals(Vector512.Create((ulong)(lanes >> first)) & WideBits, WideBits).As<ulong, T>();
    }

    // ---- running

    /// <summary>Resets the warp before the first instruction of another block.</summary>
    public void Start(uint present)
    {
        (Present, Returned, Barrier, executed) = (present, 0, null, 0);
        (Unfenced, Acquired, LastAllocation) = (0, 0, null);
        Waited = kernel.Waits ? 0 : uint.MaxValue;
        Array.Fill(registers, Poison);
        foreach (var (register, bits, wide) in kernel.Constants)
            for (var lane = 0; lane < Size; lane++)
                if (wide) At<ulong>(register, lane) = bits;
                else At<uint>(register, lane) = (uint)bits;
        foreach (var (predicate, value) in kernel.ConstantPredicates) Predicates[predicate] = value ? uint.MaxValue : 0;
        foreach (var (register, special) in kernel.SpecialRegisters)
            for (var lane = 0; lane < Size; lane++) At<int>(register, lane) = Block.Special(special, Number * Size + lane);
        Local.Clear();
        Copies.Clear();
        Products.Clear();
        paths.Clear();
        paths.Add(new Path(0, kernel.Code.Length, present));
    }

    /// <summary>Runs until a barrier or the end.</summary>
    public void Run()
    {
        Barrier = null;
        var code = kernel.Code;
        while (paths.Count > 0 && Barrier is null)
        {
            ref var path = ref Top;
            if (path.Next == path.Join || path.Lanes == 0)
            {
                paths.RemoveAt(paths.Count - 1);
                continue;
            }

            var instruction = code[path.Next++];
            var lanes = path.Lanes;
            if (instruction.Guard >= 0) lanes &= instruction.GuardNegated ? ~Predicates[instruction.Guard] : Predicates[instruction.Guard];
            if (++executed > MostInstructions) throw Fault(0, "this kernel does not end");
            if (lanes == 0) continue;
            if (multipliesByGroup && instruction is not GroupMultiply) Products.Touch(instruction.Registers);
            instruction.Execute(this, lanes);
        }
    }

    /// <summary>Lets some lanes continue at a target and the others with the next instruction, until they meet again at a third.</summary>
    public void Branch(uint taken, int target, int join)
    {
        ref var path = ref Top;
        var (next, others) = (path.Next, path.Lanes & ~taken);
        if (others == 0)
        {
            path.Next = target;
            return;
        }

        // Lanes that would wait where this path ends anyway need no separate path.
        path.Next = join;
        if (path.Join == join) paths.RemoveAt(paths.Count - 1);
        if (next != join) paths.Add(new Path(next, join, others));
        if (target != join) paths.Add(new Path(target, join, taken));
    }

    public void Return(uint lanes)
    {
        Returned |= lanes;
        foreach (ref var path in CollectionsMarshal.AsSpan(paths)) path.Lanes &= ~lanes;
    }

    /// <summary>Refuses an instruction for whole warps if lanes are missing.</summary>
    public void RequireAll(uint lanes, uint all)
    {
        if (lanes != all) throw Fault(BitOperations.TrailingZeroCount(lanes), $"threads of the warp are missing: lanes {all:x8} must take part, {lanes:x8} do ({Returned:x8} have returned)");
    }

    public uint NumberInGrid(int lane) => Block.FirstThread + (uint)(Number * Size + lane);

    public Instruction Current => kernel.Code[Top.Next - 1];

    public PtxFault Fault(int lane, string message) => PtxFault.At(kernel.Name, Current, $"{Block.Describe(Number * Size + lane)}: ", message);

    struct Path(int next, int join, uint lanes)
    {
        public int Next = next;
        public uint Lanes = lanes;
        public readonly int Join = join;
    }
}
