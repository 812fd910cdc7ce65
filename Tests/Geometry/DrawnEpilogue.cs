using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>A random epilogue of a projection, or none, with the result that it gives for a product.</summary>
sealed class DrawnEpilogue
{
    readonly Draw s;
    readonly int rows, channels;

    public DrawnEpilogue(Draw s, int rows, int channels)
    {
        (this.s, this.rows, this.channels) = (s, rows, channels);
        if (s.Chance()) return;

        var layout = new NeuronLayout(Math.Max(1, channels), s.Between(0, 16));
        bool hasNeurons = channels > 0 && s.Chance(), hasStatistics = rows > 0 && s.Chance(), isAffine = s.Chance();
        Shape perChannel = [channels];
        Steps = new Epilogue<Tensor>
        {
            Bias = s.Maybe(perChannel),
            Quadratic = hasNeurons ? new QuadraticTerm<Tensor>(s.Values([layout.Coefficients]), layout, s.Chance()) : null,
            Statistics = hasStatistics ? DrawnStatistics.Of(s, channels) : null,
            Scale = isAffine ? s.Values(perChannel) : null,
            Shift = isAffine ? s.Values(perChannel) : null,
            Residual = s.Maybe([rows, channels]),
            Activation = s.Chance() ? Activation.None : s.Chance() ? Activation.Relu : s.Chance() ? Activation.Relu6 : Activation.Of<HardSigmoidOp>(),
        };
        s.Noted($"epilogue{(Steps.Bias is null ? "" : " bias")}{(hasNeurons ? $" {layout}" : "")}{(hasStatistics ? " statistics" : "")}{(isAffine ? " affine" : "")}{(Steps.Residual is null ? "" : " residual")}{(Steps.Activation.IsNone ? "" : $" {Steps.Activation}")}");
    }

    public Epilogue<Tensor> Steps { get; }

    public void Expect(Tensor y, Func<Approximate[]> product)
    {
        var z = new Lazy<Approximate[]>(() => Neurons(Plus(product(), Steps.Bias, i => i % channels)));
        s.Expect("y", y, () => Rest(z.Value));
        if (Steps.Statistics is { } statistics) DrawnStatistics.Expect(s, statistics, rows, () => z.Value);
    }

    Approximate[] Neurons(Approximate[] z) => Steps.Quadratic is { } term ? QuadraticNeurons.Forward(z, s.Initial(term.Lambda), term.Layout, term.Normalized) : z;

    Approximate[] Rest(Approximate[] z)
    {
        if (Steps.Scale is { } scale) z = [.. z.Select((value, i) => value * s.Initial(scale)[i % channels])];
        z = Plus(Plus(z, Steps.Shift, i => i % channels), Steps.Residual, i => i);
        return [.. z.Select(Activated)];
    }

    Approximate Activated(Approximate z) => Steps.Activation == Activation.Relu ? z.Relu()
        : Steps.Activation == Activation.Relu6 ? z.Relu6()
        : Steps.Activation == Activation.Of<HardSigmoidOp>() ? (z + 3.0).Relu6() * (1.0 / 6)
        : z;

    Approximate[] Plus(Approximate[] z, Tensor? summand, Func<int, int> place)
    {
        if (summand is null) return z;
        var values = s.Initial(summand);
        return [.. z.Select((value, i) => value + values[place(i)])];
    }
}

/// <summary>The outputs for statistics of channels, with or without running statistics.</summary>
static class DrawnStatistics
{
    public static ChannelStatistics<Tensor> Of(Draw s, int channels) => new(s.Output([channels]), s.Output([channels]),
        s.Chance() ? s.InPlace([channels]) : null, s.Chance() ? s.InPlace([channels], 0.5f) : null, s.Number(0f));

    /// <param name="s">The draw.</param>
    /// <param name="statistics">The results.</param>
    /// <param name="rows">The number of rows of x.</param>
    /// <param name="x">[rows, channels]</param>
    public static void Expect(Draw s, ChannelStatistics<Tensor> statistics, int rows, Func<Approximate[]> x)
    {
        var channels = statistics.Mean.Length;
        var moments = new Lazy<(Approximate[] Mean, Approximate[] Variance)>(() => Normalization.Moments(x(), channels, i => i % channels));
        s.Expect("mean", statistics.Mean, () => moments.Value.Mean);
        s.Expect("variance", statistics.Variance, () => moments.Value.Variance);
        s.Expect("running mean", statistics.RunningMean, () => Blend(statistics.RunningMean!, moments.Value.Mean));
        s.Expect("running variance", statistics.RunningVariance, () => Blend(statistics.RunningVariance!, [.. moments.Value.Variance.Select(value => value * (rows / Math.Max(1.0, rows - 1)))]));

        Approximate[] Blend(Tensor running, Approximate[] batch)
        {
            Approximate momentum = statistics.Momentum;
            return [.. s.Initial(running).Zip(batch, (old, value) => (1 - momentum) * old + momentum * value)];
        }
    }
}
