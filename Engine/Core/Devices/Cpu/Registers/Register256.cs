using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace QuadEngine.Devices.Cpu;

/// <summary>8 floats in a register of 256 bits.</summary>
unsafe struct Register256 : IRegister<Register256>
{
    Vector256<float> v;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 8;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Register256(float value) => new() { v = Vector256.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Broadcast(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Load(float* source) => new() { v = Vector256.Load(source) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => v.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 LoadFirst(float* source, int count) => new() { v = Avx.MaskLoad(source, First(count).v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreFirst(float* target, int count) => Avx.MaskStore(target, First(count).v, v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 First(int count) => new() { v = Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Sum() => Vector256.Sum(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Fold<TOp>() where TOp : struct, IReduction<TOp> => TOp.Combine(Register128.Of(v.GetLower()), Register128.Of(v.GetUpper())).Fold<TOp>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MultiplyAdd(Register256 a, Register256 b) => v = Vector256.MultiplyAddEstimate(a.v, b.v, v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 FusedMultiplyAdd(Register256 a, Register256 b, Register256 c) => new() { v = Vector256.FusedMultiplyAdd(a.v, b.v, c.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Select(Register256 mask, Register256 a, Register256 b) => new() { v = Vector256.ConditionalSelect(mask.v, a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator +(Register256 a, Register256 b) => new() { v = a.v + b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator -(Register256 a, Register256 b) => new() { v = a.v - b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator *(Register256 a, Register256 b) => new() { v = a.v * b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator /(Register256 a, Register256 b) => new() { v = a.v / b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator -(Register256 a) => new() { v = -a.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator &(Register256 a, Register256 b) => new() { v = a.v & b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator |(Register256 a, Register256 b) => new() { v = a.v | b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator ~(Register256 a) => new() { v = ~a.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator <(Register256 a, Register256 b) => new() { v = Vector256.LessThan(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator >(Register256 a, Register256 b) => new() { v = Vector256.GreaterThan(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator <=(Register256 a, Register256 b) => new() { v = Vector256.LessThanOrEqual(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator >=(Register256 a, Register256 b) => new() { v = Vector256.GreaterThanOrEqual(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Equal(Register256 a, Register256 b) => new() { v = Vector256.Equals(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 AndNot(Register256 a, Register256 mask) => new() { v = Vector256.AndNot(a.v, mask.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Max(Register256 a, Register256 b) => new() { v = Vector256.MaxNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Min(Register256 a, Register256 b) => new() { v = Vector256.MinNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Abs(Register256 a) => new() { v = Vector256.Abs(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Sqrt(Register256 a) => new() { v = Vector256.Sqrt(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Round(Register256 a) => new() { v = Vector256.Round(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Floor(Register256 a) => new() { v = Vector256.Floor(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Log(Register256 a) => new() { v = Vector256.Log(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(Register256 mask) => Vector256.EqualsAll(mask.v.AsInt32(), Vector256<int>.AllBitsSet);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Permute(Register256 a, int* index) => new() { v = Vector256.ShuffleNative(a.v, Vector256.Load(index)) };

    // 2^n may be out of range when the result is not, so it is multiplied in two halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 ScaleB(Register256 a, Register256 n)
    {
        if (Avx512F.VL.IsSupported) return new() { v = Avx512F.VL.Scale(a.v, n.v) };
        var exponent = Vector256.ConvertToInt32Native(n.v);
        var half = exponent >> 1;
        return new() { v = a.v * PowerOfTwo(exponent - half) * PowerOfTwo(half) };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> PowerOfTwo(Vector256<int> exponent) => ((exponent + Vector256.Create(127)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Of(Vector256<float> v) => new() { v = v };
}
