using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void Quadratic(Operand z, QuadraticTerm<Operand> term, Operand y) => Each(new QuadraticOutputs(z.View(), new Neurons(term), y.View()), y.Length);

    public override void QuadraticBackward(Operand dy, Operand y, QuadraticTerm<Operand> term, bool detached, Operand? dz, Operand? dLambda)
    {
        var neurons = new Neurons(term);

        var gradient = new QuadraticGradient(dy.View(), y.View(), neurons, detached ? 1 : 0, new(dz, dy.View()));
        if (dLambda is not null && dLambda.Length > 0)
            Fold<LambdaGradient, float>(new LambdaGradient(gradient, dy.View(), y.View(), neurons, dLambda.View()), 1, y.Shape.Rows, y.Shape.Channels);
        else if (dz is not null) Each(gradient, dz.Length);
    }
}

/// <summary>The quadratic neurons of a layer: Lambda and which channel plays which part. See <see cref="Operations.NeuronLayout"/>.</summary>
readonly struct Neurons
{
    readonly ArrayView<float> lambda;
    readonly FastDivisor channels, stride;
    readonly int normalised;

    public Neurons(QuadraticTerm<Operand> term)
    {
        channels = new FastDivisor(term.Layout.Channels);
        stride = new FastDivisor(term.Layout.Stride);
        normalised = term.Normalised ? 1 : 0;

        // A layer of rank 0 has no coefficients, but kernels need some view.
        lambda = term.Lambda.View();
    }

    /// <summary>No neurons, where a kernel's argument needs some.</summary>
    public Neurons(ArrayView<float> standIn) => (lambda, channels, stride) = (standIn, new FastDivisor(1), new FastDivisor(1));

    public int Channel(int index) => channels.Remainder(index);

    /// <summary>The channel of the y of the neuron that a channel belongs to.</summary>
    public int Head(int channel) => stride.Divide(channel) * stride.Divisor;

    /// <summary>k of the neuron with this head: less for a last neuron that is cut off.</summary>
    public int Rank(int head) => Math.Min(stride.Divisor, channels.Divisor - head) - 1;

    /// <summary>s of a neuron of this rank.</summary>
    public float Scale(int rank) => normalised != 0 ? 1f / Math.Max(1, rank) : 1f;

    /// <summary>The coefficient of a channel that is an f: every neuron before and the own head have none.</summary>
    public int Coefficient(int channel) => channel - 1 - stride.Divide(channel);

    public float Lambda(int channel) => lambda[Coefficient(channel)];
}

/// <summary>y = z_0 + s sum_i lambda_i f_i^2 in the channels of y; the others pass. Floor: one read (neighbours are in the cache), one write.</summary>
readonly struct QuadraticOutputs(ArrayView<float> z, Neurons neurons, ArrayView<float> y) : IPointwise<float>
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

/// <summary>dz_0 = d_y, dz_i = d_f_i + 2 s lambda_i f_i d_y, the second term left out where detached.</summary>
readonly struct QuadraticGradient(ArrayView<float> dy, ArrayView<float> y, Neurons neurons, int detached, Optional dz) : IPointwise<float>
{
    public float Compute(int i)
    {
        var channel = neurons.Channel(i);
        var head = neurons.Head(channel);
        return head == channel ? dy[i] : Of(dy[i], 2f * neurons.Scale(neurons.Rank(head)) * neurons.Lambda(channel), dy[i - (channel - head)], y[i]);
    }

    /// <summary>d_f + 2 s lambda d_y f</summary>
    public float Of(float own, float coefficient, float outer, float f) => detached != 0 ? own : own + coefficient * outer * f;

    public void Store(int i, float value) => dz.Set(i, value);
}

/// <summary>
/// dLambda_i = s sum over rows of d_y f_i^2, and dz in the same pass: dz may be dy, since d_y, which others read, stays as it is. The
/// columns of the heads fold zeros, so that reads stay coalesced. Floor: two reads, one write.
/// </summary>
readonly struct LambdaGradient(QuadraticGradient gradient, ArrayView<float> dy, ArrayView<float> y, Neurons neurons, ArrayView<float> dLambda) : IFold<float>
{
    public static float Identity => 0f;

    public static float Combine(float a, float b) => a + b;

    public float Of(int row, int index, int column)
    {
        var head = neurons.Head(column);
        var factor = 2f * neurons.Scale(neurons.Rank(head));
        if (head == column)
        {
            gradient.Store(index, dy[index]);
            return 0f;
        }

        float outer = dy[index - (column - head)], f = y[index];
        gradient.Store(index, gradient.Of(dy[index], factor * neurons.Lambda(column), outer, f));
        return outer * f * f;
    }

    public void Store(int column, float total)
    {
        var head = neurons.Head(column);
        if (head != column) dLambda[neurons.Coefficient(column)] = neurons.Scale(neurons.Rank(head)) * total;
    }
}
