using System.Numerics;
using System.Runtime.Intrinsics;

namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>
/// One decoded instruction of a warp: the places of its operands in the registers, and its effect on the participating lanes. All sources are
/// registers; numbers in the text have their own registers.
/// </summary>
abstract class Instruction
{
    /// <summary>The line of the instruction in the text.</summary>
    public int Line { get; set; }

    public string Text { get; set; } = "";

    /// <summary>The registers that the instruction uses.</summary>
    public IReadOnlyList<int> Registers { get; set; } = [];

    /// <summary>The predicate that selects the participating lanes, or -1.</summary>
    public int Guard { get; set; } = -1;

    public bool GuardNegated { get; set; }

    /// <summary>The labels to which the instruction may jump.</summary>
    public virtual IReadOnlyList<string> Labels => [];

    /// <summary>Whether participating lanes may continue with the next instruction.</summary>
    public virtual bool FallsThrough => true;

    /// <summary>Executes the instruction for at least one lane of a warp. The registers of other lanes do not change.</summary>
    public abstract void Execute(Warp warp, uint lanes);
}

/// <summary>d = f(a) for 16 or 8 lanes at once.</summary>
sealed class Unary<T>(int d, int a, Func<Vector512<T>, Vector512<T>> f) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var i = 0; i < Warp.Size; i += Vector512<T>.Count) warp.Store(d, i, f(warp.Load<T>(a, i)), lanes);
    }
}

sealed class Binary<T>(int d, int a, int b, Func<Vector512<T>, Vector512<T>, Vector512<T>> f) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var i = 0; i < Warp.Size; i += Vector512<T>.Count) warp.Store(d, i, f(warp.Load<T>(a, i), warp.Load<T>(b, i)), lanes);
    }
}

sealed class Ternary<T>(int d, int a, int b, int c, Func<Vector512<T>, Vector512<T>, Vector512<T>, Vector512<T>> f) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var i = 0; i < Warp.Size; i += Vector512<T>.Count) warp.Store(d, i, f(warp.Load<T>(a, i), warp.Load<T>(b, i), warp.Load<T>(c, i)), lanes);
    }
}

/// <summary>An operation with 32-bit sources and a 64-bit result. The sources are widened as numbers of <typeparamref name="T"/>, with or without sign.</summary>
sealed class Widening<T>(int d, int a, int b, Func<Vector512<T>, Vector512<T>, Vector512<T>> f) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var i = 0; i < Warp.Size; i += Vector512<T>.Count) warp.Store(d, i, f(Wide(warp, a, i), Wide(warp, b, i)), lanes);
    }

    static Vector512<T> Wide(Warp warp, int register, int lane) => typeof(T) == typeof(long)
        ? Vector512.Create(Vector256.WidenLower(warp.LoadHalf<int>(register, lane)), Vector256.WidenUpper(warp.LoadHalf<int>(register, lane))).As<long, T>()
        : Vector512.Create(Vector256.WidenLower(warp.LoadHalf<uint>(register, lane)), Vector256.WidenUpper(warp.LoadHalf<uint>(register, lane))).As<ulong, T>();
}

/// <summary>The lower halves of 64-bit integers.</summary>
sealed class Narrowing(int d, int a) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var i = 0; i < Warp.Size; i += Vector512<uint>.Count)
            warp.Store(d, i, Vector512.Narrow(warp.Load<ulong>(a, i), warp.Load<ulong>(a, i + Vector512<ulong>.Count)), lanes);
    }
}

/// <summary>d = f(a, b), lane by lane, for functions without vectors.</summary>
sealed class EachLane<TA, TB, TD>(int d, int a, int b, Func<TA, TB, TD> f) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var rest = lanes; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            try
            {
                warp.At<TD>(d, lane) = f(warp.At<TA>(a, lane), warp.At<TB>(b, lane));
            }
            catch (ArithmeticException exception)
            {
                throw warp.Fault(lane, exception.Message);
            }
        }
    }
}

/// <summary>A predicate from a test of two numbers, and from another predicate if the instruction names one.</summary>
sealed class Compare<T>(int p, int a, int b, Func<Vector512<T>, Vector512<T>, Vector512<T>> f, Func<uint, uint, uint>? combine, int c, bool negated) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        var holds = 0u;
        for (var i = 0; i < Warp.Size; i += Vector512<T>.Count) holds |= (uint)f(warp.Load<T>(a, i), warp.Load<T>(b, i)).ExtractMostSignificantBits() << i;
        if (combine is not null) holds = combine(holds, negated ? ~warp.Predicates[c] : warp.Predicates[c]);
        warp.SetPredicate(p, holds, lanes);
    }
}

/// <summary>A predicate from other predicates.</summary>
sealed class Logic(int p, int a, int b, Func<uint, uint, uint> f) : Instruction
{
    public override void Execute(Warp warp, uint lanes) => warp.SetPredicate(p, f(warp.Predicates[a], warp.Predicates[b]), lanes);
}

/// <summary>One of two values, selected by a predicate.</summary>
sealed class Select<T>(int d, int a, int b, int p) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var i = 0; i < Warp.Size; i += Vector512<T>.Count)
            warp.Store(d, i, Vector512.ConditionalSelect(Warp.Mask<T>(warp.Predicates[p], i), warp.Load<T>(a, i), warp.Load<T>(b, i)), lanes);
    }
}
