using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>What a tile multiplies a row of f with: one float of x for all columns, or a float of x for each column.</summary>
unsafe interface IFactor
{
    /// <summary>Whether one float serves all columns.</summary>
    static abstract bool IsShared { get; }

    /// <summary>Reads the factors of a register of columns.</summary>
    /// <param name="x">The channel of x at the place of the first column; the one float if it is shared.</param>
    static abstract T Read<T>(float* x) where T : struct, IRegister<T>;
}

/// <summary>The factor of a dense product: all columns sum over the same channels.</summary>
unsafe struct Shared : IFactor
{
    public static bool IsShared => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Read<T>(float* x) where T : struct, IRegister<T> => T.Broadcast(*x);
}

/// <summary>
/// The factors of a convolution in groups of a few channels. Each lane reads the first channel of its own group. If the offsets of a tile count the channels of a group,
/// each column sums over all channels of its group. In a depthwise convolution a group is one channel.
/// </summary>
/// <remarks>A register may reach 15 floats beyond the last channel. <see cref="CpuMemory"/> makes these floats readable, and lanes without a column are not stored.</remarks>
unsafe struct OfGroup<TSize> : IFactor where TSize : struct, IGroupSize
{
    public static bool IsShared => false;

    // For each lane of the widest register the first lane of its group. These are constants, so their addresses need no code.
    static ReadOnlySpan<int> First
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TSize.Value switch
        {
            2 => [0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14],
            4 => [0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12],
            _ => [0, 0, 0, 0, 0, 0, 0, 0, 8, 8, 8, 8, 8, 8, 8, 8],
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Read<T>(float* x) where T : struct, IRegister<T> =>
        TSize.Value == 1 ? T.Load(x) : T.Permute(T.Load(x), (int*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(First)));
}

/// <summary>The number of channels in a group: 1, 2, 4 or 8.</summary>
interface IGroupSize
{
    static abstract int Value { get; }
}

struct Size1 : IGroupSize { public static int Value => 1; }
struct Size2 : IGroupSize { public static int Value => 2; }
struct Size4 : IGroupSize { public static int Value => 4; }
struct Size8 : IGroupSize { public static int Value => 8; }
