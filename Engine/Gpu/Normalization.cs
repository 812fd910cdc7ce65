using ILGPU;
using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Gpu;

sealed partial class GpuBackend
{
    public override void GatherStatistics(Tensor x, ChannelStatistics statistics)
    {
        var (rows, channels) = (x.Shape.Rows, x.Shape.Channels);
        Fold<BatchMoments, Pair>(new BatchMoments(x.View(), new MomentsTarget(statistics, rows), rows), 1, rows, channels);
    }

    public override void BatchNorm(Tensor x, Tensor mean, Tensor variance, float epsilon, Tensor? gamma, Tensor? beta, Tensor? residual, bool relu, Tensor y) =>
        Each(new Normalize(x.View(), new ChannelNorm(mean, variance, epsilon, gamma, beta), new Optional(residual, x.View()), relu ? 1 : 0, y.View()), y.Length);

    public override void BatchNormBackward(Tensor dy, Tensor x, Tensor? y, Tensor mean, Tensor variance, float epsilon, Tensor? gamma, bool batchStatistics,
        Tensor? dx, Tensor? dGamma, Tensor? dBeta, Tensor? dResidual)
    {
        var (rows, channels) = (x.Shape.Rows, x.Shape.Channels);
        var norm = new ChannelNorm(mean, variance, epsilon, gamma, null);
        var gradient = new RectifiedGradient(dy.View(), new Optional(y, dy.View()));
        using var memory = Scratch<Pair>(channels);
        var sums = Elements<Pair>(memory);
        if (dGamma is not null || dBeta is not null || dx is not null && batchStatistics)
            Fold<NormGradientSums, Pair>(new NormGradientSums(gradient, x.View(), norm, sums, new(dGamma, mean.View()), new(dBeta, mean.View())), 1, rows, channels);
        if (dx is not null || dResidual is not null)
            Each<NormGradient, Pair>(new NormGradient(gradient, x.View(), norm, sums, batchStatistics ? 1f / rows : 0f, new(dx, dy.View()), new(dResidual, dy.View())), dy.Length);
    }

    public override void LayerNorm(Tensor x, float epsilon, Tensor? gamma, Tensor? beta, Tensor y, Tensor mean, Tensor rstd)
    {
        var rows = new RowLanes(x.Shape.Rows, x.Shape.Channels);
        device.Launch(new NormalizeRows(rows, x.View(), epsilon, new(gamma, x.View()), new(beta, x.View()), y.View(), mean.View(), rstd.View()), rows.Groups);
    }

    public override void LayerNormBackward(Tensor dy, Tensor x, Tensor mean, Tensor rstd, Tensor? gamma, Tensor? dx, Tensor? dGamma, Tensor? dBeta)
    {
        var rows = new RowLanes(x.Shape.Rows, x.Shape.Channels);
        if (dGamma is not null || dBeta is not null)
            Fold<RowNormParameterSums, Pair>(new RowNormParameterSums(dy.View(), x.View(), mean.View(), rstd.View(),
                new(dGamma, x.View()), new(dBeta, x.View())), 1, x.Shape.Rows, x.Shape.Channels);
        if (dx is not null)
            device.Launch(new RowNormGradient(rows, dy.View(), x.View(), mean.View(), rstd.View(), new(gamma, x.View()), dx.View()), rows.Groups);
    }
}

/// <summary>Where the moments of each channel go: mean and biased variance, and the running ones with the unbiased variance.</summary>
readonly struct MomentsTarget
{
    readonly ArrayView<float> mean, variance;
    readonly Optional runningMean, runningVariance;
    readonly float momentum, unbiased;

    public MomentsTarget(ChannelStatistics statistics, int rows)
    {
        (mean, variance) = (statistics.Mean.View(), statistics.Variance.View());
        (runningMean, runningVariance) = (new(statistics.RunningMean, mean), new(statistics.RunningVariance, mean));
        momentum = statistics.Momentum;
        unbiased = rows > 1 ? rows / (rows - 1f) : 1f;
    }

    public void Store(int channel, float m, float v)
    {
        mean[channel] = m;
        variance[channel] = v;
        runningMean.Set(channel, (1f - momentum) * runningMean.Or(channel, 0f) + momentum * m);
        runningVariance.Set(channel, (1f - momentum) * runningVariance.Or(channel, 0f) + momentum * v * unbiased);
    }
}

/// <summary>
/// Mean and variance from the sums of d and d^2, where d = x - (the channel's first value): shifted by a value of the data, the
/// difference of the sums does not cancel. Floor: one read.
/// </summary>
readonly struct BatchMoments(ArrayView<float> x, MomentsTarget target, float rows) : IFold<Pair>
{
    public static Pair Identity => new(0f, 0f);

    public static Pair Combine(Pair a, Pair b) => new(a.A + b.A, a.B + b.B);

    public Pair Of(int row, int index, int column)
    {
        var d = x[index] - x[column];
        return new Pair(d, d * d);
    }

    public void Store(int column, Pair total)
    {
        var shifted = total.A / rows;
        target.Store(column, x[column] + shifted, Math.Max(0f, total.B / rows - shifted * shifted));
    }
}

/// <summary>xhat = (x - mean) / sqrt(variance + epsilon), and gamma xhat + beta, by channel.</summary>
readonly struct ChannelNorm
{
    readonly ArrayView<float> mean, variance;
    readonly Optional gamma, beta;
    readonly float epsilon;
    readonly FastDivisor channels;

    public ChannelNorm(Tensor mean, Tensor variance, float epsilon, Tensor? gamma, Tensor? beta)
    {
        (this.mean, this.variance, this.epsilon) = (mean.View(), variance.View(), epsilon);
        (this.gamma, this.beta) = (new(gamma, this.mean), new(beta, this.mean));
        channels = new FastDivisor(mean.Length);
    }

    public int Channel(int index) => channels.Remainder(index);

    public float Deviation(int channel) => MathF.Sqrt(variance[channel] + epsilon);

    public float Standardize(float x, int channel) => (x - mean[channel]) / Deviation(channel);

    public float Gamma(int channel) => gamma.Or(channel, 1f);

    public float Beta(int channel) => beta.Or(channel, 0f);
}

/// <summary>y = act(gamma xhat + beta + residual). Floor: one or two reads, one write.</summary>
readonly struct Normalize(ArrayView<float> x, ChannelNorm norm, Optional residual, int relu, ArrayView<float> y) : IPointwise<float>
{
    public float Compute(int i)
    {
        var channel = norm.Channel(i);
        var value = norm.Standardize(x[i], channel) * norm.Gamma(channel) + norm.Beta(channel) + residual.Or(i, 0f);
        return relu != 0 && value < 0f ? 0f : value;
    }

    public void Store(int i, float value) => y[i] = value;
}

/// <summary>g = dy where y > 0, or everywhere where there was no ReLU.</summary>
readonly struct RectifiedGradient(ArrayView<float> dy, Optional y)
{
    public float this[int i] => y.Or(i, 1f) > 0f ? dy[i] : 0f;
}

/// <summary>Sums over the rows of g and of g xhat: dBeta and dGamma.</summary>
readonly struct NormGradientSums(RectifiedGradient g, ArrayView<float> x, ChannelNorm norm, ArrayView<Pair> sums, Optional dGamma, Optional dBeta) : IFold<Pair>
{
    public static Pair Identity => new(0f, 0f);

    public static Pair Combine(Pair a, Pair b) => new(a.A + b.A, a.B + b.B);

    public Pair Of(int row, int index, int column)
    {
        var gradient = g[index];
        return new Pair(gradient, gradient * norm.Standardize(x[index], column));
    }

    public void Store(int column, Pair total)
    {
        sums[column] = total;
        dBeta.Set(column, total.A);
        dGamma.Set(column, total.B);
    }
}

/// <summary>dx = gamma / sigma (g - mean(g) - xhat mean(g xhat)), without the means where the statistics are constants; dResidual = g.</summary>
readonly struct NormGradient(RectifiedGradient g, ArrayView<float> x, ChannelNorm norm, ArrayView<Pair> sums, float perRow, Optional dx, Optional dResidual) : IPointwise<Pair>
{
    public Pair Compute(int i)
    {
        var gradient = g[i];
        if (!dx.IsPresent) return new Pair(0f, gradient);
        var channel = norm.Channel(i);
        var centred = gradient;
        if (perRow != 0f)
        {
            var sum = sums[channel];
            centred -= (sum.A + norm.Standardize(x[i], channel) * sum.B) * perRow;
        }

        return new Pair(norm.Gamma(channel) / norm.Deviation(channel) * centred, gradient);
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
        var sum = 0f;
        for (var i = start + rows.Lane; i < end; i += rows.Lanes) sum += x[i];
        var m = rows.Fold<float, Addition>(sum) / rows.Channels;

        var squares = 0f;
        for (var i = start + rows.Lane; i < end; i += rows.Lanes) squares += (x[i] - m) * (x[i] - m);
        var r = 1f / MathF.Sqrt(rows.Fold<float, Addition>(squares) / rows.Channels + epsilon);

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
        float m = start < end ? mean[rows.Row] : 0f, r = start < end ? rstd[rows.Row] : 0f, sum = 0f, product = 0f;
        for (var i = start + rows.Lane; i < end; i += rows.Lanes)
        {
            var g = dy[i] * gamma.Or(i - start, 1f);
            sum += g;
            product += g * (x[i] - m) * r;
        }

        var sums = rows.Fold<Pair, Addition>(new Pair(sum, product));
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
