using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// A vector register of floats. It lets a kernel be written once for 512, 256 and 128 bits, and for one float at the end of a row.
/// </summary>
unsafe interface IRegister<T> : IVector<T> where T : struct, IRegister<T>
{
    /// <summary>The number of floats in the register.</summary>
    static abstract int Count { get; }

    static abstract T Load(float* source);

    /// <summary>The float in all lanes. C# does not find the conversion of <see cref="IVector{TSelf}"/> if this interface is the constraint.</summary>
    static abstract T Broadcast(float value);

    void Store(float* target);

    /// <summary>Reads the first lanes; the others are 0. Nothing after the last lane is read.</summary>
    /// <param name="source">The address of the first lane.</param>
    /// <param name="count">The number of lanes, at most <see cref="Count"/>.</param>
    static abstract T LoadFirst(float* source, int count);

    /// <summary>Writes the first lanes. Memory after the last lane does not change.</summary>
    /// <param name="target">The address of the first lane.</param>
    /// <param name="count">The number of lanes.</param>
    void StoreFirst(float* target, int count);

    /// <summary>The mask of the first lanes.</summary>
    /// <param name="count">The number of lanes, from 0 to <see cref="Count"/>.</param>
    static abstract T First(int count);

    /// <summary>The sum of the lanes.</summary>
    float Sum();

    /// <summary>The fold of the lanes: the upper half is folded into the lower half, until one lane is left.</summary>
    float Fold<TOp>() where TOp : struct, IReduction<TOp>;

    /// <summary>this += a b, rounded once on a processor that can.</summary>
    /// <param name="a">Lanes to multiply.</param>
    /// <param name="b">The factors of these lanes.</param>
    void MultiplyAdd(T a, T b);

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
