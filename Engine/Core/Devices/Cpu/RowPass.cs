using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>A pass over rows that treats each channel, or each register of channels, independently.</summary>
unsafe interface IRowPass
{
    /// <summary>Treats the channels from..to of all rows.</summary>
    /// <param name="y">[rows, channels]</param>
    /// <param name="rows">Rows of y.</param>
    /// <param name="channels">Channels of y: floats from a row to the next.</param>
    /// <param name="from">The first channel to treat.</param>
    /// <param name="to">The channel after the last one; to - from is a multiple of the register's floats.</param>
    void Run<T>(float* y, int rows, int channels, int from, int to) where T : struct, IRegister<T>;
}

static unsafe class RowPass
{
    /// <summary>Runs a pass over all channels, in the widest registers that each range of channels fills.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TPass>(in TPass pass, float* y, int rows, int channels) where TPass : struct, IRowPass
    {
        var from = 0;
        if (Vector512.IsHardwareAccelerated) from = Run<TPass, Register512>(pass, y, rows, channels, from);
        if (Vector256.IsHardwareAccelerated) from = Run<TPass, Register256>(pass, y, rows, channels, from);
        from = Run<TPass, Register128>(pass, y, rows, channels, from);
        Run<TPass, Register1>(pass, y, rows, channels, from);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static int Run<TPass, T>(in TPass pass, float* y, int rows, int channels, int from)
        where TPass : struct, IRowPass
        where T : struct, IRegister<T>
    {
        var to = from + (channels - from) / T.Count * T.Count;
        if (to > from) pass.Run<T>(y, rows, channels, from, to);
        return to;
    }
}

/// <summary>y = y scale + shift + residual, and then min(max(y, 0), ceiling); each part applies only if it is given.</summary>
readonly unsafe struct AffinePass(float* scale, float* shift, float* residual, float? ceiling) : IRowPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(float* y, int rows, int channels, int from, int to) where T : struct, IRegister<T>
    {
        T zero = T.Broadcast(0f), one = T.Broadcast(1f), top = T.Broadcast(ceiling ?? 0f);
        var clamps = ceiling is not null;
        for (var c = from; c < to; c += T.Count)
        {
            T factor = scale is null ? one : T.Load(scale + c), summand = shift is null ? zero : T.Load(shift + c);
            float* at = y + c, more = residual + c;
            for (var row = 0; row < rows; row++, at += channels, more += channels)
            {
                var value = summand;
                value.MultiplyAdd(T.Load(at), factor);
                if (residual is not null) value += T.Load(more);
                if (clamps) value = T.Min(top, T.Max(zero, value));
                value.Store(at);
            }
        }
    }
}

/// <summary>
/// Adds the deviations d = y - center of these rows, and their squares, to sums. If the center is the mean of some of the rows,
/// the cancellation in the variance is at most the ratio of all rows to those rows, for any data.
/// </summary>
/// <param name="center">[channels]</param>
/// <param name="sums">[2, channels]: of d, of d^2</param>
readonly unsafe struct DeviationsPass(float* center, double* sums) : IRowPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(float* y, int rows, int channels, int from, int to) where T : struct, IRegister<T>
    {
        var lanes = stackalloc float[2 * T.Count];
        for (var c = from; c < to; c += T.Count)
        {
            // Four rows at a time, because an addition takes four cycles.
            T middle = T.Load(center + c), sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            T squares0 = default, squares1 = default, squares2 = default, squares3 = default;
            float* at = y + c;
            nint step = channels;
            var left = rows;
            for (; left >= 4; left -= 4, at += 4 * step)
            {
                T d0 = T.Load(at) - middle, d1 = T.Load(at + step) - middle, d2 = T.Load(at + 2 * step) - middle, d3 = T.Load(at + 3 * step) - middle;
                sum0 += d0;
                sum1 += d1;
                sum2 += d2;
                sum3 += d3;
                squares0.MultiplyAdd(d0, d0);
                squares1.MultiplyAdd(d1, d1);
                squares2.MultiplyAdd(d2, d2);
                squares3.MultiplyAdd(d3, d3);
            }

            for (; left > 0; left--, at += step)
            {
                var d = T.Load(at) - middle;
                sum0 += d;
                squares0.MultiplyAdd(d, d);
            }

            (sum0 + sum1 + (sum2 + sum3)).Store(lanes);
            (squares0 + squares1 + (squares2 + squares3)).Store(lanes + T.Count);
            for (var lane = 0; lane < T.Count; lane++)
            {
                (double sum, double squares) = (lanes[lane], lanes[T.Count + lane]);
                if (!double.IsFinite(squares)) (sum, squares) = WideMoments.Of(y + c + lane, channels, rows, center[c + lane]);
                sums[c + lane] += sum;
                sums[channels + c + lane] += squares;
            }
        }
    }
}
