using QuadEngine.Devices;

namespace QuadEngine.Benchmarks.Profile;

/// <summary>Passes every call on to another backend and logs its time. Operands named to the log are what the kernel must read and write.</summary>
sealed class ProfiledBackend(Backend kernels, KernelLog log) : Backend
{
    // ---- memory

    public override void Fill(Tensor y, float value)
    {
        using var _ = Time(nameof(Fill), y, y);
        kernels.Fill(y, value);
    }

    public override void Copy(Tensor x, Tensor y)
    {
        using var _ = Time(nameof(Copy), y, x, y);
        kernels.Copy(x, y);
    }

    public override void CopyStrided(Tensor x, int xOffset, ReadOnlySpan<int> xStrides, Shape shape, int yOffset, ReadOnlySpan<int> yStrides, Tensor y)
    {
        using var _ = Time(nameof(CopyStrided), y, x, y);
        kernels.CopyStrided(x, xOffset, xStrides, shape, yOffset, yStrides, y);
    }

    public override void GatherImages(ImageBytes set, IntTensor order, int first, RandomWindows windows, Tensor images, IntTensor labels)
    {
        using var _ = Time(nameof(GatherImages), images, images);
        kernels.GatherImages(set, order, first, windows, images, labels);
    }

    // ---- element-wise

    public override void Unary<TOp>(Tensor x, Tensor y)
    {
        using var _ = Time(TOp.Name, y, x, y);
        kernels.Unary<TOp>(x, y);
    }

    public override void UnaryBackward<TOp>(Tensor dy, Tensor? x, Tensor? y, Tensor dx)
    {
        using var _ = Time(TOp.Name + " backward", dx, dy, x, y, dx);
        kernels.UnaryBackward<TOp>(dy, x, y, dx);
    }

    public override void Binary<TOp>(Tensor a, Tensor b, Tensor y)
    {
        using var _ = Time(TOp.Name, y, a, b, y);
        kernels.Binary<TOp>(a, b, y);
    }

    public override void BinaryBackward<TOp>(Tensor dy, Tensor? a, Tensor? b, Tensor? y, Tensor? da, Tensor? db)
    {
        using var _ = Time(TOp.Name + " backward", dy, dy, a, b, y, da, db);
        kernels.BinaryBackward<TOp>(dy, a, b, y, da, db);
    }

    public override void BinaryScalar<TOp>(Tensor x, float b, Tensor y)
    {
        using var _ = Time(TOp.Name, y, x, y);
        kernels.BinaryScalar<TOp>(x, b, y);
    }

    public override void BinaryScalarBackward<TOp>(Tensor dy, Tensor? x, float b, Tensor? y, Tensor dx)
    {
        using var _ = Time(TOp.Name + " backward", dx, dy, x, y, dx);
        kernels.BinaryScalarBackward<TOp>(dy, x, b, y, dx);
    }

    public override void AddScaled(float alpha, Tensor x, float beta, Tensor y)
    {
        using var _ = Time(nameof(AddScaled), y, x, y, beta == 0f ? null : y);
        kernels.AddScaled(alpha, x, beta, y);
    }

    // ---- reductions

    public override void Reduce<TOp>(Tensor x, int outer, int n, int inner, Tensor y)
    {
        using var _ = Time(TOp.Name, x, x, y);
        kernels.Reduce<TOp>(x, outer, n, inner, y);
    }

    public override void ArgMax(Tensor x, int outer, int n, int inner, IntTensor y)
    {
        using var _ = Time(nameof(ArgMax), x, x);
        kernels.ArgMax(x, outer, n, inner, y);
    }

    public override void SumOfSquares(ReadOnlySpan<Tensor> tensors, Tensor y)
    {
        using var _ = Time(nameof(SumOfSquares), y, tensors);
        kernels.SumOfSquares(tensors, y);
    }

    // ---- projections

    public override void MatMul(Tensor a, Tensor b, MatMulGeometry geometry, in Epilogue epilogue, Tensor y)
    {
        using var _ = log.Time(Name(nameof(MatMul), epilogue), $"{geometry.M} x {geometry.N} x {geometry.K}", 2.0 * geometry.MultiplyAdds, a, b, epilogue.Residual, y);
        kernels.MatMul(a, b, geometry, epilogue, y);
    }

    public override void Conv2d(Tensor x, Tensor filter, ConvGeometry geometry, in Epilogue epilogue, Tensor y)
    {
        using var _ = Time(Name(nameof(Conv2d), epilogue), geometry, x, filter, epilogue.Residual, y);
        kernels.Conv2d(x, filter, geometry, epilogue, y);
    }

    public override void Conv2dInputGradient(Tensor dy, Tensor filter, ConvGeometry geometry, Tensor dx)
    {
        using var _ = Time(nameof(Conv2dInputGradient), geometry, dy, filter, dx);
        kernels.Conv2dInputGradient(dy, filter, geometry, dx);
    }

    public override void Conv2dFilterGradient(Tensor x, Tensor dy, ConvGeometry geometry, Tensor dFilter)
    {
        using var _ = Time(nameof(Conv2dFilterGradient), geometry, x, dy, dFilter);
        kernels.Conv2dFilterGradient(x, dy, geometry, dFilter);
    }

    // ---- the quadratic neuron

    public override void Quadratic(Tensor z, QuadraticTerm term, Tensor y)
    {
        using var _ = Time(nameof(Quadratic), y, z, y);
        kernels.Quadratic(z, term, y);
    }

    public override void QuadraticBackward(Tensor dy, Tensor y, QuadraticTerm term, bool detached, Tensor? dz, Tensor? dLambda)
    {
        using var _ = Time(nameof(QuadraticBackward), y, dy, y, dz);
        kernels.QuadraticBackward(dy, y, term, detached, dz, dLambda);
    }

    // ---- normalisation

    public override void FoldBatchNorm(Tensor mean, Tensor variance, float epsilon, Tensor? gamma, Tensor? beta, Tensor scale, Tensor shift)
    {
        using var _ = Time(nameof(FoldBatchNorm), mean, scale);
        kernels.FoldBatchNorm(mean, variance, epsilon, gamma, beta, scale, shift);
    }

    public override void GatherStatistics(Tensor x, ChannelStatistics statistics)
    {
        using var _ = Time(nameof(GatherStatistics), x, x);
        kernels.GatherStatistics(x, statistics);
    }

    public override void BatchNorm(Tensor x, Tensor mean, Tensor variance, float epsilon, Tensor? gamma, Tensor? beta, Tensor? residual, bool relu, Tensor y)
    {
        using var _ = Time(nameof(BatchNorm) + (residual is null ? "" : " + residual") + (relu ? " + ReLU" : ""), y, x, residual, y);
        kernels.BatchNorm(x, mean, variance, epsilon, gamma, beta, residual, relu, y);
    }

    public override void BatchNormBackward(Tensor dy, Tensor x, Tensor? y, Tensor mean, Tensor variance, float epsilon, Tensor? gamma, bool batchStatistics,
        Tensor? dx, Tensor? dGamma, Tensor? dBeta, Tensor? dResidual)
    {
        // Sums over the batch come before the first dx: dy, x and y have to be read twice.
        using var _ = Time(nameof(BatchNormBackward) + (dResidual is null ? "" : " + residual") + (y is null ? "" : " + ReLU"), x, dy, x, y, dy, x, y, dx, dResidual);
        kernels.BatchNormBackward(dy, x, y, mean, variance, epsilon, gamma, batchStatistics, dx, dGamma, dBeta, dResidual);
    }

    public override void LayerNorm(Tensor x, float epsilon, Tensor? gamma, Tensor? beta, Tensor y, Tensor mean, Tensor rstd)
    {
        using var _ = Time(nameof(LayerNorm), x, x, y);
        kernels.LayerNorm(x, epsilon, gamma, beta, y, mean, rstd);
    }

    public override void LayerNormBackward(Tensor dy, Tensor x, Tensor mean, Tensor rstd, Tensor? gamma, Tensor? dx, Tensor? dGamma, Tensor? dBeta)
    {
        using var _ = Time(nameof(LayerNormBackward), x, dy, x, dx);
        kernels.LayerNormBackward(dy, x, mean, rstd, gamma, dx, dGamma, dBeta);
    }

    // ---- softmax and losses

    public override void Softmax(Tensor x, bool logarithm, Tensor y)
    {
        using var _ = Time(nameof(Softmax), x, x, y);
        kernels.Softmax(x, logarithm, y);
    }

    public override void SoftmaxBackward(Tensor dy, Tensor y, bool logarithm, Tensor dx)
    {
        using var _ = Time(nameof(SoftmaxBackward), dy, dy, y, dx);
        kernels.SoftmaxBackward(dy, y, logarithm, dx);
    }

    public override void CrossEntropy(Tensor logits, IntTensor labels, float smoothing, Tensor probabilities, Tensor losses)
    {
        using var _ = Time(nameof(CrossEntropy), logits, logits, probabilities, losses);
        kernels.CrossEntropy(logits, labels, smoothing, probabilities, losses);
    }

    public override void CrossEntropyBackward(Tensor dLosses, Tensor probabilities, IntTensor labels, float smoothing, Tensor dLogits)
    {
        using var _ = Time(nameof(CrossEntropyBackward), probabilities, dLosses, probabilities, dLogits);
        kernels.CrossEntropyBackward(dLosses, probabilities, labels, smoothing, dLogits);
    }

    // ---- pooling

    public override void MaxPool(Tensor x, PoolGeometry geometry, Tensor y, IntTensor indices)
    {
        using var _ = Time(nameof(MaxPool), x, x, y);
        kernels.MaxPool(x, geometry, y, indices);
    }

    public override void MaxPoolBackward(Tensor dy, IntTensor indices, PoolGeometry geometry, Tensor dx)
    {
        using var _ = Time(nameof(MaxPoolBackward), dx, dy, dx);
        kernels.MaxPoolBackward(dy, indices, geometry, dx);
    }

    public override void AveragePool(Tensor x, PoolGeometry geometry, Tensor y)
    {
        using var _ = Time(nameof(AveragePool), x, x, y);
        kernels.AveragePool(x, geometry, y);
    }

    public override void AveragePoolBackward(Tensor dy, PoolGeometry geometry, Tensor dx)
    {
        using var _ = Time(nameof(AveragePoolBackward), dx, dy, dx);
        kernels.AveragePoolBackward(dy, geometry, dx);
    }

    // ---- random numbers

    public override void Uniform(Tensor y, RandomStream stream, float low, float high)
    {
        using var _ = Time(nameof(Uniform), y, y);
        kernels.Uniform(y, stream, low, high);
    }

    public override void Normal(Tensor y, RandomStream stream, float mean, float deviation)
    {
        using var _ = Time(nameof(Normal), y, y);
        kernels.Normal(y, stream, mean, deviation);
    }

    public override void Dropout(Tensor x, RandomStream stream, float p, Tensor y)
    {
        using var _ = Time(nameof(Dropout), y, x, y);
        kernels.Dropout(x, stream, p, y);
    }

    // ---- optimizers

    public override void Sgd(ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> momenta, SgdStep step)
    {
        // Parameters and momenta are read and written, gradients read.
        using var _ = log.Time(nameof(Sgd), $"{parameters.Length} tensors", 0, [.. parameters, .. parameters, .. gradients, .. momenta, .. momenta]);
        kernels.Sgd(parameters, gradients, momenta, step);
    }

    public override void AdamW(ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> first, ReadOnlySpan<Tensor> second, AdamStep step)
    {
        using var _ = log.Time(nameof(AdamW), $"{parameters.Length} tensors", 0, [.. parameters, .. parameters, .. gradients, .. first, .. first, .. second, .. second]);
        kernels.AdamW(parameters, gradients, first, second, step);
    }

    KernelLog.Running Time(string kernel, Tensor shaped, params ReadOnlySpan<Tensor?> operands) => log.Time(kernel, shaped.Shape.ToString(), 0, operands);

    KernelLog.Running Time(string kernel, ConvGeometry geometry, params ReadOnlySpan<Tensor?> operands) => log.Time(kernel,
        $"{geometry.Window.Height}x{geometry.Window.Width}{(geometry.Window.Stride == 1 ? "" : $"/{geometry.Window.Stride}")} {geometry.InChannels} -> {geometry.OutChannels} at {geometry.Height}x{geometry.Width}",
        2.0 * geometry.MultiplyAdds, operands);

    static string Name(string kernel, in Epilogue epilogue) => kernel
        + (epilogue.Bias is null ? "" : " + bias") + (epilogue.Quadratic is null ? "" : " + quadratic") + (epilogue.Statistics is null ? "" : " + statistics")
        + (epilogue.Scale is null ? "" : " + affine") + (epilogue.Residual is null ? "" : " + residual") + (epilogue.Relu ? " + ReLU" : "");
}
