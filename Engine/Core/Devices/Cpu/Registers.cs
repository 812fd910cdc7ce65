using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// A vector register of floats. It lets a kernel be written once for 512, 256 and 128 bits, and for one float at the end of a row.
/// </summary>
unsafe interface IRegister<T> where T : struct, IRegister<T>
{
    /// <summary>The number of floats in the register.</summary>
    static abstract int Count { get; }

    static abstract T Load(float* source);

    static abstract T Broadcast(float value);

    void Store(float* target);

    /// <summary>The sum of the lanes.</summary>
    float Sum();

    /// <summary>this += a b.</summary>
    /// <param name="a">Lanes to multiply.</param>
    /// <param name="b">The factors of these lanes.</param>
    void MultiplyAdd(T a, T b);

    static abstract T operator +(T a, T b);

    static abstract T operator -(T a, T b);

    static abstract T operator *(T a, T b);

    /// <summary>The larger number in each lane; NaN where b is NaN.</summary>
    /// <param name="a">The left lanes, none of which may be NaN: machines differ in the result for a NaN here.</param>
    /// <param name="b">The right lanes, of any value.</param>
    static abstract T Max(T a, T b);

    /// <summary>The smaller number in each lane; NaN where b is NaN.</summary>
    /// <inheritdoc cref="Max"/>
    static abstract T Min(T a, T b);

    /// <summary>The bitwise and.</summary>
    /// <param name="a">Lanes to keep or to clear.</param>
    /// <param name="b">A mask: a lane of ones keeps, a lane of zeros clears.</param>
    static abstract T operator &(T a, T b);

    /// <summary>Lane i becomes lane index[i] of a.</summary>
    /// <param name="a">The lanes from which index chooses.</param>
    /// <param name="index"><see cref="Count"/> lanes, each in [0, <see cref="Count"/>).</param>
    static abstract T Permute(T a, int* index);
}

static class Registers
{
    /// <summary>The number of floats in the widest register of the machine.</summary>
    public static int WidestCount => Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;
}

unsafe struct Register512 : IRegister<Register512>
{
    Vector512<float> v;

    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Load(float* source) => new() { v = Vector512.Load(source) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Broadcast(float value) => new() { v = Vector512.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => v.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Sum() => Vector512.Sum(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MultiplyAdd(Register512 a, Register512 b) => v = Vector512.MultiplyAddEstimate(a.v, b.v, v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator +(Register512 a, Register512 b) => new() { v = a.v + b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator -(Register512 a, Register512 b) => new() { v = a.v - b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator *(Register512 a, Register512 b) => new() { v = a.v * b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Max(Register512 a, Register512 b) => new() { v = Vector512.MaxNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Min(Register512 a, Register512 b) => new() { v = Vector512.MinNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator &(Register512 a, Register512 b) => new() { v = a.v & b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Permute(Register512 a, int* index) => new() { v = Vector512.ShuffleNative(a.v, Vector512.Load(index)) };
}

unsafe struct Register256 : IRegister<Register256>
{
    Vector256<float> v;

    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Load(float* source) => new() { v = Vector256.Load(source) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Broadcast(float value) => new() { v = Vector256.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => v.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Sum() => Vector256.Sum(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MultiplyAdd(Register256 a, Register256 b) => v = Vector256.MultiplyAddEstimate(a.v, b.v, v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator +(Register256 a, Register256 b) => new() { v = a.v + b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator -(Register256 a, Register256 b) => new() { v = a.v - b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator *(Register256 a, Register256 b) => new() { v = a.v * b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Max(Register256 a, Register256 b) => new() { v = Vector256.MaxNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Min(Register256 a, Register256 b) => new() { v = Vector256.MinNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 operator &(Register256 a, Register256 b) => new() { v = a.v & b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register256 Permute(Register256 a, int* index) => new() { v = Vector256.ShuffleNative(a.v, Vector256.Load(index)) };
}

unsafe struct Register128 : IRegister<Register128>
{
    Vector128<float> v;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Load(float* source) => new() { v = Vector128.Load(source) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Broadcast(float value) => new() { v = Vector128.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => v.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Sum() => Vector128.Sum(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MultiplyAdd(Register128 a, Register128 b) => v = Vector128.MultiplyAddEstimate(a.v, b.v, v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator +(Register128 a, Register128 b) => new() { v = a.v + b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator -(Register128 a, Register128 b) => new() { v = a.v - b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator *(Register128 a, Register128 b) => new() { v = a.v * b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Max(Register128 a, Register128 b) => new() { v = Vector128.MaxNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Min(Register128 a, Register128 b) => new() { v = Vector128.MinNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator &(Register128 a, Register128 b) => new() { v = a.v & b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Permute(Register128 a, int* index) => new() { v = Vector128.ShuffleNative(a.v, Vector128.Load(index)) };
}

/// <summary>One float, for the end of a row that fills no register.</summary>
unsafe struct Register1 : IRegister<Register1>
{
    float v;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Load(float* source) => new() { v = *source };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Broadcast(float value) => new() { v = value };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => *target = v;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Sum() => v;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MultiplyAdd(Register1 a, Register1 b) => v = float.MultiplyAddEstimate(a.v, b.v, v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator +(Register1 a, Register1 b) => new() { v = a.v + b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator -(Register1 a, Register1 b) => new() { v = a.v - b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator *(Register1 a, Register1 b) => new() { v = a.v * b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Max(Register1 a, Register1 b) => new() { v = a.v > b.v ? a.v : b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Min(Register1 a, Register1 b) => new() { v = a.v < b.v ? a.v : b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator &(Register1 a, Register1 b) => new() { v = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(a.v) & BitConverter.SingleToInt32Bits(b.v)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Permute(Register1 a, int* index) => a;
}
