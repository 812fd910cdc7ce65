using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>A pass over rows that treats each channel, or each register full of channels, by itself.</summary>
unsafe interface IRowPass
{
    /// <summary>Treats the channels from..to (a multiple of the register apart) of y [rows, channels].</summary>
    void Run<T>(float* y, int rows, int channels, int from, int to) where T : struct, ILanes<T>;
}

static unsafe class RowPass
{
    /// <summary>Runs a pass over all channels, in the widest registers that each stretch of them fills.</summary>
    public static void Run<TPass>(in TPass pass, float* y, int rows, int channels) where TPass : struct, IRowPass
    {
        var from = 0;
        if (Vector512.IsHardwareAccelerated) from = Run<TPass, Lanes512>(pass, y, rows, channels, from);
        if (Vector256.IsHardwareAccelerated) from = Run<TPass, Lanes256>(pass, y, rows, channels, from);
        from = Run<TPass, Lanes128>(pass, y, rows, channels, from);
        Run<TPass, Lanes1>(pass, y, rows, channels, from);
    }

    static int Run<TPass, T>(in TPass pass, float* y, int rows, int channels, int from)
        where TPass : struct, IRowPass
        where T : struct, ILanes<T>
    {
        var to = from + (channels - from) / T.Count * T.Count;
        if (to > from) pass.Run<T>(y, rows, channels, from, to);
        return to;
    }
}

/// <summary>y = act(y scale + shift + residual), each where it is given.</summary>
readonly unsafe struct AffinePass(float* scale, float* shift, float* residual, bool relu) : IRowPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(float* y, int rows, int channels, int from, int to) where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0f), one = T.Broadcast(1f);
        for (var c = from; c < to; c += T.Count)
        {
            T factor = scale is null ? one : T.Load(scale + c), summand = shift is null ? zero : T.Load(shift + c);
            float* at = y + c, more = residual + c;
            for (var row = 0; row < rows; row++, at += channels, more += channels)
            {
                var value = summand;
                value.MultiplyAdd(T.Load(at), factor);
                if (residual is not null) value += T.Load(more);
                if (relu) value = T.Max(zero, value);
                value.Store(at);
            }
        }
    }
}

/// <summary>
/// Merges the mean and the sum of squared deviations (M2) of these rows into those of the rows before. One pass: deviations
/// are taken from the mean of the first rows, so what cancels afterwards is small whatever the data.
/// </summary>
/// <param name="moments">[2, channels]: mean, M2</param>
/// <param name="rowsBefore">Rows already in the moments.</param>
readonly unsafe struct MomentsPass(double* moments, long rowsBefore) : IRowPass
{
    const int Sample = 8;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(float* y, int rows, int channels, int from, int to) where T : struct, ILanes<T>
    {
        var lanes = stackalloc float[3 * T.Count];
        for (var c = from; c < to; c += T.Count)
        {
            T center = T.Broadcast(0f), ofSample = T.Broadcast(1f / Math.Min(rows, Sample));
            for (var row = 0; row < Math.Min(rows, Sample); row++) center.MultiplyAdd(T.Load(y + row * channels + c), ofSample);

            // Four rows at a time, as an addition takes that many cycles.
            T sum0 = default, sum1 = default, sum2 = default, sum3 = default, squares0 = default, squares1 = default, squares2 = default, squares3 = default;
            float* at = y + c;
            nint step = channels;
            var left = rows;
            for (; left >= 4; left -= 4, at += 4 * step)
            {
                T d0 = T.Load(at) - center, d1 = T.Load(at + step) - center, d2 = T.Load(at + 2 * step) - center, d3 = T.Load(at + 3 * step) - center;
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
                var d = T.Load(at) - center;
                sum0 += d;
                squares0.MultiplyAdd(d, d);
            }

            center.Store(lanes);
            (sum0 + sum1 + (sum2 + sum3)).Store(lanes + T.Count);
            (squares0 + squares1 + (squares2 + squares3)).Store(lanes + 2 * T.Count);
            for (var lane = 0; lane < T.Count; lane++)
            {
                double sum = lanes[T.Count + lane], squares = lanes[2 * T.Count + lane];
                Moments.Merge(ref moments[c + lane], ref moments[channels + c + lane], rowsBefore, lanes[lane] + sum / rows, squares - sum * sum / rows, rows);
            }
        }
    }
}

static class Moments
{
    /// <summary>
    /// Mean and M2 of two sets of rows together (Chan, Golub and LeVeque 1979): with d = moreMean - mean,
    ///   mean += d moreRows / all,   M2 += moreM2 + d^2 rows moreRows / all
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Merge(ref double mean, ref double squares, long rows, double moreMean, double moreSquares, long moreRows)
    {
        if (moreRows == 0) return;
        double difference = moreMean - mean, share = (double)moreRows / (rows + moreRows);
        mean += difference * share;
        squares += Math.Max(0, moreSquares) + difference * difference * rows * share;
    }
}
