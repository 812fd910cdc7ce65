using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace QuadEngine.Devices.Cpu;

/// <summary>16 floats in a register of 512 bits.</summary>
unsafe struct Register512 : IRegister<Register512>
{
    Vector512<float> v;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 16;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Register512(float value) => new() { v = Vector512.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Broadcast(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Load(float* source) => new() { v = Vector512.Load(source) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => v.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 LoadFirst(float* source, int count) => new() { v = Avx512F.MaskLoad(source, First(count).v, Vector512<float>.Zero) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreFirst(float* target, int count) => Avx512F.MaskStore(target, First(count).v, v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 First(int count) => new() { v = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Sum() => Vector512.Sum(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Fold<TOp>() where TOp : struct, IReduction<TOp> => TOp.Combine(Register256.Of(v.GetLower()), Register256.Of(v.GetUpper())).Fold<TOp>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MultiplyAdd(Register512 a, Register512 b) => v = Vector512.MultiplyAddEstimate(a.v, b.v, v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 FusedMultiplyAdd(Register512 a, Register512 b, Register512 c) => new() { v = Vector512.FusedMultiplyAdd(a.v, b.v, c.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Select(Register512 mask, Register512 a, Register512 b) => new() { v = Vector512.ConditionalSelect(mask.v, a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator +(Register512 a, Register512 b) => new() { v = a.v + b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator -(Register512 a, Register512 b) => new() { v = a.v - b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator *(Register512 a, Register512 b) => new() { v = a.v * b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator /(Register512 a, Register512 b) => new() { v = a.v / b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator -(Register512 a) => new() { v = -a.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator &(Register512 a, Register512 b) => new() { v = a.v & b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator |(Register512 a, Register512 b) => new() { v = a.v | b.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator ~(Register512 a) => new() { v = ~a.v };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator <(Register512 a, Register512 b) => new() { v = Vector512.LessThan(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator >(Register512 a, Register512 b) => new() { v = Vector512.GreaterThan(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator <=(Register512 a, Register512 b) => new() { v = Vector512.LessThanOrEqual(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 operator >=(Register512 a, Register512 b) => new() { v = Vector512.GreaterThanOrEqual(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Equal(Register512 a, Register512 b) => new() { v = Vector512.Equals(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 AndNot(Register512 a, Register512 mask) => new() { v = Vector512.AndNot(a.v, mask.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Max(Register512 a, Register512 b) => new() { v = Vector512.MaxNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Min(Register512 a, Register512 b) => new() { v = Vector512.MinNative(a.v, b.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Abs(Register512 a) => new() { v = Vector512.Abs(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Sqrt(Register512 a) => new() { v = Vector512.Sqrt(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Round(Register512 a) => new() { v = Vector512.Round(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Floor(Register512 a) => new() { v = Vector512.Floor(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Log(Register512 a) => new() { v = Vector512.Log(a.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(Register512 mask) => Vector512.EqualsAll(mask.v.AsInt32(), Vector512<int>.AllBitsSet);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Permute(Register512 a, int* index) => new() { v = Vector512.ShuffleNative(a.v, Vector512.Load(index)) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 ScaleB(Register512 a, Register512 n) => new() { v = Avx512F.Scale(a.v, n.v) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register512 Of(Vector512<float> v) => new() { v = v };
}
