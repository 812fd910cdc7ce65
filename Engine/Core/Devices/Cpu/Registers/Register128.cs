using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>4 floats in a register of 128 bits.</summary>
unsafe struct Register128 : IRegister<Register128>
{
    Vector128<float> v;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Register128(float value) => new() { v = Vector128.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Broadcast(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Load(float* source) => new() { v = Vector128.Load(source) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => v.Store(target);

    public static Register128 LoadFirst(float* source, int count)
    {
        var value = Vector128<float>.Zero;
        for (var lane = 0; lane < count; lane++) ((float*)&value)[lane] = source[lane];
        return new() { v = value };
    }

    public readonly void StoreFirst(float* target, int count)
    {
        var value = v;
        for (var lane = 0; lane < count; lane++) target[lane] = ((float*)&value)[lane];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 First(int count) => new() { v = Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Sum() => Vector128.Sum(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Fold<TOp>() where TOp : struct, IReduction<TOp>
    {
        var pair = TOp.Combine(this, Of(Vector128.Shuffle(v, Vector128.Create(2, 3, 2, 3))));
        return TOp.Combine(pair, Of(Vector128.Shuffle(pair.v, Vector128.Create(1, 1, 1, 1)))).v.ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MultiplyAdd(Register128 a, Register128 b) => v = Vector128.MultiplyAddEstimate(a.v, b.v, v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 FusedMultiplyAdd(Register128 a, Register128 b, Register128 c) => new() { v = Vector128.FusedMultiplyAdd(a.v, b.v, c.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Select(Register128 mask, Register128 a, Register128 b) => new() { v = Vector128.ConditionalSelect(mask.v, a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator +(Register128 a, Register128 b) => new() { v = a.v + b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator -(Register128 a, Register128 b) => new() { v = a.v - b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator *(Register128 a, Register128 b) => new() { v = a.v * b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator /(Register128 a, Register128 b) => new() { v = a.v / b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator -(Register128 a) => new() { v = -a.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator &(Register128 a, Register128 b) => new() { v = a.v & b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator |(Register128 a, Register128 b) => new() { v = a.v | b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator ~(Register128 a) => new() { v = ~a.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator <(Register128 a, Register128 b) => new() { v = Vector128.LessThan(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator >(Register128 a, Register128 b) => new() { v = Vector128.GreaterThan(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator <=(Register128 a, Register128 b) => new() { v = Vector128.LessThanOrEqual(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator >=(Register128 a, Register128 b) => new() { v = Vector128.GreaterThanOrEqual(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Equal(Register128 a, Register128 b) => new() { v = Vector128.Equals(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 AndNot(Register128 a, Register128 mask) => new() { v = Vector128.AndNot(a.v, mask.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Max(Register128 a, Register128 b) => new() { v = Vector128.MaxNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Min(Register128 a, Register128 b) => new() { v = Vector128.MinNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Abs(Register128 a) => new() { v = Vector128.Abs(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Sqrt(Register128 a) => new() { v = Vector128.Sqrt(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Round(Register128 a) => new() { v = Vector128.Round(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Floor(Register128 a) => new() { v = Vector128.Floor(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Log(Register128 a) => new() { v = Vector128.Log(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(Register128 mask) => Vector128.EqualsAll(mask.v.AsInt32(), Vector128<int>.AllBitsSet);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Permute(Register128 a, int* index) => new() { v = Vector128.ShuffleNative(a.v, Vector128.Load(index)) };

    // 2^n may be out of range when the result is not, so it is multiplied in two halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 ScaleB(Register128 a, Register128 n)
    {
        var exponent = Vector128.ConvertToInt32Native(n.v);
        var half = exponent >> 1;
        return new() { v = a.v * PowerOfTwo(exponent - half) * PowerOfTwo(half) };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<float> PowerOfTwo(Vector128<int> exponent) => ((exponent + Vector128.Create(127)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Of(Vector128<float> v) => new() { v = v };
}
