using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// Quadratic neurons over rows of channels. Where whole neurons fill a register (ranks 1, 3, 7, 15) a neuron's sum is made in it by
/// exchanging lanes, log2(k + 1) times; otherwise neuron after neuron.
/// </summary>
sealed unsafe class QuadraticRows
{
    const int MaxLanes = 16;
    const int BlockElements = 2048;

    readonly NeuronLayout layout;
    readonly float[] factors;
    readonly int exchanges;

    // For each exchange, lane i takes lane i xor 2^exchange; then, for the backward, every lane takes its neuron's first.
    readonly int[] partners, firsts;
    readonly float[] firstOnly;

    public QuadraticRows(QuadraticTerm term)
    {
        layout = term.Layout;

        // s lambda_i at the channel of f_i, 0 at the channels of y.
        factors = new float[layout.Channels];
        var lambda = term.Lambda.Pointer();
        for (var i = 0; i < layout.Coefficients; i++)
        {
            var channel = layout.ChannelOf(i);
            factors[channel] = lambda[i] * layout.ScaleOf(channel / layout.Stride, term.Normalised);
        }

        exchanges = int.Log2(layout.Stride);
        partners = [.. from exchange in Enumerable.Range(0, exchanges) from lane in Enumerable.Range(0, MaxLanes) select lane ^ (1 << exchange)];
        firsts = [.. from lane in Enumerable.Range(0, MaxLanes) select lane / layout.Stride * layout.Stride];
        firstOnly = [.. from lane in Enumerable.Range(0, MaxLanes) select BitConverter.Int32BitsToSingle(lane % layout.Stride == 0 ? -1 : 0)];
    }

    /// <summary>Channels of y.</summary>
    public int Channels => layout.Channels;

    /// <summary>y from z, both [rows, channels]; they may be the same.</summary>
    public void Forward(float* z, float* y, int rows)
    {
        if (layout.Rank == 0)
        {
            if (y != z) new ReadOnlySpan<float>(z, rows * Channels).CopyTo(new Span<float>(y, rows * Channels));
            return;
        }

        var done = 0;
        if (Vector512.IsHardwareAccelerated) done = Forward<Register512>(z, y, rows, done);
        if (Vector256.IsHardwareAccelerated) done = Forward<Register256>(z, y, rows, done);
        done = Forward<Register128>(z, y, rows, done);
        for (var neuron = done / layout.Stride; neuron < layout.Neurons; neuron++) ForwardOf(neuron, z, y, rows);
    }

    /// <summary>
    /// dz from d and the outputs y, all [rows, channels]; dz may be d or null; adds d_y f^2 to the sums [channels], or not where null.
    /// </summary>
    public void Backward(float* d, float* y, float* dz, float* sums, bool detached, int rows)
    {
        // Block by block, so that the channels that share a cache line with those of one register are still near when it is their turn.
        var blockRows = Math.Max(1, BlockElements / Channels);
        for (; rows > blockRows; rows -= blockRows)
        {
            BackwardOfBlock(d, y, dz, sums, detached, blockRows);
            nint block = (nint)blockRows * Channels;
            d += block;
            y += block;
            if (dz is not null) dz += block;
        }

        BackwardOfBlock(d, y, dz, sums, detached, rows);
    }

    void BackwardOfBlock(float* d, float* y, float* dz, float* sums, bool detached, int rows)
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
                    for (var exchange = 0; exchange < exchanges; exchange++) sum += T.Permute(sum, partner + exchange * MaxLanes);
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
                T lambda = detached ? default : T.Load(factor + c), sum = default;
                lambda += lambda;
                float* gradient = d + c, output = y + c, target = dz + c;
                for (var row = 0; row < rows; row++, gradient += Channels, output += Channels, target += Channels)
                {
                    T own = T.Load(gradient), f = T.Load(output), ofNeuron = T.Permute(own, firstOf) * f;
                    sum.MultiplyAdd(ofNeuron, f);
                    own.MultiplyAdd(lambda, ofNeuron);
                    if (dz is not null) own.Store(target);
                }

                if (sums is not null) (T.Load(sums + c) + sum).Store(sums + c);
            }
        }

        return end;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void ForwardOf(int neuron, float* z, float* y, int rows)
    {
        int first = neuron * layout.Stride, rank = layout.RankOf(neuron);
        z += first;
        y += first;
        for (var row = 0; row < rows; row++, z += Channels, y += Channels)
        {
            var sum = 0f;
            for (var i = 1; i <= rank; i++)
            {
                sum += factors[first + i] * z[i] * z[i];
                y[i] = z[i];
            }

            y[0] = z[0] + sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void BackwardOf(int neuron, float* d, float* y, float* dz, float* sums, bool detached, int rows)
    {
        int first = neuron * layout.Stride, rank = layout.RankOf(neuron);
        for (var row = 0; row < rows; row++)
        {
            nint at = (nint)row * Channels + first;
            var ofNeuron = d[at];
            if (dz is not null) dz[at] = ofNeuron;
            for (var i = 1; i <= rank; i++)
            {
                var f = y[at + i];
                if (sums is not null) sums[first + i] += ofNeuron * f * f;
                if (dz is not null) dz[at + i] = detached ? d[at + i] : d[at + i] + 2 * factors[first + i] * f * ofNeuron;
            }
        }
    }
}
