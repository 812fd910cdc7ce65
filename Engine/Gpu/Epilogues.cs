using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    /// <summary>Applies an epilogue in separate passes, after kernels that do not fuse it.</summary>
    void Finish(in Epilogue<Operand> epilogue, Operand y)
    {
        var split = epilogue.Quadratic is not null || epilogue.Statistics is not null;
        if (split)
        {
            if (epilogue.Bias is { } bias) EachOfChannels<Affine, TermsOfChannel, float>(new Affine(y.View(), new ChannelTerms(bias, null, null, y), new(null, y.View()), Activation.None), y);
            if (epilogue.Quadratic is { } term) Quadratic(y, term, y);
            if (epilogue.Statistics is { } statistics) GatherStatistics(y, statistics);
        }

        if ((split || epilogue.Bias is null) && epilogue.Scale is null && epilogue.Residual is null && epilogue.Activation.IsNone) return;
        EachOfChannels<Affine, TermsOfChannel, float>(new Affine(y.View(), new ChannelTerms(split ? null : epilogue.Bias, epilogue.Scale, epilogue.Shift, y), new(epilogue.Residual, y.View()), epilogue.Activation), y);
    }
}

/// <summary>(z + bias) scale + shift, by channel; each may be absent.</summary>
readonly struct ChannelTerms(Operand? bias, Operand? scale, Operand? shift, Operand y)
{
    readonly Optional bias = new(bias, y.View()), scale = new(scale, y.View()), shift = new(shift, y.View());

    public TermsOfChannel Of(int channel) => new(bias.Or(channel, 0f), scale.Or(channel, 1f), shift.Or(channel, 0f));
}

/// <summary>The terms of one channel.</summary>
readonly struct TermsOfChannel(float bias, float scale, float shift)
{
    public float Apply(float z) => (z + bias) * scale + shift;
}

/// <summary>y = act((y + bias) scale + shift + residual). Floor: one or two reads, one write.</summary>
readonly struct Affine(ArrayView<float> y, ChannelTerms terms, Optional residual, Activation activation) : IChannelwise<TermsOfChannel, float>
{
    public TermsOfChannel Of(int channel) => terms.Of(channel);

    public float Compute(TermsOfChannel channel, int i) => activation.F(channel.Apply(y[i]) + residual.Or(i, 0f));

    public void Store(int i, float value) => y[i] = value;
}
