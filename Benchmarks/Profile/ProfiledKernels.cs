using QuadEngine.Devices;

namespace QuadEngine.Benchmarks.Profile;

/// <summary>Passes every call on to other kernels and logs its time. The log gets the operands that the kernel must read and write.</summary>
sealed class ProfiledKernels(Kernels kernels, KernelLog log) : Kernels
{
    // ---- memory

    public override void Fill(Operand y, float value)
    {
        using var _ = Time(nameof(Fill), y, y);
        kernels.Fill(y, value);
    }

    public override void Copy(Operand x, Operand y)
    {
        using var _ = Time(nameof(Copy), y, x, y);
        kernels.Copy(x, y);
    }

    public override void CopyStrided(Operand x, int xOffset, ReadOnlySpan<int> xStrides, Shape shape, int yOffset, ReadOnlySpan<int> yStrides, Operand y)
    {
        using var _ = Time(nameof(CopyStrided), y, x, y);
        kernels.CopyStrided(x, xOffset, xStrides, shape, yOffset, yStrides, y);
    }

    public override void GatherImages(Operand pixels, Operand classes, Operand levels, Operand order, int first, RandomWindows windows, Operand images, Operand labels)
    {
        using var _ = Time(nameof(GatherImages), images, images);
        kernels.GatherImages(pixels, classes, levels, order, first, windows, images, labels);
    }

    // ---- element-wise

    public override void Unary<TOp>(Operand x, Operand y)
    {
        using var _ = Time(TOp.Name, y, x, y);
        kernels.Unary<TOp>(x, y);
    }

    public override void UnaryBackward<TOp>(Operand dy, Operand? x, Operand? y, Operand dx)
    {
        using var _ = Time(TOp.Name + " backward", dx, dy, x, y, dx);
        kernels.UnaryBackward<TOp>(dy, x, y, dx);
    }

    public override void Binary<TOp>(Operand a, Operand b, Operand y)
    {
        using var _ = Time(TOp.Name, y, a, b, y);
        kernels.Binary<TOp>(a, b, y);
    }

    public override void BinaryBackward<TOp>(Operand dy, Operand? a, Operand? b, Operand? y, Operand? da, Operand? db)
    {
        using var _ = Time(TOp.Name + " backward", dy, dy, a, b, y, da, db);
        kernels.BinaryBackward<TOp>(dy, a, b, y, da, db);
    }

    public override void BinaryScalar<TOp>(Operand x, float b, Operand y)
    {
        using var _ = Time(TOp.Name, y, x, y);
        kernels.BinaryScalar<TOp>(x, b, y);
    }

    public override void BinaryScalarBackward<TOp>(Operand dy, Operand? x, float b, Operand? y, Operand dx)
    {
        using var _ = Time(TOp.Name + " backward", dx, dy, x, y, dx);
        kernels.BinaryScalarBackward<TOp>(dy, x, b, y, dx);
    }

    public override void AddScaled(float alpha, Operand x, float beta, Operand y)
    {
        using var _ = Time(nameof(AddScaled), y, x, y, beta == 0f ? null : y);
        kernels.AddScaled(alpha, x, beta, y);
    }

    // ---- reductions

    public override void Reduce<TOp>(Operand x, int outer, int n, int inner, Operand y)
    {
        using var _ = Time(TOp.Name, x, x, y);
        kernels.Reduce<TOp>(x, outer, n, inner, y);
    }

    public override void ArgMax(Operand x, int outer, int n, int inner, Operand y)
    {
        using var _ = Time(nameof(ArgMax), x, x);
        kernels.ArgMax(x, outer, n, inner, y);
    }

    public override void Norm(ReadOnlySpan<Operand> tensors, Operand y)
    {
        using var _ = Time(nameof(Norm), y, tensors);
        kernels.Norm(tensors, y);
    }

    // ---- projections

    public override void MatMul(Operand a, Operand b, MatMulGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        using var _ = log.Time(Name(nameof(MatMul), epilogue), $"{geometry.M} x {geometry.N} x {geometry.K}", 2.0 * geometry.MultiplyAdds, a, b, epilogue.Residual, y);
        kernels.MatMul(a, b, geometry, epilogue, y);
    }

    public override void Conv2d(Operand x, Operand filter, ConvGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        using var _ = Time(Name(nameof(Conv2d), epilogue), geometry, x, filter, epilogue.Residual, y);
        kernels.Conv2d(x, filter, geometry, epilogue, y);
    }

    public override void Conv2dInputGradient(Operand dy, Operand filter, ConvGeometry geometry, Operand dx)
    {
        using var _ = Time(nameof(Conv2dInputGradient), geometry, dy, filter, dx);
        kernels.Conv2dInputGradient(dy, filter, geometry, dx);
    }

    public override void Conv2dFilterGradient(Operand x, Operand dy, ConvGeometry geometry, Operand dFilter)
    {
        using var _ = Time(nameof(Conv2dFilterGradient), geometry, x, dy, dFilter);
        kernels.Conv2dFilterGradient(x, dy, geometry, dFilter);
    }

    // ---- the quadratic neuron

    public override void Quadratic(Operand z, QuadraticTerm<Operand> term, Operand y)
    {
        using var _ = Time(nameof(Quadratic), y, z, y);
        kernels.Quadratic(z, term, y);
    }

    public override void QuadraticBackward(Operand dy, Operand y, QuadraticGradient<Operand> neurons, Operand? dz)
    {
        using var _ = Time(nameof(QuadraticBackward), y, dy, y, dz);
        kernels.QuadraticBackward(dy, y, neurons, dz);
    }

    // ---- normalization

    public override void FoldBatchNorm(Operand mean, Operand variance, float epsilon, Operand? gamma, Operand? beta, Operand scale, Operand shift)
    {
        using var _ = Time(nameof(FoldBatchNorm), mean, scale);
        kernels.FoldBatchNorm(mean, variance, epsilon, gamma, beta, scale, shift);
    }

    public override void GatherStatistics(Operand x, ChannelStatistics<Operand> statistics)
    {
        using var _ = Time(nameof(GatherStatistics), x, x);
        kernels.GatherStatistics(x, statistics);
    }

    public override void BatchNorm(Operand x, NormTerm<Operand> norm, Operand? residual, Operand y)
    {
        using var _ = Time(nameof(BatchNorm) + (residual is null ? "" : " + residual") + (norm.Activation.IsNone ? "" : $" + {norm.Activation}"), y, x, residual, y);
        kernels.BatchNorm(x, norm, residual, y);
    }

    public override void BatchNormBackward(Operand dy, Operand x, Operand? y, NormTerm<Operand> norm, bool batchStatistics, QuadraticGradient<Operand>? neurons, Operand? dx, Operand? dGamma, Operand? dBeta, Operand? dResidual)
    {
        // Sums over the batch come before the first dx, so dy, x and y must be read twice.
        var name = nameof(BatchNormBackward) + (neurons is null ? "" : " + quadratic") + (dResidual is null ? "" : " + residual") + (y is null ? "" : " + ReLU");
        using var _ = Time(name, x, dy, x, y, dy, x, y, dx, dResidual);
        kernels.BatchNormBackward(dy, x, y, norm, batchStatistics, neurons, dx, dGamma, dBeta, dResidual);
    }

    public override void BatchNormInputGradient(Operand g, Operand x, NormTerm<Operand> norm, Operand dGamma, Operand dBeta, QuadraticGradient<Operand>? neurons, Operand dx)
    {
        using var _ = Time(nameof(BatchNormInputGradient) + (neurons is null ? "" : " + quadratic"), x, g, x, dx);
        kernels.BatchNormInputGradient(g, x, norm, dGamma, dBeta, neurons, dx);
    }

    public override void LayerNorm(Operand x, float epsilon, Operand? gamma, Operand? beta, Operand y, Operand mean, Operand rstd)
    {
        using var _ = Time(nameof(LayerNorm), x, x, y);
        kernels.LayerNorm(x, epsilon, gamma, beta, y, mean, rstd);
    }

    public override void LayerNormBackward(Operand dy, Operand x, Operand mean, Operand rstd, Operand? gamma, Operand? dx, Operand? dGamma, Operand? dBeta)
    {
        using var _ = Time(nameof(LayerNormBackward), x, dy, x, dx);
        kernels.LayerNormBackward(dy, x, mean, rstd, gamma, dx, dGamma, dBeta);
    }

    // ---- softmax and losses

    public override void Softmax(Operand x, bool logarithm, Operand y)
    {
        using var _ = Time(nameof(Softmax), x, x, y);
        kernels.Softmax(x, logarithm, y);
    }

    public override void SoftmaxBackward(Operand dy, Operand y, bool logarithm, Operand dx)
    {
        using var _ = Time(nameof(SoftmaxBackward), dy, dy, y, dx);
        kernels.SoftmaxBackward(dy, y, logarithm, dx);
    }

    public override void CrossEntropy(Operand logits, Operand labels, float smoothing, Operand probabilities, Operand losses)
    {
        using var _ = Time(nameof(CrossEntropy), logits, logits, probabilities, losses);
        kernels.CrossEntropy(logits, labels, smoothing, probabilities, losses);
    }

    public override void CrossEntropyBackward(Operand dLosses, Operand probabilities, Operand labels, float smoothing, Operand dLogits)
    {
        using var _ = Time(nameof(CrossEntropyBackward), probabilities, dLosses, probabilities, dLogits);
        kernels.CrossEntropyBackward(dLosses, probabilities, labels, smoothing, dLogits);
    }

    // ---- attention

    public override void Attention(Operand query, Operand key, Operand value, AttentionGeometry geometry, Operand? keyLengths, Operand? mask, RandomStream stream, Operand y, Operand logSums)
    {
        using var _ = Time(nameof(Attention), geometry, 1, [query, geometry.Packed ? null : key, geometry.Packed ? null : value, y]);
        kernels.Attention(query, key, value, geometry, keyLengths, mask, stream, y, logSums);
    }

    public override void AttentionBackward(Operand dy, Operand query, Operand key, Operand value, AttentionGeometry geometry, Operand? keyLengths, Operand? mask, RandomStream stream, Operand y, Operand logSums, Operand? dQuery, Operand? dKey, Operand? dValue)
    {
        using var _ = Time(nameof(AttentionBackward), geometry, 2.5, geometry.Packed ? [dy, query, y, dQuery] : [dy, query, key, value, y, dQuery, dKey, dValue]);
        kernels.AttentionBackward(dy, query, key, value, geometry, keyLengths, mask, stream, y, logSums, dQuery, dKey, dValue);
    }

    // ---- pooling

    public override void MaxPool(Operand x, PoolGeometry geometry, Operand y, Operand indices)
    {
        using var _ = Time(nameof(MaxPool), x, x, y);
        kernels.MaxPool(x, geometry, y, indices);
    }

    public override void MaxPoolBackward(Operand dy, Operand indices, PoolGeometry geometry, Operand dx)
    {
        using var _ = Time(nameof(MaxPoolBackward), dx, dy, dx);
        kernels.MaxPoolBackward(dy, indices, geometry, dx);
    }

    public override void AveragePool(Operand x, PoolGeometry geometry, Operand y)
    {
        using var _ = Time(nameof(AveragePool), x, x, y);
        kernels.AveragePool(x, geometry, y);
    }

    public override void AveragePoolBackward(Operand dy, PoolGeometry geometry, Operand dx)
    {
        using var _ = Time(nameof(AveragePoolBackward), dx, dy, dx);
        kernels.AveragePoolBackward(dy, geometry, dx);
    }

    // ---- random numbers

    public override void Uniform(Operand y, RandomStream stream, float low, float high)
    {
        using var _ = Time(nameof(Uniform), y, y);
        kernels.Uniform(y, stream, low, high);
    }

    public override void Normal(Operand y, RandomStream stream, float mean, float deviation)
    {
        using var _ = Time(nameof(Normal), y, y);
        kernels.Normal(y, stream, mean, deviation);
    }

    public override void Dropout(Operand x, RandomStream stream, float p, Operand y)
    {
        using var _ = Time(nameof(Dropout), y, x, y);
        kernels.Dropout(x, stream, p, y);
    }

    // ---- optimizers

    public override void Sgd(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> momenta, SgdStep step, Operand? gradientScale, Operand? leftOut)
    {
        // Parameters and momenta are read and written; gradients are read.
        using var _ = log.Time(nameof(Sgd), $"{parameters.Length} tensors", 0, [.. parameters, .. parameters, .. gradients, .. momenta, .. momenta]);
        kernels.Sgd(parameters, gradients, momenta, step, gradientScale, leftOut);
    }

    public override void AdamW(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> first, ReadOnlySpan<Operand> second, AdamStep step, Operand? gradientScale, Operand? leftOut)
    {
        using var _ = log.Time(nameof(AdamW), $"{parameters.Length} tensors", 0, [.. parameters, .. parameters, .. gradients, .. first, .. first, .. second, .. second]);
        kernels.AdamW(parameters, gradients, first, second, step, gradientScale, leftOut);
    }

    KernelLog.Running Time(string kernel, Operand shaped, params ReadOnlySpan<Operand?> operands) => log.Time(kernel, shaped.Shape.ToString(), 0, operands);

    KernelLog.Running Time(string kernel, ConvGeometry geometry, params ReadOnlySpan<Operand?> operands) => log.Time(kernel,
        $"{geometry.Window.Height}x{geometry.Window.Width}{(geometry.Window.Stride == 1 ? "" : $"/{geometry.Window.Stride}")} {geometry.InChannels} -> {geometry.OutChannels} at {geometry.Height}x{geometry.Width}",
        2.0 * geometry.MultiplyAdds, operands);

    KernelLog.Running Time(string kernel, AttentionGeometry geometry, double forwards, params ReadOnlySpan<Operand?> operands) =>
        log.Time(kernel, $"{geometry.Sequences} x {geometry.Queries} x {geometry.Keys} x {geometry.Depth}", 2 * forwards * geometry.MultiplyAdds, operands);

    static string Name(string kernel, in Epilogue<Operand> epilogue) => kernel
        + (epilogue.Bias is null ? "" : " + bias") + (epilogue.Quadratic is null ? "" : " + quadratic") + (epilogue.Statistics is null ? "" : " + statistics")
        + (epilogue.Scale is null ? "" : " + affine") + (epilogue.Residual is null ? "" : " + residual") + (epilogue.Activation.IsNone ? "" : $" + {epilogue.Activation}");
}
