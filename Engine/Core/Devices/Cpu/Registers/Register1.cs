using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>One float, for the end of a row that fills no register.</summary>
unsafe struct Register1 : IRegister<Register1>
{
    float v;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    Register1(float v) => this.v = v;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Register1(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Broadcast(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Load(float* source) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => *target = v;

    public static Register1 LoadFirst(float* source, int count) => count > 0 ? Load(source) : 0f;

    public readonly void StoreFirst(float* target, int count)
    {
        if (count > 0) Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Sum() => v;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 First(int count) => Mask(count > 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Fold<TOp>() where TOp : struct, IReduction<TOp> => v;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MultiplyAdd(Register1 a, Register1 b) => v = float.MultiplyAddEstimate(a.v, b.v, v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 FusedMultiplyAdd(Register1 a, Register1 b, Register1 c) => new(MathF.FusedMultiplyAdd(a.v, b.v, c.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Select(Register1 mask, Register1 a, Register1 b) => mask.Bits != 0 ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator +(Register1 a, Register1 b) => new(a.v + b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator -(Register1 a, Register1 b) => new(a.v - b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator *(Register1 a, Register1 b) => new(a.v * b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator /(Register1 a, Register1 b) => new(a.v / b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator -(Register1 a) => new(-a.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator &(Register1 a, Register1 b) => OfBits(a.Bits & b.Bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator |(Register1 a, Register1 b) => OfBits(a.Bits | b.Bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator ~(Register1 a) => OfBits(~a.Bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator <(Register1 a, Register1 b) => Mask(a.v < b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator >(Register1 a, Register1 b) => Mask(a.v > b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator <=(Register1 a, Register1 b) => Mask(a.v <= b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 operator >=(Register1 a, Register1 b) => Mask(a.v >= b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Equal(Register1 a, Register1 b) => Mask(a.v == b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 AndNot(Register1 a, Register1 mask) => OfBits(a.Bits & ~mask.Bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Max(Register1 a, Register1 b) => new(a.v > b.v ? a.v : b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Min(Register1 a, Register1 b) => new(a.v < b.v ? a.v : b.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Abs(Register1 a) => new(MathF.Abs(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Sqrt(Register1 a) => new(MathF.Sqrt(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Round(Register1 a) => new(MathF.Round(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Floor(Register1 a) => new(MathF.Floor(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Log(Register1 a) => new(MathF.Log(a.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(Register1 mask) => mask.Bits == -1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 Permute(Register1 a, int* index) => a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register1 ScaleB(Register1 a, Register1 n) => new(MathF.ScaleB(a.v, (int)n.v));

    readonly int Bits => BitConverter.SingleToInt32Bits(v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Register1 OfBits(int bits) => new(BitConverter.Int32BitsToSingle(bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Register1 Mask(bool holds) => OfBits(holds ? -1 : 0);
}
