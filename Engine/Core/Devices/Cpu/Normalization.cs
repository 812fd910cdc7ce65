using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

// Floors: statistics read x once. The forward reads x (and the residual) and writes y. The backward reads dy, x and y twice: for
// the sums, and then for dx, which depends on them. Quadratic neurons that join the second pass work on dx block by block, in the L1 cache.
sealed unsafe partial class CpuKernels
{
    public override void GatherStatistics(Operand x, ChannelStatistics<Operand> statistics)
    {
        statistics.CheckRows(x.Shape.Rows);
        if (x.Length == 0) return;
        var tile = new ChannelTile(x.Shape.Rows, x.Shape.Channels);
        var input = x.Pointer();
        using var scratch = new Scratch<double>(2 * tile.Chunks * tile.Channels);
        var partials = scratch.Pointer;
        ThreadTeam.Run(tile.Chunks, chunk => GatherMoments(input, tile, chunk, partials + (nint)2 * chunk * tile.Channels));
        ChannelMoments.Combine(partials, [.. Enumerable.Range(0, tile.Chunks).Select(tile.RowsOf)], statistics);
    }

    // Sums of d = x - shift and d^2, where the shift is the mean of some rows of the chunk. Then the cancellation in the variance is at
    // most the ratio of all rows to those rows, for any data.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void GatherMoments(float* x, ChannelTile tile, int chunk, double* moments)
    {
        int channels = tile.Channels, rows = tile.RowsOf(chunk), sample = Math.Min(rows, tile.Copies);
        using var scratch = new Scratch<float>(3 * tile.Width);
        float* shift = scratch.Pointer, sums = shift + tile.Width, squares = sums + tile.Width;
        new Span<float>(sums, 2 * tile.Width).Clear();
        var first = x + (nint)chunk * tile.RowsPerChunk * channels;
        for (var c = 0; c < channels; c++)
        {
            var sum = 0.0;
            for (var row = 0; row < sample; row++) sum += first[row * channels + c];
            shift[c] = (float)(sum / sample);
        }

        tile.Repeat(shift);
        tile.SweepChunk(new MomentsKernel(x, shift, sums, squares), chunk);
        for (var c = 0; c < channels; c++)
        {
            double sum = tile.Fold(sums, c), square = tile.Fold(squares, c);
            if (!double.IsFinite(square)) (sum, square) = WideMoments.Of(first + c, channels, rows, shift[c]);
            moments[c] = shift[c] + sum / rows;
            moments[channels + c] = square - sum * sum / rows;
        }
    }

    public override void BatchNorm(Operand x, NormTerm<Operand> norm, Operand? residual, Operand y)
    {
        if (x.Length == 0) return;
        var (mean, variance, epsilon, gamma, beta, activation) = norm;
        var tile = new ChannelTile(x.Shape.Rows, x.Shape.Channels);
        using var scratch = new Scratch<float>(3 * tile.Width);
        float* center = scratch.Pointer, scale = center + tile.Width, shift = scale + tile.Width;
        for (var c = 0; c < tile.Channels; c++)
        {
            center[c] = mean.Pointer()[c];
            scale[c] = ScaleOf(variance.Pointer()[c], ValueOr(gamma, c, 1f), epsilon);
            shift[c] = ValueOr(beta, c, 0f);
        }

        tile.Repeat(center);
        tile.Repeat(scale);
        tile.Repeat(shift);
        Use(activation, new Normalizing(tile, x.Pointer(), center, scale, shift, residual.PointerOrNull(), !activation.IsNone, y.Pointer()));
    }

    public override void FoldBatchNorm(Operand mean, Operand variance, float epsilon, Operand? gamma, Operand? beta, Operand scale, Operand shift)
    {
        float* center = mean.Pointer(), spread = variance.Pointer(), factor = gamma.PointerOrNull(), summand = beta.PointerOrNull(), a = scale.Pointer(), b = shift.Pointer();
        for (var c = 0; c < mean.Length; c++)
        {
            a[c] = ScaleOf(spread[c], factor is null ? 1f : factor[c], epsilon);
            b[c] = (summand is null ? 0f : summand[c]) - center[c] * a[c];
        }
    }

    static float ScaleOf(float variance, float gamma, float epsilon) => (float)(gamma / Math.Sqrt((double)variance + epsilon));

    public override void BatchNormBackward(Operand dy, Operand x, Operand? y, NormTerm<Operand> norm, bool batchStatistics, QuadraticGradient<Operand>? neurons, Operand? dx, Operand? dGamma, Operand? dBeta, Operand? dResidual)
    {
        if (x.Length == 0)
        {
            if (dGamma is not null) Fill(dGamma, 0f);
            if (dBeta is not null) Fill(dBeta, 0f);
            if (neurons?.DLambda is { } dLambda) Fill(dLambda, 0f);
            return;
        }

        using var written = y is null && !norm.Activation.IsNone ? Normalized(x, norm) : null;
        var g = new ActivatedGradient(dy, norm.Activation.IsNone ? null : y ?? written, norm.Activation);

        // sums[c] = sum g, sums[channels + c] = sum g (x - mean)
        var channels = x.Shape.Channels;
        using var sums = new Scratch<double>(2 * channels);
        if (dGamma is not null || dBeta is not null || (dx is not null && batchStatistics)) Use(g.Activation, new SummingGradients(g, x, norm, sums.Pointer));
        for (var c = 0; c < channels; c++)
        {
            if (dBeta is not null) dBeta.Pointer()[c] = (float)sums.Pointer[c];
            if (dGamma is not null) dGamma.Pointer()[c] = (float)(sums.Pointer[channels + c] * RstdOf(norm, c));
        }

        if (dx is not null || dResidual is not null) Use(g.Activation, new ComputingInputGradient(g, x, norm, batchStatistics ? sums.Pointer : null, neurons, dx, dResidual));
    }

    public override void BatchNormInputGradient(Operand g, Operand x, NormTerm<Operand> norm, Operand dGamma, Operand dBeta, QuadraticGradient<Operand>? neurons, Operand dx)
    {
        if (x.Length == 0)
        {
            if (neurons?.DLambda is { } dLambda) Fill(dLambda, 0f);
            return;
        }

        var channels = x.Shape.Channels;
        using var sums = new Scratch<double>(2 * channels);
        for (var c = 0; c < channels; c++) (sums.Pointer[c], sums.Pointer[channels + c]) = (dBeta.Pointer()[c], dGamma.Pointer()[c] / RstdOf(norm, c));
        Use(Activation.None, new ComputingInputGradient(new(g, null, Activation.None), x, norm, sums.Pointer, neurons, dx, null));
    }

    static double RstdOf(NormTerm<Operand> norm, int channel) => 1 / Math.Sqrt((double)norm.Variance.Pointer()[channel] + norm.Epsilon);

    // Without an activation, the kernel of any activation does: it gets activates = false, or no y.
    static void Use<TVisitor>(Activation activation, TVisitor kernel) where TVisitor : IActivationVisitor => (activation.IsNone ? Activation.Relu : activation).Accept(kernel);

    readonly struct Normalizing(ChannelTile tile, float* x, float* mean, float* scale, float* shift, float* residual, bool activates, float* y) : IActivationVisitor
    {
        public void Visit<TOp>() where TOp : struct, IUnaryOp<TOp> => tile.SweepAll(new BatchNormKernel<TOp>(x, mean, scale, shift, residual, activates, y));
    }

    readonly struct SummingGradients(ActivatedGradient g, Operand x, NormTerm<Operand> norm, double* sums) : IActivationVisitor
    {
        public void Visit<TOp>() where TOp : struct, IUnaryOp<TOp> => SumGradients<TOp>(g, x, norm, sums);
    }

    readonly struct ComputingInputGradient(ActivatedGradient g, Operand x, NormTerm<Operand> norm, double* sums, QuadraticGradient<Operand>? neurons, Operand? dx, Operand? dResidual) : IActivationVisitor
    {
        public void Visit<TOp>() where TOp : struct, IUnaryOp<TOp> => InputGradient<TOp>(g, x, norm, sums, neurons, dx, dResidual);
    }

    // The sums as above, or null if the statistics are constants.
    static void InputGradient<TOp>(ActivatedGradient g, Operand x, NormTerm<Operand> norm, double* sums, QuadraticGradient<Operand>? neurons, Operand? dx, Operand? dResidual) where TOp : struct, IUnaryOp<TOp>
    {
        var tile = new ChannelTile(x.Shape.Rows, x.Shape.Channels);
        var channels = tile.Channels;
        using var parameters = new Scratch<float>(4 * tile.Width);
        float* center = parameters.Pointer, ofGradient = center + tile.Width, gradientMean = ofGradient + tile.Width, ofInput = gradientMean + tile.Width;
        for (var c = 0; c < channels; c++)
        {
            double rstd = RstdOf(norm, c), scale = ValueOr(norm.Gamma, c, 1f) * rstd;
            center[c] = norm.Mean.Pointer()[c];
            ofGradient[c] = (float)scale;
            gradientMean[c] = sums == null ? 0f : (float)(sums[c] / tile.Rows);
            ofInput[c] = sums == null ? 0f : (float)(scale * rstd * rstd * sums[channels + c] / tile.Rows);
        }

        tile.Repeat(center);
        tile.Repeat(ofGradient);
        tile.Repeat(gradientMean);
        tile.Repeat(ofInput);
        var pass = new BatchNormGradientKernel<TOp>(g.Dy.Pointer(), sums == null ? null : x.Pointer(), g.Y.PointerOrNull(), center, ofGradient, gradientMean, ofInput,
            dx.PointerOrNull(), dResidual.PointerOrNull());
        if (neurons is null) tile.SweepAll(pass);
        else new QuadraticPass(neurons.Term, tile.Rows).Backward(dx!.Pointer(), x.Pointer(), neurons, dx!.Pointer(), (first, rows) => tile.SweepRows(pass, first, rows));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void SumGradients<TOp>(ActivatedGradient g, Operand x, NormTerm<Operand> norm, double* sums) where TOp : struct, IUnaryOp<TOp>
    {
        var tile = new ChannelTile(x.Shape.Rows, x.Shape.Channels);
        var channels = tile.Channels;
        using var means = new Scratch<float>(tile.Width);
        for (var c = 0; c < channels; c++) means.Pointer[c] = norm.Mean.Pointer()[c];
        tile.Repeat(means.Pointer);
        using var scratch = new Scratch<double>(2 * tile.Chunks * channels);
        var partials = scratch.Pointer;
        ThreadTeam.Run(tile.Chunks, chunk =>
        {
            using var gathered = new Scratch<float>(2 * tile.Width);
            float* first = gathered.Pointer, second = first + tile.Width;
            new Span<float>(first, 2 * tile.Width).Clear();
            tile.SweepChunk(new GradientSumsKernel<TOp>(g.Dy.Pointer(), x.Pointer(), g.Y.PointerOrNull(), means.Pointer, first, second), chunk);
            for (var c = 0; c < channels; c++)
            {
                partials[(nint)2 * chunk * channels + c] = tile.Fold(first, c);
                partials[((nint)2 * chunk + 1) * channels + c] = tile.Fold(second, c);
            }
        });
        new Span<double>(sums, 2 * channels).Clear();
        for (var chunk = 0; chunk < tile.Chunks; chunk++)
            for (var i = 0; i < 2 * channels; i++) sums[i] += partials[(nint)2 * chunk * channels + i];
    }

    static float ValueOr(Operand? tensor, int index, float otherwise) => tensor is null ? otherwise : tensor.Pointer()[index];

    // g = dy act'(y). Without an activation g = dy, and y is null.
    readonly record struct ActivatedGradient(Operand Dy, Operand? Y, Activation Activation);
}

/// <summary>The mean and the sum of squared deviations (M2) of the channels, computed chunk by chunk.</summary>
static unsafe class ChannelMoments
{
    /// <summary>
    /// Combines chunks of rows by the formula of Chan, Golub and LeVeque (1979) in a fixed order, and updates the statistics:
    ///   M2 = M2a + M2b + (mean_b - mean_a)^2 n_a n_b / (n_a + n_b)
    /// </summary>
    /// <param name="moments">[chunks, 2, channels]: the means, then M2</param>
    /// <param name="rowsOfChunk">Rows of each chunk, none of them empty.</param>
    /// <param name="statistics">Receives the result.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Combine(double* moments, ReadOnlySpan<int> rowsOfChunk, ChannelStatistics<Operand> statistics)
    {
        var channels = statistics.Mean.Length;
        double rows = rowsOfChunk[0];
        for (var chunk = 1; chunk < rowsOfChunk.Length; chunk++)
        {
            double more = rowsOfChunk[chunk], all = rows + more, share = more / all;
            var part = moments + (nint)2 * chunk * channels;
            for (var c = 0; c < channels; c++)
            {
                var delta = part[c] - moments[c];
                moments[c] += delta * share;
                moments[channels + c] += part[channels + c] + delta * delta * (rows * share);
            }

            rows = all;
        }

        for (var c = 0; c < channels; c++)
        {
            double mean = moments[c], squares = Math.Max(0, moments[channels + c]);
            statistics.Mean.Pointer()[c] = (float)mean;
            statistics.Variance.Pointer()[c] = (float)(squares / rows);
            Blend(statistics.RunningMean, c, mean, statistics.Momentum);
            Blend(statistics.RunningVariance, c, squares / Math.Max(1, rows - 1), statistics.Momentum);
        }
    }

    static void Blend(Operand? running, int channel, double value, float momentum)
    {
        if (running is null) return;
        var p = running.Pointer() + channel;
        *p = (float)((1.0 - momentum) * *p + momentum * value);
    }
}

/// <summary>The moments of numbers whose squares leave the range of floats, computed again in double.</summary>
static unsafe class WideMoments
{
    /// <summary>The sums of d = x - shift and of d^2, over count numbers that lie step elements apart.</summary>
    public static (double Sum, double Squares) Of(float* x, nint step, int count, float shift)
    {
        double sum = 0, squares = 0;
        for (var i = 0; i < count; i++, x += step)
        {
            var d = (double)*x - shift;
            sum += d;
            squares += d * d;
        }

        return (sum, squares);
    }
}

readonly unsafe struct MomentsKernel(float* x, float* shift, float* sums, float* squares) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        var d = lanes.Load(x + i) - lanes.Load(shift + t);
        lanes.Store(sums + t, lanes.Load(sums + t) + d);
        lanes.Store(squares + t, lanes.Load(squares + t) + d * d);
    }
}

readonly unsafe struct BatchNormKernel<TActivation>(float* x, float* mean, float* scale, float* shift, float* residual, bool activates, float* y) : IVectorKernel where TActivation : struct, IUnaryOp<TActivation>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        var value = (lanes.Load(x + i) - lanes.Load(mean + t)) * lanes.Load(scale + t) + lanes.Load(shift + t);
        if (residual != null) value += lanes.Load(residual + i);
        if (activates) value = TActivation.F(value);
        lanes.Store(y + i, value);
    }
}

/// <summary>Sums of g and of g (x - mean). g = dy act'(y), or dy if y is null.</summary>
readonly unsafe struct GradientSumsKernel<TActivation>(float* dy, float* x, float* y, float* mean, float* sums, float* products) : IVectorKernel where TActivation : struct, IUnaryOp<TActivation>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        var g = lanes.Load(dy + i);
        if (y != null) g = TActivation.Backward(g, default, lanes.Load(y + i));
        lanes.Store(sums + t, lanes.Load(sums + t) + g);
        lanes.Store(products + t, lanes.Load(products + t) + g * (lanes.Load(x + i) - lanes.Load(mean + t)));
    }
}

/// <summary>dx = a (g - mean g) - b (x - mean), dResidual = g; x is null if the statistics are constants.</summary>
readonly unsafe struct BatchNormGradientKernel<TActivation>(float* dy, float* x, float* y, float* mean, float* a, float* gradientMean, float* b, float* dx, float* dResidual) : IVectorKernel where TActivation : struct, IUnaryOp<TActivation>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        var g = lanes.Load(dy + i);
        if (y != null) g = TActivation.Backward(g, default, lanes.Load(y + i));
        if (dResidual != null) lanes.Store(dResidual + i, g);
        if (dx == null) return;
        var d = lanes.Load(a + t) * (g - lanes.Load(gradientMean + t));
        if (x != null) d -= lanes.Load(b + t) * (lanes.Load(x + i) - lanes.Load(mean + t));
        lanes.Store(dx + i, d);
    }
}
