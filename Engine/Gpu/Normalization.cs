using ILGPU;
using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void GatherStatistics(Operand x, ChannelStatistics<Operand> statistics)
    {
        var (rows, channels) = (x.Shape.Rows, x.Shape.Channels);
        statistics.CheckRows(rows);
        Fold<BatchMoments, Pair>(new BatchMoments(x.View(), new MomentsTarget(statistics, rows), 1f / rows), 1, rows, channels);
    }

    public override void BatchNorm(Operand x, NormTerm<Operand> norm, Operand? residual, Operand y) =>
        EachOfChannels<Normalize, NormOfChannel, float>(new Normalize(x.View(), new ChannelNorm(norm), new Optional(residual, x.View()), norm.Activation, y.View()), y);

    public override void BatchNormBackward(Operand dy, Operand x, Operand? y, NormTerm<Operand> norm, bool batchStatistics, QuadraticGradient<Operand>? neurons, Operand? dx, Operand? dGamma, Operand? dBeta, Operand? dResidual)
    {
        var ofChannels = new ChannelNorm(norm);
        var g = new ActivatedGradient(dy.View(), new Optional(y, dy.View()), norm.Activation);
        using Operand? gammas = dGamma is null ? Scratch<float>(x.Shape.Channels) : null, betas = dBeta is null ? Scratch<float>(x.Shape.Channels) : null;
        ArrayView<float> ofGamma = (dGamma ?? gammas!).View(), ofBeta = (dBeta ?? betas!).View();
        var channels = new GradientOfChannels(ofChannels, ofGamma, ofBeta, batchStatistics ? 1f / x.Shape.Rows : 0f);

        // Neurons read the g of neighboring channels, so dx must not overwrite it.
        using var aside = neurons is not null && dResidual is null ? Scratch<float>(dy.Length) : null;
        var kept = dResidual ?? aside;
        if (dGamma is not null || dBeta is not null || dx is not null && batchStatistics || neurons is not null)
        {
            FoldChannels<NormGradientSums, NormOfChannel, Pair, Pair>(new(g, x.View(), ofChannels, new(ofChannels, ofGamma, ofBeta), new(kept, dy.View())), x);
            if (kept is not null) g = new ActivatedGradient(kept.View(), new Optional(null, dy.View()), Activation.None);
            dResidual = null;
        }

        if (neurons is not null)
            FoldChannels<NeuronGradient<InputGradient, GradientOfChannel>, NeuronChannel<GradientOfChannel>, Pair, float>(new(new(kept!.View(), channels), x.View(), neurons, dx), x);
        else if (dx is not null || dResidual is not null)
            EachOfChannels<NormGradient, GradientOfChannel, Pair>(new NormGradient(g, x.View(), channels, new(dx, dy.View()), new(dResidual, dy.View())), dy);
    }

    public override void BatchNormInputGradient(Operand g, Operand x, NormTerm<Operand> norm, Operand dGamma, Operand dBeta, QuadraticGradient<Operand>? neurons, Operand dx)
    {
        var channels = new GradientOfChannels(new ChannelNorm(norm), dGamma.View(), dBeta.View(), 1f / x.Shape.Rows);
        if (neurons is null)
            EachOfChannels<NormGradient, GradientOfChannel, Pair>(new NormGradient(new(g.View(), new(null, g.View()), Activation.None), x.View(), channels, new(dx, g.View()), new(null, g.View())), g);
        else
            FoldChannels<NeuronGradient<InputGradient, GradientOfChannel>, NeuronChannel<GradientOfChannel>, Pair, float>(new(new(g.View(), channels), x.View(), neurons, dx), x);
    }

    public override void LayerNorm(Operand x, float epsilon, Operand? gamma, Operand? beta, Operand y, Operand mean, Operand rstd)
    {
        var rows = new RowLanes(x.Shape.Rows, x.Shape.Channels);
        device.Launch(new NormalizeRows(rows, x.View(), epsilon, new(gamma, x.View()), new(beta, x.View()), y.View(), mean.View(), rstd.View()), rows.Groups);
    }

    public override void LayerNormBackward(Operand dy, Operand x, Operand mean, Operand rstd, Operand? gamma, Operand? dx, Operand? dGamma, Operand? dBeta)
    {
        var rows = new RowLanes(x.Shape.Rows, x.Shape.Channels);
        if (dGamma is not null || dBeta is not null)
            Fold<RowNormParameterSums, Pair>(new RowNormParameterSums(dy.View(), x.View(), mean.View(), rstd.View(),
                new(dGamma, x.View()), new(dBeta, x.View())), 1, x.Shape.Rows, x.Shape.Channels);
        if (dx is not null)
            device.Launch(new RowNormGradient(rows, dy.View(), x.View(), mean.View(), rstd.View(), new(gamma, x.View()), dx.View()), rows.Groups);
    }
}

/// <summary>The outputs for the moments of each channel: mean and biased variance, and the running statistics with the unbiased variance.</summary>
readonly struct MomentsTarget
{
    readonly ArrayView<float> mean, variance;
    readonly Optional runningMean, runningVariance;
    readonly float momentum, unbiased;

    public MomentsTarget(ChannelStatistics<Operand> statistics, int rows)
    {
        (mean, variance) = (statistics.Mean.View(), statistics.Variance.View());
        (runningMean, runningVariance) = (new(statistics.RunningMean, mean), new(statistics.RunningVariance, mean));
        momentum = statistics.Momentum;
        unbiased = rows > 1 ? rows / (rows - 1f) : 1f;
    }

    /// <summary>A placeholder for a kernel argument if there is no target.</summary>
    public MomentsTarget(ArrayView<float> standIn) => (mean, variance, runningMean, runningVariance) = (standIn, standIn, new(null, standIn), new(null, standIn));

    public void Store(int channel, float m, float v)
    {
        mean[channel] = m;
        variance[channel] = v;
        runningMean.Set(channel, (1f - momentum) * runningMean.Or(channel, 0f) + momentum * m);
        runningVariance.Set(channel, (1f - momentum) * runningVariance.Or(channel, 0f) + momentum * v * unbiased);
    }
}

/// <summary>
/// Mean and variance from the sums of d and d^2 / rows, where d = x - (the channel's first value). The shift by a value of the data keeps the
/// difference of the sums from canceling. The early division keeps squares in the range of floats whenever the variance is. Floor: one read.
/// </summary>
readonly struct BatchMoments(ArrayView<float> x, MomentsTarget target, float perRow) : IFold<Pair>
{
    public static Pair Identity => new(0f, 0f);

    public static Pair Combine(Pair a, Pair b) => new(a.A + b.A, a.B + b.B);

    public Pair Of(int row, int index, int column)
    {
        var d = x[index] - x[column];
        return new Pair(d, d * (d * perRow));
    }

    public void Store(int column, Pair total)
    {
        var shifted = total.A * perRow;
        target.Store(column, x[column] + shifted, Math.Max(0f, total.B - shifted * shifted));
    }
}

/// <summary>xhat = (x - mean) / sqrt(variance + epsilon), and gamma xhat + beta, by channel.</summary>
readonly struct ChannelNorm
{
    readonly ArrayView<float> mean, variance;
    readonly Optional gamma, beta;
    readonly float epsilon;

    public ChannelNorm(NormTerm<Operand> norm)
    {
        (mean, variance, epsilon) = (norm.Mean.View(), norm.Variance.View(), norm.Epsilon);
        (gamma, beta) = (new(norm.Gamma, mean), new(norm.Beta, mean));
    }

    /// <summary>A placeholder for a kernel argument if there is no norm.</summary>
    public ChannelNorm(ArrayView<float> standIn) => (mean, variance, gamma, beta, epsilon) = (standIn, standIn, new(null, standIn), new(null, standIn), 0f);

    public NormOfChannel Of(int channel) => new(Mean(channel), Gamma(channel) / Deviation(channel), Beta(channel));

    public float Mean(int channel) => mean[channel];

    public float Deviation(int channel) => MathF.Sqrt(variance[channel] + epsilon);

    public float Gamma(int channel) => gamma.Or(channel, 1f);

    public float Beta(int channel) => beta.Or(channel, 0f);
}

/// <summary>(x - mean) scale + beta, with scale = gamma / sqrt(variance + epsilon).</summary>
readonly struct NormOfChannel(float mean, float scale, float beta)
{
    public readonly float Mean = mean, Scale = scale, Beta = beta;

    public float Apply(float x) => (x - Mean) * Scale + Beta;
}

/// <summary>y = act(gamma xhat + beta + residual). Floor: one or two reads, one write.</summary>
readonly struct Normalize(ArrayView<float> x, ChannelNorm norm, Optional residual, Activation activation, ArrayView<float> y) : IChannelwise<NormOfChannel, float>
{
    public NormOfChannel Of(int channel) => norm.Of(channel);

    public float Compute(NormOfChannel channel, int i) => activation.F(channel.Apply(x[i]) + residual.Or(i, 0f));

    public void Store(int i, float value) => y[i] = value;
}

/// <summary>g = dy act'(y). If y was not written, it is computed again from x.</summary>
readonly struct ActivatedGradient(ArrayView<float> dy, Optional y, Activation activation)
{
    public float At(NormOfChannel channel, int i, float x) => activation.Backward(dy[i], y.Or(i, activation.F(channel.Apply(x))));
}

/// <summary>Sums of g and of g xhat over the rows: dBeta and dGamma. The common divisor of all rows is applied once, to the sums. Stores g if it is needed.</summary>
readonly struct NormGradientSums(ActivatedGradient g, ArrayView<float> x, ChannelNorm norm, NormSumsTarget target, Optional kept) : IChannelFold<NormOfChannel, Pair, Pair>
{
    public static Pair Identity => new(0f, 0f);

    public static Pair Combine(Pair a, Pair b) => new(a.A + b.A, a.B + b.B);

    public NormOfChannel Of(int channel) => norm.Of(channel);

    public Pair Compute(NormOfChannel channel, int i)
    {
        float value = x[i], gradient = g.At(channel, i, value);
        return new Pair(gradient, gradient * (value - channel.Mean));
    }

    public void Store(int i, Pair value) => kept.Set(i, value.A);

    public Pair Term(Pair value) => value;

    public void StoreTotal(int channel, Pair total) => target.Store(channel, total.A, total.B);
}

/// <summary>The outputs for the sums of g and g (x - mean): dBeta and, divided by the deviation, dGamma.</summary>
readonly struct NormSumsTarget(ChannelNorm norm, ArrayView<float> dGamma, ArrayView<float> dBeta)
{
    public void Store(int channel, float sum, float product)
    {
        dBeta[channel] = sum;
        dGamma[channel] = product / norm.Deviation(channel);
    }
}

/// <summary>Turns the sums of a channel into the numbers that its gradient needs.</summary>
readonly struct GradientOfChannels(ChannelNorm norm, ArrayView<float> dGamma, ArrayView<float> dBeta, float perRow)
{
    // With constant statistics there are no sums, and the memory may never have been written.
    public GradientOfChannel Of(int channel) => new(norm.Of(channel), perRow != 0f ? dBeta[channel] * perRow : 0f, perRow != 0f ? dGamma[channel] * perRow / norm.Deviation(channel) : 0f);
}

/// <summary>scale (g - a - b (x - mean)), with a = mean(g) and b = mean(g xhat) / sigma; both are 0 if the statistics are constants.</summary>
readonly struct GradientOfChannel(NormOfChannel norm, float a, float b)
{
    public readonly NormOfChannel Norm = norm;

    public float Apply(float g, float x) => Norm.Scale * (g - a - b * (x - Norm.Mean));
}

/// <summary>dx, if g is already the gradient before the activation.</summary>
readonly struct InputGradient(ArrayView<float> g, GradientOfChannels channels) : IChannelGradient<GradientOfChannel>
{
    public GradientOfChannel Of(int channel) => channels.Of(channel);

    public float At(GradientOfChannel channel, int i, float x) => channel.Apply(g[i], x);
}

/// <summary>dx = gamma / sigma (g - mean(g) - xhat mean(g xhat)), without the means if the statistics are constants; dResidual = g.</summary>
readonly struct NormGradient(ActivatedGradient g, ArrayView<float> x, GradientOfChannels channels, Optional dx, Optional dResidual) : IChannelwise<GradientOfChannel, Pair>
{
    public GradientOfChannel Of(int channel) => channels.Of(channel);

    public Pair Compute(GradientOfChannel channel, int i)
    {
        float value = x[i], gradient = g.At(channel.Norm, i, value);
        return new Pair(dx.IsPresent ? channel.Apply(gradient, value) : 0f, gradient);
    }

    public void Store(int i, Pair value)
    {
        dx.Set(i, value.A);
        dResidual.Set(i, value.B);
    }
}

/// <summary>LayerNorm forward: two passes over a row, the mean before the variance.</summary>
readonly struct NormalizeRows(RowLanes rows, ArrayView<float> x, float epsilon, Optional gamma, Optional beta, ArrayView<float> y, ArrayView<float> mean, ArrayView<float> rstd) : IKernel
{
    public void Run()
    {
        int start = rows.Start, end = rows.End;
        var sum = new LongSum(0f, 0f);
        for (var i = start + rows.Lane; i < end; i += rows.Lanes) sum += x[i];
        var m = rows.Fold(sum) / rows.Channels;

        // The squares are divided by their number before they are added up, so they stay in the range of floats whenever their mean does.
        var perChannel = 1f / rows.Channels;
        var square = new LongSum(0f, 0f);
        for (var i = start + rows.Lane; i < end; i += rows.Lanes) square += (x[i] - m) * ((x[i] - m) * perChannel);
        var r = 1f / MathF.Sqrt(rows.Fold(square) + epsilon);

        for (var i = start + rows.Lane; i < end; i += rows.Lanes) y[i] = (x[i] - m) * r * gamma.Or(i - start, 1f) + beta.Or(i - start, 0f);
        if (rows.Lane != 0 || start >= end) return;
        mean[rows.Row] = m;
        rstd[rows.Row] = r;
    }
}

/// <summary>dx = rstd (g - mean(g) - xhat mean(g xhat)) with g = dy gamma.</summary>
readonly struct RowNormGradient(RowLanes rows, ArrayView<float> dy, ArrayView<float> x, ArrayView<float> mean, ArrayView<float> rstd, Optional gamma, ArrayView<float> dx) : IKernel
{
    public void Run()
    {
        int start = rows.Start, end = rows.End;
        float m = start < end ? mean[rows.Row] : 0f, r = start < end ? rstd[rows.Row] : 0f;
        LongSum sum = new(0f, 0f), product = new(0f, 0f);
        for (var i = start + rows.Lane; i < end; i += rows.Lanes)
        {
            var g = dy[i] * gamma.Or(i - start, 1f);
            sum += g;
            product += g * (x[i] - m) * r;
        }

        var sums = rows.Fold<Pair, Addition>(new Pair(sum.Value, product.Value));
        for (var i = start + rows.Lane; i < end; i += rows.Lanes)
            dx[i] = r * (dy[i] * gamma.Or(i - start, 1f) - (sums.A + (x[i] - m) * r * sums.B) / rows.Channels);
    }
}

/// <summary>dGamma = sum over rows of dy xhat, dBeta = sum over rows of dy.</summary>
readonly struct RowNormParameterSums(ArrayView<float> dy, ArrayView<float> x, ArrayView<float> mean, ArrayView<float> rstd, Optional dGamma, Optional dBeta) : IFold<Pair>
{
    public static Pair Identity => new(0f, 0f);

    public static Pair Combine(Pair a, Pair b) => new(a.A + b.A, a.B + b.B);

    public Pair Of(int row, int index, int column) =>
        new Pair(dy[index], dy[index] * (x[index] - mean[row]) * rstd[row]);

    public void Store(int column, Pair total)
    {
        dBeta.Set(column, total.A);
        dGamma.Set(column, total.B);
    }
}
