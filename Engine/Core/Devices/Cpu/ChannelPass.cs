using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>A pass that treats each register of channels independently.</summary>
unsafe interface IChannelPass
{
    /// <summary>Treats the channels from..to.</summary>
    /// <param name="from">The first channel.</param>
    /// <param name="to">The channel after the last one; to - from is a multiple of the register's floats.</param>
    void Run<T>(int from, int to) where T : struct, IRegister<T>;
}

static class ChannelPass
{
    /// <summary>Runs a pass over all channels, in the widest registers that each range of channels fills.</summary>
    public static void Run<TPass>(in TPass pass, int channels) where TPass : struct, IChannelPass => Run(pass, 0, channels);

    /// <summary>Runs a pass over some channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPass>(in TPass pass, int from, int end) where TPass : struct, IChannelPass
    {
        if (Vector512.IsHardwareAccelerated) from = Stretch<TPass, Register512>(pass, end, from);
        if (Vector256.IsHardwareAccelerated) from = Stretch<TPass, Register256>(pass, end, from);
        from = Stretch<TPass, Register128>(pass, end, from);
        Stretch<TPass, Register1>(pass, end, from);
    }

    /// <summary>y += x.</summary>
    public static unsafe void Add(float* x, int channels, float* y) => Run(new SumPass(x, y), channels);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static int Stretch<TPass, T>(in TPass pass, int channels, int from)
        where TPass : struct, IChannelPass
        where T : struct, IRegister<T>
    {
        var to = from + (channels - from) / T.Count * T.Count;
        if (to > from) pass.Run<T>(from, to);
        return to;
    }
}

/// <summary>y += x.</summary>
readonly unsafe struct SumPass(float* x, float* y) : IChannelPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(int from, int to) where T : struct, IRegister<T>
    {
        for (var c = from; c < to; c += T.Count) (T.Load(y + c) + T.Load(x + c)).Store(y + c);
    }
}
