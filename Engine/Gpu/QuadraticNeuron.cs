using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void Quadratic(Operand z, QuadraticTerm<Operand> term, Operand y) => Each(new QuadraticOutputs(z.View(), new QuadraticNeurons(term), y.View()), y.Length);

    public override void QuadraticBackward(Operand dy, Operand y, QuadraticGradient<Operand> neurons, Operand? dz)
    {
        if (dz is null && neurons.DLambda is null) return;
        FoldChannels<NeuronGradient<GivenGradient, int>, NeuronChannel<int>, Pair, float>(new(new(dy.View()), y.View(), neurons, dz), y);
    }
}

/// <summary>The quadratic neurons of a layer: Lambda and the role of each channel. See <see cref="NeuronLayout"/>.</summary>
readonly struct QuadraticNeurons
{
    readonly ArrayView<float> lambda;
    readonly FastDivisor channels, stride;
    readonly int normalized;

    public QuadraticNeurons(QuadraticTerm<Operand> term)
    {
        channels = new FastDivisor(term.Layout.Channels);
        stride = new FastDivisor(term.Layout.Stride);
        normalized = term.Normalized ? 1 : 0;

        // A layer of rank 0 has no coefficients, but kernels need a view.
        lambda = term.Lambda.View();
    }

    /// <summary>A placeholder for a kernel argument if there are no neurons.</summary>
    public QuadraticNeurons(ArrayView<float> standIn) => (lambda, channels, stride) = (standIn, new FastDivisor(1), new FastDivisor(1));

    public int Channel(int index) => channels.Remainder(index);

    /// <summary>The channel of y (the head) of the neuron to which a channel belongs.</summary>
    public int Head(int channel) => stride.Divide(channel) * stride.Divisor;

    /// <summary>k of the neuron with this head; the last neuron may have a smaller k.</summary>
    public int Rank(int head) => Math.Min(stride.Divisor, channels.Divisor - head) - 1;

    /// <summary>s of a neuron of this rank.</summary>
    public float Scale(int rank) => normalized != 0 ? 1f / Math.Max(1, rank) : 1f;

    /// <summary>The index of the coefficient of an f channel. The heads of this neuron and of the neurons before it have no coefficients.</summary>
    public int Coefficient(int channel) => channel - 1 - stride.Divide(channel);

    public float Lambda(int channel) => lambda[Coefficient(channel)];
}

/// <summary>y = z_0 + s sum_i lambda_i f_i^2 in the channels of y; the other channels are copied. Floor: one read (neighboring channels are in the cache), one write.</summary>
readonly struct QuadraticOutputs(ArrayView<float> z, QuadraticNeurons neurons, ArrayView<float> y) : IPointwise<float>
{
    public float Compute(int i)
    {
        var channel = neurons.Channel(i);
        if (neurons.Head(channel) != channel) return z[i];
        var rank = neurons.Rank(channel);
        var sum = 0f;
        for (var k = 1; k <= rank; k++) sum += neurons.Lambda(channel + k) * z[i + k] * z[i + k];
        return z[i] + neurons.Scale(rank) * sum;
    }

    public void Store(int i, float value) => y[i] = value;
}

/// <summary>A gradient d that is computed element by element.</summary>
interface IChannelGradient<TChannel> where TChannel : unmanaged
{
    /// <summary>The values that depend on the channel alone.</summary>
    /// <param name="channel">The column, counted from 0.</param>
    TChannel Of(int channel);

    /// <summary>d at element i of this channel.</summary>
    /// <param name="channel">The values of the channel, from <see cref="Of"/>.</param>
    /// <param name="i">The index of the element in [rows, channels].</param>
    /// <param name="x">The neurons' output at this element, which has been read already.</param>
    float At(TChannel channel, int i, float x);
}

/// <summary>A d that is in memory; it needs no values of the channel.</summary>
readonly struct GivenGradient(ArrayView<float> d) : IChannelGradient<int>
{
    public int Of(int channel) => channel;

    public float At(int channel, int i, float x) => d[i];
}

/// <summary>A channel of a neuron, and the neuron's head (the channel of y).</summary>
readonly struct NeuronChannel<TChannel>(TChannel own, TChannel head, int toHead, float coefficient, int gains) where TChannel : unmanaged
{
    public readonly TChannel Own = own, Head = head;

    /// <summary>The number of elements back to the head.</summary>
    public readonly int ToHead = toHead;

    /// <summary>2 s lambda, and whether the gradient has the term with this coefficient.</summary>
    public readonly float Coefficient = coefficient;

    public readonly int Gains = gains;
}

/// <summary>
/// From d, the gradient of [y, f]: dz_0 = d_y, dz_i = d_f_i + 2 s lambda_i f_i d_y and dLambda_i = s sum over rows of d_y f_i^2, where f = x. Each f of a neuron computes the head's
/// d_y again, from values that are in the L1 cache. The columns of the heads compute a fold that nobody reads, so
/// that reads stay coalesced. dz may overwrite a given d: d_y, which other threads read, does not change. Floor: two reads, one write.
/// </summary>
readonly struct NeuronGradient<TGradient, TChannel> : IChannelFold<NeuronChannel<TChannel>, Pair, float>
    where TGradient : struct, IChannelGradient<TChannel>
    where TChannel : unmanaged
{
    readonly TGradient d;
    readonly ArrayView<float> x;
    readonly QuadraticNeurons neurons;
    readonly Optional dz, dLambda;
    readonly int detached;

    public NeuronGradient(TGradient d, ArrayView<float> x, QuadraticGradient<Operand> gradient, Operand? dz)
    {
        (this.d, this.x, neurons) = (d, x, new QuadraticNeurons(gradient.Term));
        (this.dz, dLambda) = (new(dz, x), new(gradient.DLambda, x));
        detached = gradient.Detached ? 1 : 0;
    }

    public static float Identity => 0f;

    public static float Combine(float a, float b) => a + b;

    public NeuronChannel<TChannel> Of(int channel)
    {
        var head = neurons.Head(channel);
        var coefficient = head == channel ? 0f : 2f * neurons.Scale(neurons.Rank(head)) * neurons.Lambda(channel);
        return new NeuronChannel<TChannel>(d.Of(channel), d.Of(head), channel - head, coefficient, head == channel || detached != 0 ? 0 : 1);
    }

    /// <summary>dz and d_y f^2.</summary>
    public Pair Compute(NeuronChannel<TChannel> channel, int i)
    {
        var head = i - channel.ToHead;
        float f = x[i], own = d.At(channel.Own, i, f), outer = d.At(channel.Head, head, x[head]);
        return new Pair(channel.Gains != 0 ? own + channel.Coefficient * outer * f : own, outer * f * f);
    }

    public void Store(int i, Pair value) => dz.Set(i, value.A);

    public float Term(Pair value) => value.B;

    public void StoreTotal(int channel, float total)
    {
        var head = neurons.Head(channel);
        if (head != channel) dLambda.Set(neurons.Coefficient(channel), neurons.Scale(neurons.Rank(head)) * total);
    }
}
