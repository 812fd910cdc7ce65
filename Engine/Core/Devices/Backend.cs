namespace QuadEngine.Devices;

/// <summary>
/// Calls the kernels of a device with tensors. Only this type says what each kernel reads and what it writes. The memory
/// of both is held until the kernel has run (on a GPU: until it was launched, in the order of one stream), and each write is counted.
/// </summary>
/// <remarks>Shapes are not checked; operations do that. The methods of <see cref="Kernels"/> say what is computed.</remarks>
/// <param name="kernels">The kernels of the device that holds the tensors.</param>
public readonly struct Backend(Kernels kernels)
{
    // ---- memory

    /// <inheritdoc cref="Kernels.Fill"/>
    public void Fill(Tensor y, float value)
    {
        using var held = new Held();
        kernels.Fill(held.Write(y), value);
    }

    /// <inheritdoc cref="Kernels.Copy"/>
    public void Copy(Tensor x, Tensor y)
    {
        using var held = new Held();
        kernels.Copy(held.Read(x), held.Write(y));
    }

    /// <inheritdoc cref="Kernels.CopyStrided"/>
    public void CopyStrided(Tensor x, int xOffset, ReadOnlySpan<int> xStrides, Shape shape, int yOffset, ReadOnlySpan<int> yStrides, Tensor y)
    {
        using var held = new Held();
        kernels.CopyStrided(held.Read(x), xOffset, xStrides, shape, yOffset, yStrides, held.Write(y));
    }

    /// <inheritdoc cref="Kernels.GatherImages"/>
    public void GatherImages(ImageBytes set, IntTensor order, int first, RandomWindows windows, Tensor images, IntTensor labels)
    {
        using var held = new Held();
        kernels.GatherImages(held.Read(set.Pixels), held.Read(set.Labels), held.Read(set.Levels), held.Read(order), first, windows, held.Write(images), held.Write(labels));
    }

    // ---- element-wise

    /// <inheritdoc cref="Kernels.Unary{TOp}"/>
    public void Unary<TOp>(Tensor x, Tensor y) where TOp : struct, IUnaryOp<TOp>
    {
        using var held = new Held();
        kernels.Unary<TOp>(held.Read(x), held.Write(y));
    }

    /// <inheritdoc cref="Kernels.UnaryBackward{TOp}"/>
    public void UnaryBackward<TOp>(Tensor dy, Tensor? x, Tensor? y, Tensor dx) where TOp : struct, IUnaryOp<TOp>
    {
        using var held = new Held();
        kernels.UnaryBackward<TOp>(held.Read(dy), held.ReadIfAny(x), held.ReadIfAny(y), held.Write(dx));
    }

    /// <inheritdoc cref="Kernels.Binary{TOp}"/>
    public void Binary<TOp>(Tensor a, Tensor b, Tensor y) where TOp : struct, IBinaryOp<TOp>
    {
        using var held = new Held();
        kernels.Binary<TOp>(held.Read(a), held.Read(b), held.Write(y));
    }

    /// <inheritdoc cref="Kernels.BinaryBackward{TOp}"/>
    public void BinaryBackward<TOp>(Tensor dy, Tensor? a, Tensor? b, Tensor? y, Tensor? da, Tensor? db) where TOp : struct, IBinaryOp<TOp>
    {
        using var held = new Held();
        kernels.BinaryBackward<TOp>(held.Read(dy), held.ReadIfAny(a), held.ReadIfAny(b), held.ReadIfAny(y), held.WriteIfAny(da), held.WriteIfAny(db));
    }

    /// <inheritdoc cref="Kernels.BinaryScalar{TOp}"/>
    public void BinaryScalar<TOp>(Tensor x, float b, Tensor y) where TOp : struct, IBinaryOp<TOp>
    {
        using var held = new Held();
        kernels.BinaryScalar<TOp>(held.Read(x), b, held.Write(y));
    }

    /// <inheritdoc cref="Kernels.BinaryScalarBackward{TOp}"/>
    public void BinaryScalarBackward<TOp>(Tensor dy, Tensor? x, float b, Tensor? y, Tensor dx) where TOp : struct, IBinaryOp<TOp>
    {
        using var held = new Held();
        kernels.BinaryScalarBackward<TOp>(held.Read(dy), held.ReadIfAny(x), b, held.ReadIfAny(y), held.Write(dx));
    }

    /// <inheritdoc cref="Kernels.AddScaled"/>
    public void AddScaled(float alpha, Tensor x, float beta, Tensor y)
    {
        using var held = new Held();
        kernels.AddScaled(alpha, held.Read(x), beta, held.Write(y));
    }

    // ---- reductions

    /// <inheritdoc cref="Kernels.Reduce{TOp}"/>
    public void Reduce<TOp>(Tensor x, int outer, int n, int inner, Tensor y) where TOp : struct, IReduction<TOp>
    {
        using var held = new Held();
        kernels.Reduce<TOp>(held.Read(x), outer, n, inner, held.Write(y));
    }

    /// <inheritdoc cref="Kernels.ArgMax"/>
    public void ArgMax(Tensor x, int outer, int n, int inner, IntTensor y)
    {
        using var held = new Held();
        kernels.ArgMax(held.Read(x), outer, n, inner, held.Write(y));
    }

    /// <inheritdoc cref="Kernels.Norm"/>
    public void Norm(ReadOnlySpan<Tensor> tensors, Tensor y)
    {
        using var held = new Held();
        kernels.Norm(held.Read(tensors), held.Write(y));
    }

    // ---- projections

    /// <inheritdoc cref="Kernels.MatMul"/>
    public void MatMul(Tensor a, Tensor b, MatMulGeometry geometry, in Epilogue<Tensor> epilogue, Tensor y)
    {
        using var held = new Held();
        kernels.MatMul(held.Read(a), held.Read(b), geometry, epilogue.Hold(held), held.Write(y));
    }

    /// <inheritdoc cref="Kernels.Conv2d"/>
    public void Conv2d(Tensor x, Tensor filter, ConvGeometry geometry, in Epilogue<Tensor> epilogue, Tensor y)
    {
        using var held = new Held();
        kernels.Conv2d(held.Read(x), held.Read(filter), geometry, epilogue.Hold(held), held.Write(y));
    }

    /// <inheritdoc cref="Kernels.Conv2dInputGradient"/>
    public void Conv2dInputGradient(Tensor dy, Tensor filter, ConvGeometry geometry, Tensor dx)
    {
        using var held = new Held();
        kernels.Conv2dInputGradient(held.Read(dy), held.Read(filter), geometry, held.Write(dx));
    }

    /// <inheritdoc cref="Kernels.NormalizeAndConv2dInputGradient"/>
    public void NormalizeAndConv2dInputGradient(Tensor dy, Tensor filter, ConvGeometry geometry, Tensor x, NormTerm<Tensor> norm, Tensor g, Tensor dGamma, Tensor dBeta)
    {
        using var held = new Held();
        kernels.NormalizeAndConv2dInputGradient(held.Read(dy), held.Read(filter), geometry, held.Read(x), norm.Hold(held), held.Write(g), held.Write(dGamma), held.Write(dBeta));
    }

    /// <inheritdoc cref="Kernels.Conv2dFilterGradient"/>
    public void Conv2dFilterGradient(Tensor x, Tensor dy, ConvGeometry geometry, Tensor dFilter)
    {
        using var held = new Held();
        kernels.Conv2dFilterGradient(held.Read(x), held.Read(dy), geometry, held.Write(dFilter));
    }

    // ---- the quadratic neuron

    /// <inheritdoc cref="Kernels.Quadratic"/>
    public void Quadratic(Tensor z, QuadraticTerm<Tensor> term, Tensor y)
    {
        using var held = new Held();
        kernels.Quadratic(held.Read(z), term.Hold(held), held.Write(y));
    }

    /// <inheritdoc cref="Kernels.QuadraticBackward"/>
    public void QuadraticBackward(Tensor dy, Tensor y, QuadraticGradient<Tensor> neurons, Tensor? dz)
    {
        using var held = new Held();
        kernels.QuadraticBackward(held.Read(dy), held.Read(y), neurons.Hold(held), held.WriteIfAny(dz));
    }

    // ---- normalization

    /// <inheritdoc cref="Kernels.GatherStatistics"/>
    public void GatherStatistics(Tensor x, ChannelStatistics<Tensor> statistics)
    {
        using var held = new Held();
        kernels.GatherStatistics(held.Read(x), statistics.Hold(held));
    }

    /// <inheritdoc cref="Kernels.BatchNorm"/>
    public void BatchNorm(Tensor x, NormTerm<Tensor> norm, Tensor? residual, Tensor y)
    {
        using var held = new Held();
        kernels.BatchNorm(held.Read(x), norm.Hold(held), held.ReadIfAny(residual), held.Write(y));
    }

    /// <inheritdoc cref="Kernels.FoldBatchNorm"/>
    public void FoldBatchNorm(Tensor mean, Tensor variance, float epsilon, Tensor? gamma, Tensor? beta, Tensor scale, Tensor shift)
    {
        using var held = new Held();
        kernels.FoldBatchNorm(held.Read(mean), held.Read(variance), epsilon, held.ReadIfAny(gamma), held.ReadIfAny(beta), held.Write(scale), held.Write(shift));
    }

    /// <inheritdoc cref="Kernels.BatchNormBackward"/>
    public void BatchNormBackward(Tensor dy, Tensor x, Tensor? y, NormTerm<Tensor> norm, bool batchStatistics, QuadraticGradient<Tensor>? neurons, Tensor? dx, Tensor? dGamma, Tensor? dBeta, Tensor? dResidual)
    {
        using var held = new Held();
        kernels.BatchNormBackward(held.Read(dy), held.Read(x), held.ReadIfAny(y), norm.Hold(held), batchStatistics, neurons?.Hold(held), held.WriteIfAny(dx), held.WriteIfAny(dGamma), held.WriteIfAny(dBeta), held.WriteIfAny(dResidual));
    }

    /// <inheritdoc cref="Kernels.BatchNormInputGradient"/>
    public void BatchNormInputGradient(Tensor g, Tensor x, NormTerm<Tensor> norm, Tensor dGamma, Tensor dBeta, QuadraticGradient<Tensor>? neurons, Tensor dx)
    {
        using var held = new Held();
        kernels.BatchNormInputGradient(held.Read(g), held.Read(x), norm.Hold(held), held.Read(dGamma), held.Read(dBeta), neurons?.Hold(held), held.Write(dx));
    }

    /// <inheritdoc cref="Kernels.LayerNorm"/>
    public void LayerNorm(Tensor x, float epsilon, Tensor? gamma, Tensor? beta, Tensor y, Tensor mean, Tensor rstd)
    {
        using var held = new Held();
        kernels.LayerNorm(held.Read(x), epsilon, held.ReadIfAny(gamma), held.ReadIfAny(beta), held.Write(y), held.Write(mean), held.Write(rstd));
    }

    /// <inheritdoc cref="Kernels.LayerNormBackward"/>
    public void LayerNormBackward(Tensor dy, Tensor x, Tensor mean, Tensor rstd, Tensor? gamma, Tensor? dx, Tensor? dGamma, Tensor? dBeta)
    {
        using var held = new Held();
        kernels.LayerNormBackward(held.Read(dy), held.Read(x), held.Read(mean), held.Read(rstd), held.ReadIfAny(gamma), held.WriteIfAny(dx), held.WriteIfAny(dGamma), held.WriteIfAny(dBeta));
    }

    // ---- softmax and losses

    /// <inheritdoc cref="Kernels.Softmax"/>
    public void Softmax(Tensor x, bool logarithm, Tensor y)
    {
        using var held = new Held();
        kernels.Softmax(held.Read(x), logarithm, held.Write(y));
    }

    /// <inheritdoc cref="Kernels.SoftmaxBackward"/>
    public void SoftmaxBackward(Tensor dy, Tensor y, bool logarithm, Tensor dx)
    {
        using var held = new Held();
        kernels.SoftmaxBackward(held.Read(dy), held.Read(y), logarithm, held.Write(dx));
    }

    /// <inheritdoc cref="Kernels.CrossEntropy"/>
    public void CrossEntropy(Tensor logits, IntTensor labels, float smoothing, Tensor probabilities, Tensor losses)
    {
        using var held = new Held();
        kernels.CrossEntropy(held.Read(logits), held.Read(labels), smoothing, held.Write(probabilities), held.Write(losses));
    }

    /// <inheritdoc cref="Kernels.CrossEntropyBackward"/>
    public void CrossEntropyBackward(Tensor dLosses, Tensor probabilities, IntTensor labels, float smoothing, Tensor dLogits)
    {
        using var held = new Held();
        kernels.CrossEntropyBackward(held.Read(dLosses), held.Read(probabilities), held.Read(labels), smoothing, held.Write(dLogits));
    }

    // ---- attention

    /// <inheritdoc cref="Kernels.Attention"/>
    public void Attention(Tensor query, Tensor key, Tensor value, AttentionGeometry geometry, IntTensor? keyLengths, Tensor? mask, RandomStream stream, Tensor y, Tensor logSums)
    {
        using var held = new Held();
        kernels.Attention(held.Read(query), held.Read(key), held.Read(value), geometry, held.ReadIfAny(keyLengths), held.ReadIfAny(mask), stream, held.Write(y), held.Write(logSums));
    }

    /// <inheritdoc cref="Kernels.AttentionBackward"/>
    public void AttentionBackward(Tensor dy, Tensor query, Tensor key, Tensor value, AttentionGeometry geometry, IntTensor? keyLengths, Tensor? mask, RandomStream stream, Tensor y, Tensor logSums, Tensor? dQuery, Tensor? dKey, Tensor? dValue)
    {
        using var held = new Held();
        kernels.AttentionBackward(held.Read(dy), held.Read(query), held.Read(key), held.Read(value), geometry, held.ReadIfAny(keyLengths), held.ReadIfAny(mask), stream, held.Read(y), held.Read(logSums),
            held.WriteIfAny(dQuery), held.WriteIfAny(dKey), held.WriteIfAny(dValue));
    }

    // ---- pooling

    /// <inheritdoc cref="Kernels.MaxPool"/>
    public void MaxPool(Tensor x, PoolGeometry geometry, Tensor y, IntTensor indices)
    {
        using var held = new Held();
        kernels.MaxPool(held.Read(x), geometry, held.Write(y), held.Write(indices));
    }

    /// <inheritdoc cref="Kernels.MaxPoolBackward"/>
    public void MaxPoolBackward(Tensor dy, IntTensor indices, PoolGeometry geometry, Tensor dx)
    {
        using var held = new Held();
        kernels.MaxPoolBackward(held.Read(dy), held.Read(indices), geometry, held.Write(dx));
    }

    /// <inheritdoc cref="Kernels.AveragePool"/>
    public void AveragePool(Tensor x, PoolGeometry geometry, Tensor y)
    {
        using var held = new Held();
        kernels.AveragePool(held.Read(x), geometry, held.Write(y));
    }

    /// <inheritdoc cref="Kernels.AveragePoolBackward"/>
    public void AveragePoolBackward(Tensor dy, PoolGeometry geometry, Tensor dx)
    {
        using var held = new Held();
        kernels.AveragePoolBackward(held.Read(dy), geometry, held.Write(dx));
    }

    // ---- random numbers

    /// <inheritdoc cref="Kernels.Uniform"/>
    public void Uniform(Tensor y, RandomStream stream, float low, float high)
    {
        using var held = new Held();
        kernels.Uniform(held.Write(y), stream, low, high);
    }

    /// <inheritdoc cref="Kernels.Normal"/>
    public void Normal(Tensor y, RandomStream stream, float mean, float deviation)
    {
        using var held = new Held();
        kernels.Normal(held.Write(y), stream, mean, deviation);
    }

    /// <inheritdoc cref="Kernels.Dropout"/>
    public void Dropout(Tensor x, RandomStream stream, float p, Tensor y)
    {
        using var held = new Held();
        kernels.Dropout(held.Read(x), stream, p, held.Write(y));
    }

    // ---- optimizers: one pass over all parameters of a group

    /// <inheritdoc cref="Kernels.Sgd"/>
    public void Sgd(ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> momenta, SgdStep step, Tensor? gradientScale = null, Tensor? leftOut = null)
    {
        using var held = new Held();
        kernels.Sgd(held.Write(parameters), held.Read(gradients), held.Write(momenta), step, held.ReadIfAny(gradientScale), held.WriteIfAny(leftOut));
    }

    /// <inheritdoc cref="Kernels.AdamW"/>
    public void AdamW(ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> first, ReadOnlySpan<Tensor> second, AdamStep step, Tensor? gradientScale = null, Tensor? leftOut = null)
    {
        using var held = new Held();
        kernels.AdamW(held.Write(parameters), held.Read(gradients), held.Write(first), held.Write(second), step, held.ReadIfAny(gradientScale), held.WriteIfAny(leftOut));
    }
}
