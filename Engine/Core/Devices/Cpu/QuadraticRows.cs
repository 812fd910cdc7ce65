using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// Quadratic neurons over rows of channels. If whole neurons fill a register (ranks 1, 3, 7, 15), the register computes the sum of each neuron by
/// exchanging lanes log2(k + 1) times. Otherwise the neurons are computed one after the other.
/// </summary>
sealed unsafe class QuadraticRows
{
    // The elements of the rows that are treated together. The other channels of these rows are still in the cache when their turn comes.
    // The backward works on three times as many numbers.
    const int BlockElements = 4096, BackwardBlockElements = 2048;

    readonly NeuronLayout layout;
    readonly float[] factors;
    readonly int exchanges;
    readonly int[] partners, firsts;
    readonly float[] firstOnly;

    public QuadraticRows(QuadraticTerm<Operand> term)
    {
        layout = term.Layout;

        // s lambda_i at the channel of f_i, 0 at the channels of y.
        factors = new float[layout.Channels];
        var lambda = term.Lambda.Pointer();
        for (var i = 0; i < layout.Coefficients; i++)
        {
            var channel = layout.ChannelOf(i);
            factors[channel] = lambda[i] * layout.ScaleOf(channel / layout.Stride, term.Normalized);
        }

        (exchanges, partners, firsts, firstOnly) = LaneExchange.Of(layout.Stride);
    }

    /// <summary>Channels of y.</summary>
    public int Channels => layout.Channels;

    /// <summary>The largest number of rows in a block of the backward.</summary>
    public int BackwardBlockRows => Math.Max(1, BackwardBlockElements / Channels);

    /// <summary>y from z, both [rows, channels]; they may be the same.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Forward(float* z, float* y, int rows)
    {
        if (layout.Rank == 0)
        {
            if (y != z) new ReadOnlySpan<float>(z, rows * Channels).CopyTo(new Span<float>(y, rows * Channels));
            return;
        }

        var blockRows = Math.Max(1, BlockElements / Channels);
        for (; rows > blockRows; rows -= blockRows)
        {
            ForwardOfBlock(z, y, blockRows);
            z += (nint)blockRows * Channels;
            y += (nint)blockRows * Channels;
        }

        ForwardOfBlock(z, y, rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void ForwardOfBlock(float* z, float* y, int rows)
    {
        var done = 0;
        if (Vector512.IsHardwareAccelerated) done = Forward<Register512>(z, y, rows, done);
        if (Vector256.IsHardwareAccelerated) done = Forward<Register256>(z, y, rows, done);
        done = Forward<Register128>(z, y, rows, done);
        if (y != z)
            for (var row = 0; row < rows; row++)
                new ReadOnlySpan<float>(z + (nint)row * Channels + done, Channels - done).CopyTo(new Span<float>(y + (nint)row * Channels + done, Channels - done));
        for (var neuron = done / layout.Stride; neuron < layout.Neurons; neuron++) ForwardOf(neuron, y, rows);
    }

    /// <summary>
    /// dz from d and the outputs y, all [rows, channels] of one block; dz may be d or null. Adds d_y f^2 to the sums [channels], unless they are null.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Backward(float* d, float* y, float* dz, float* sums, bool detached, int rows)
    {
        var done = 0;
        if (Vector512.IsHardwareAccelerated) done = Backward<Register512>(d, y, dz, sums, detached, rows, done);
        if (Vector256.IsHardwareAccelerated) done = Backward<Register256>(d, y, dz, sums, detached, rows, done);
        done = Backward<Register128>(d, y, dz, sums, detached, rows, done);
        for (var neuron = done / layout.Stride; neuron < layout.Neurons; neuron++) BackwardOf(neuron, d, y, dz, sums, detached, rows);
    }

    int End<T>(int from) where T : struct, IRegister<T> =>
        T.Count % layout.Stride == 0 ? from + (Channels - from) / T.Count * T.Count : from;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    int Forward<T>(float* z, float* y, int rows, int from) where T : struct, IRegister<T>
    {
        var end = End<T>(from);
        fixed (float* factor = factors, mask = firstOnly)
        fixed (int* partner = partners)
        {
            var first = T.Load(mask);
            for (var c = from; c < end; c += T.Count)
            {
                var lambda = T.Load(factor + c);
                float* source = z + c, target = y + c;
                for (var row = 0; row < rows; row++, source += Channels, target += Channels)
                {
                    var value = T.Load(source);
                    var sum = value * value * lambda;
                    for (var exchange = 0; exchange < exchanges; exchange++) sum += T.Permute(sum, partner + exchange * LaneExchange.MaxLanes);
                    (value + (sum & first)).Store(target);
                }
            }
        }

        return end;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    int Backward<T>(float* d, float* y, float* dz, float* sums, bool detached, int rows, int from) where T : struct, IRegister<T>
    {
        var end = End<T>(from);
        fixed (float* factor = factors)
        fixed (int* firstOf = firsts)
        {
            for (var c = from; c < end; c += T.Count)
            {
                // Four rows at a time, because an addition takes four cycles.
                T lambda = detached ? default : T.Load(factor + c), sum0 = default, sum1 = default, sum2 = default, sum3 = default;
                lambda += lambda;
                float* gradient = d + c, output = y + c, target = dz + c;
                nint step = Channels, next = 4 * step;
                var left = rows;
                for (; left >= 4; left -= 4, gradient += next, output += next, target += next)
                {
                    T own0 = T.Load(gradient), own1 = T.Load(gradient + step), own2 = T.Load(gradient + 2 * step), own3 = T.Load(gradient + 3 * step);
                    T f0 = T.Load(output), f1 = T.Load(output + step), f2 = T.Load(output + 2 * step), f3 = T.Load(output + 3 * step);
                    T ofNeuron0 = T.Permute(own0, firstOf) * f0, ofNeuron1 = T.Permute(own1, firstOf) * f1, ofNeuron2 = T.Permute(own2, firstOf) * f2, ofNeuron3 = T.Permute(own3, firstOf) * f3;
                    sum0.MultiplyAdd(ofNeuron0, f0);
                    sum1.MultiplyAdd(ofNeuron1, f1);
                    sum2.MultiplyAdd(ofNeuron2, f2);
                    sum3.MultiplyAdd(ofNeuron3, f3);
                    if (dz is null) continue;
                    own0.MultiplyAdd(lambda, ofNeuron0);
                    own1.MultiplyAdd(lambda, ofNeuron1);
                    own2.MultiplyAdd(lambda, ofNeuron2);
                    own3.MultiplyAdd(lambda, ofNeuron3);
                    own0.Store(target);
                    own1.Store(target + step);
                    own2.Store(target + 2 * step);
                    own3.Store(target + 3 * step);
                }

                for (; left > 0; left--, gradient += step, output += step, target += step)
                {
                    T own = T.Load(gradient), f = T.Load(output), ofNeuron = T.Permute(own, firstOf) * f;
                    sum0.MultiplyAdd(ofNeuron, f);
                    own.MultiplyAdd(lambda, ofNeuron);
                    if (dz is not null) own.Store(target);
                }

                if (sums is not null) (T.Load(sums + c) + (sum0 + sum1 + (sum2 + sum3))).Store(sums + c);
            }
        }

        return end;
    }

    void ForwardOf(int neuron, float* y, int rows)
    {
        int first = neuron * layout.Stride, end = first + 1 + layout.RankOf(neuron), f = first + 1;
        if (Vector512.IsHardwareAccelerated) f = AddSquares<Register512>(first, f, end, y, rows);
        if (Vector256.IsHardwareAccelerated) f = AddSquares<Register256>(first, f, end, y, rows);
        f = AddSquares<Register128>(first, f, end, y, rows);
        AddSquares<Register1>(first, f, end, y, rows);
    }

    // y_first += sum of s lambda f^2 over the channels from..end that fill registers of this width; returns the end of these channels.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    int AddSquares<T>(int first, int from, int end, float* y, int rows) where T : struct, IRegister<T>
    {
        end = from + (end - from) / T.Count * T.Count;
        fixed (float* factor = factors)
        {
            for (var c = from; c < end; c += T.Count)
            {
                var lambda = T.Load(factor + c);
                float* row = y;
                for (var left = rows; left > 0; left--, row += Channels)
                {
                    var f = T.Load(row + c);
                    row[first] += (f * f * lambda).Sum();
                }
            }
        }

        return end;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void BackwardOf(int neuron, float* d, float* y, float* dz, float* sums, bool detached, int rows)
    {
        int first = neuron * layout.Stride, end = first + 1 + layout.RankOf(neuron), f = first + 1;
        if (dz is not null)
            for (var row = 0; row < rows; row++) dz[(nint)row * Channels + first] = d[(nint)row * Channels + first];
        if (Vector512.IsHardwareAccelerated) f = AddGradients<Register512>(first, f, end, d, y, dz, sums, detached, rows);
        if (Vector256.IsHardwareAccelerated) f = AddGradients<Register256>(first, f, end, d, y, dz, sums, detached, rows);
        f = AddGradients<Register128>(first, f, end, d, y, dz, sums, detached, rows);
        AddGradients<Register1>(first, f, end, d, y, dz, sums, detached, rows);
    }

    // dz_f = d_f + 2 s lambda f d_first, sums_f += d_first f^2 for the channels from..end that fill registers of this width.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    int AddGradients<T>(int first, int from, int end, float* d, float* y, float* dz, float* sums, bool detached, int rows) where T : struct, IRegister<T>
    {
        end = from + (end - from) / T.Count * T.Count;
        fixed (float* factor = factors)
        {
            for (var c = from; c < end; c += T.Count)
            {
                T lambda = detached ? default : T.Load(factor + c), sum = default;
                lambda += lambda;
                nint row = 0;
                for (var left = rows; left > 0; left--, row += Channels)
                {
                    T f = T.Load(y + row + c), ofNeuron = T.Broadcast(d[row + first]) * f;
                    sum.MultiplyAdd(ofNeuron, f);
                    if (dz is null) continue;
                    var own = T.Load(d + row + c);
                    own.MultiplyAdd(lambda, ofNeuron);
                    own.Store(dz + row + c);
                }

                if (sums is not null) (T.Load(sums + c) + sum).Store(sums + c);
            }
        }

        return end;
    }
}

/// <summary>The exchanges between the lanes of a register that compute the sum of each neuron.</summary>
/// <param name="Count">The number of exchanges after which each lane has the sum of its neuron; the lanes of a neuron are a power of two.</param>
/// <param name="Partners">[exchanges, 16]: for each exchange, lane i takes lane i xor 2^exchange.</param>
/// <param name="Firsts">[16]: for the backward, every lane takes the first lane of its neuron.</param>
/// <param name="FirstOnly">[16]: a mask of the first lanes of the neurons.</param>
sealed record LaneExchange(int Count, int[] Partners, int[] Firsts, float[] FirstOnly)
{
    public const int MaxLanes = 16;

    // Indexed by the number of lanes of a neuron. Every call of a layer asks for one.
    static readonly LaneExchange?[] Known = new LaneExchange?[MaxLanes + 1];

    public static LaneExchange Of(int lanes) => lanes <= MaxLanes ? Known[lanes] ??= Make(lanes) : Make(lanes);

    static LaneExchange Make(int lanes)
    {
        var count = int.Log2(lanes);
        return new(count,
            [.. from exchange in Enumerable.Range(0, count) from lane in Enumerable.Range(0, MaxLanes) select lane ^ (1 << exchange)],
            [.. from lane in Enumerable.Range(0, MaxLanes) select lane / lanes * lanes],
            [.. from lane in Enumerable.Range(0, MaxLanes) select BitConverter.Int32BitsToSingle(lane % lanes == 0 ? -1 : 0)]);
    }
}
