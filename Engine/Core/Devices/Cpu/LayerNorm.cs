using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

// Floor: a row is read once from memory and stays in the L1 cache for its sums and its result.
sealed unsafe partial class CpuKernels
{
    public override void LayerNorm(Operand x, float epsilon, Operand? gamma, Operand? beta, Operand y, Operand mean, Operand rstd)
    {
        var channels = x.Shape.Channels;
        float* input = x.Pointer(), result = y.Pointer(), scale = gamma.PointerOrNull(), shift = beta.PointerOrNull(), means = mean.Pointer(), rstds = rstd.Pointer();
        ForEachJob(x.Shape.Rows, channels, row =>
        {
            var at = input + (nint)row * channels;
            var center = RowMean(at, channels);
            var (rest, square) = RowMoments(at, channels, center);
            (means[row], rstds[row]) = ((float)(center + rest), 1f / MathF.Sqrt((float)(square - rest * rest) + epsilon));
            Sweep.Rows(new LayerNormKernel(at, means[row], rstds[row], scale, shift, result + (nint)row * channels), 0, channels, channels, 0);
        });
    }

    public override void LayerNormBackward(Operand dy, Operand x, Operand mean, Operand rstd, Operand? gamma, Operand? dx, Operand? dGamma, Operand? dBeta)
    {
        if (dGamma is not null) Fill(dGamma, 0f);
        if (dBeta is not null) Fill(dBeta, 0f);
        if (x.Length == 0) return;

        var tile = new ChannelTile(x.Shape.Rows, x.Shape.Channels);
        var channels = tile.Channels;
        float* upstream = dy.Pointer(), input = x.Pointer(), means = mean.Pointer(), rstds = rstd.Pointer(), scale = gamma.PointerOrNull(), toInput = dx.PointerOrNull();
        using var scratch = new Scratch<float>(2 * tile.Chunks * channels);
        var partials = scratch.Pointer;
        ThreadTeam.Run(tile.Chunks, chunk =>
        {
            var sums = partials + (nint)2 * chunk * channels;
            new Span<float>(sums, 2 * channels).Clear();
            for (int row = chunk * tile.RowsPerChunk, end = row + tile.RowsOf(chunk); row < end; row++)
            {
                var at = (nint)row * channels;
                LayerNormBackwardRow(upstream + at, input + at, channels, means[row], rstds[row], scale, sums, toInput == null ? null : toInput + at);
            }
        });

        for (var c = 0; c < channels; c++)
        {
            double sum = 0, product = 0;
            for (var chunk = 0; chunk < tile.Chunks; chunk++)
            {
                sum += partials[(nint)2 * chunk * channels + c];
                product += partials[((nint)2 * chunk + 1) * channels + c];
            }

            if (dBeta is not null) dBeta.Pointer()[c] = (float)sum;
            if (dGamma is not null) dGamma.Pointer()[c] = (float)product;
        }
    }

    // The mean of one row.
    static float RowMean(float* x, int channels)
    {
        var sum = RowLanes.Sum(new ValueTerms(x), channels);
        if (!double.IsFinite(sum)) (sum, _) = WideMoments.Of(x, 1, channels, 0f);
        return (float)(sum / channels);
    }

    // The means of x - shift and of its square over one row.
    static (double Mean, double Square) RowMoments(float* x, int channels, float shift)
    {
        var (sum, square) = RowLanes.Sums(new DeviationTerms(x, shift), channels);
        if (!double.IsFinite(square)) (sum, square) = WideMoments.Of(x, 1, channels, shift);
        return (sum / channels, square / channels);
    }

    static void LayerNormBackwardRow(float* dy, float* x, int channels, float mean, float rstd, float* gamma, float* sums, float* dx)
    {
        var (gradient, product) = RowLanes.Sums(new LayerNormTerms(dy, x, mean, rstd, gamma, sums, sums + channels), channels);
        if (dx == null) return;
        float gradientMean = (float)(gradient / channels), productMean = (float)(product / channels);
        Sweep.Rows(new LayerNormGradientKernel(dy, x, mean, rstd, gamma, gradientMean, productMean, dx), 0, channels, channels, 0);
    }
}

/// <summary>y = (x - mean) rstd gamma + beta of one row.</summary>
readonly unsafe struct LayerNormKernel(float* x, float mean, float rstd, float* gamma, float* beta, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        var value = (lanes.Load(x + i) - mean) * rstd;
        if (gamma != null) value *= lanes.Load(gamma + i);
        if (beta != null) value += lanes.Load(beta + i);
        lanes.Store(y + i, value);
    }
}

/// <summary>g and g xhat of one row, where g = gamma dy. Adds the row to the channels' sums of dy and dy xhat.</summary>
readonly unsafe struct LayerNormTerms(float* dy, float* x, float mean, float rstd, float* gamma, float* dBeta, float* dGamma) : IRowTerms
{
    public static bool HasSecond => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Terms<T, TLanes>(nint i, TLanes lanes, out T second) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        T g = lanes.Load(dy + i), normalized = (lanes.Load(x + i) - mean) * rstd;
        lanes.Store(dBeta + i, lanes.Load(dBeta + i) + g);
        lanes.Store(dGamma + i, lanes.Load(dGamma + i) + g * normalized);
        if (gamma != null) g *= lanes.Load(gamma + i);
        second = g * normalized;
        return g;
    }
}

/// <summary>dx = rstd (g - mean g - xhat mean (g xhat)) of one row.</summary>
readonly unsafe struct LayerNormGradientKernel(float* dy, float* x, float mean, float rstd, float* gamma, float gradientMean, float productMean, float* dx) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        T g = lanes.Load(dy + i), normalized = (lanes.Load(x + i) - mean) * rstd;
        if (gamma != null) g *= lanes.Load(gamma + i);
        lanes.Store(dx + i, rstd * (g - gradientMean - normalized * productMean));
    }
}
