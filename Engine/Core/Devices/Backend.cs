namespace QuadEngine.Devices;

/// <summary>
/// The kernels of a device: all that operations ask of it. Every tensor passed in is contiguous, lives on the device and has
/// been checked by the operation; outputs are allocated by the caller and come last. An output may share the memory of an
/// input of the same shape only where the method says so. Outputs that may be null are not wanted.
/// </summary>
/// <remarks>
/// Kernels are deterministic: reductions have a fixed order that depends on shapes alone, not on threads, and there are no
/// floating-point atomics. Seen as matrices, tensors are [rows, channels] with the innermost axis the channels.
/// </remarks>
public abstract class Backend
{
    // ---- memory

    /// <summary>y[...] = value.</summary>
    public abstract void Fill(Tensor y, float value);

    /// <summary>y = x, same number of elements.</summary>
    public abstract void Copy(Tensor x, Tensor y);

    /// <summary>
    /// For every index i within <paramref name="shape"/>: y[yOffset + i . yStrides] = x[xOffset + i . xStrides]. Transposes,
    /// slices, pads, concatenates, flips and repeats (stride 0); elements of y that no index reaches stay as they are.
    /// </summary>
    public abstract void CopyStrided(Tensor x, int xOffset, ReadOnlySpan<int> xStrides, Shape shape, int yOffset, ReadOnlySpan<int> yStrides, Tensor y);

    /// <summary>
    /// A batch of images kept as bytes. With i = order[first + n] and b the byte at [h, w, c] of the window of image i, 0 where that leaves the image:
    /// images[n, h, w, c] = levels[c, b] and labels[n] = set.Labels[i].
    /// </summary>
    public abstract void GatherImages(ImageBytes set, IntTensor order, int first, RandomWindows windows, Tensor images, IntTensor labels);

    // ---- element-wise

    /// <summary>y = F(x); y may be x.</summary>
    public abstract void Unary<TOp>(Tensor x, Tensor y) where TOp : struct, IUnaryOp<TOp>;

    /// <summary>dx = dy F'(x, y); x and y are null where the operation does not save them; dx may be dy.</summary>
    public abstract void UnaryBackward<TOp>(Tensor dy, Tensor? x, Tensor? y, Tensor dx) where TOp : struct, IUnaryOp<TOp>;

    /// <summary>y = F(a, b), both broadcast to the shape of y; y may be an operand of its own shape.</summary>
    public abstract void Binary<TOp>(Tensor a, Tensor b, Tensor y) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>
    /// da = dy dF/da, db = dy dF/db, both of the shape of dy, not yet summed over what was broadcast; a, b (operands as given to
    /// the forward) and y are null where the operation does not save them.
    /// </summary>
    public abstract void BinaryBackward<TOp>(Tensor dy, Tensor? a, Tensor? b, Tensor? y, Tensor? da, Tensor? db) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>y = F(x, b) with one number b; y may be x.</summary>
    public abstract void BinaryScalar<TOp>(Tensor x, float b, Tensor y) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>dx = dy dF/dx(x, b, y); x and y are null where the operation does not save them; dx may be dy.</summary>
    public abstract void BinaryScalarBackward<TOp>(Tensor dy, Tensor? x, float b, Tensor? y, Tensor dx) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>y = alpha x + beta y; where beta is 0, y is not read.</summary>
    public abstract void AddScaled(float alpha, Tensor x, float beta, Tensor y);

    // ---- reductions

    /// <summary>y[outer, inner] = fold over n of x[outer, n, inner].</summary>
    public abstract void Reduce<TOp>(Tensor x, int outer, int n, int inner, Tensor y) where TOp : struct, IReduction<TOp>;

    /// <summary>y[outer, inner] = the first index at which x[outer, n, inner] is largest; NaN counts as largest.</summary>
    public abstract void ArgMax(Tensor x, int outer, int n, int inner, IntTensor y);

    /// <summary>y[0] = the sum of the squares of all elements of all tensors.</summary>
    public abstract void SumOfSquares(ReadOnlySpan<Tensor> tensors, Tensor y);

    // ---- projections

    /// <summary>y[b] = op(a[b]) op(b[b]), then the epilogue (statistics and affine over the N columns).</summary>
    public abstract void MatMul(Tensor a, Tensor b, MatMulGeometry geometry, in Epilogue epilogue, Tensor y);

    /// <summary>y[n, oh, ow, co] = sum over kh, kw, ci of x[n, ih, iw, ci] filter[kh, kw, ci, co], then the epilogue.</summary>
    public abstract void Conv2d(Tensor x, Tensor filter, ConvGeometry geometry, in Epilogue epilogue, Tensor y);

    /// <summary>dx = the gradient of <see cref="Conv2d"/> with regard to its input.</summary>
    public abstract void Conv2dInputGradient(Tensor dy, Tensor filter, ConvGeometry geometry, Tensor dx);

    /// <summary>dFilter = the gradient of <see cref="Conv2d"/> with regard to its filter.</summary>
    public abstract void Conv2dFilterGradient(Tensor x, Tensor dy, ConvGeometry geometry, Tensor dFilter);

    // ---- the quadratic neuron

    /// <summary>y_0 = z_0 + s sum_i lambda_i z_i^2, y_i = z_i for each neuron of each row; y may be z.</summary>
    public abstract void Quadratic(Tensor z, QuadraticTerm term, Tensor y);

    /// <summary>
    /// From d = [d_y, d_f] and the output y = [y, f]: dz_0 = d_y, dz_i = d_f_i + 2 s lambda_i f_i d_y (d_f_i alone where
    /// detached), dLambda_i = s sum over rows of d_y f_i^2; dz may be dy.
    /// </summary>
    public abstract void QuadraticBackward(Tensor dy, Tensor y, QuadraticTerm term, bool detached, Tensor? dz, Tensor? dLambda);

    // ---- normalisation

    /// <summary>Mean and biased variance over the rows of each channel of x.</summary>
    public abstract void GatherStatistics(Tensor x, ChannelStatistics statistics);

    /// <summary>y = act((x - mean) / sqrt(variance + epsilon) gamma + beta + residual), by channel; act is ReLU or nothing; y may be x or the residual.</summary>
    public abstract void BatchNorm(Tensor x, Tensor mean, Tensor variance, float epsilon, Tensor? gamma, Tensor? beta, Tensor? residual, bool relu, Tensor y);

    /// <summary>The <see cref="BatchNorm"/> of given statistics as one affine step: scale = gamma / sqrt(variance + epsilon), shift = beta - mean scale.</summary>
    public virtual void FoldBatchNorm(Tensor mean, Tensor variance, float epsilon, Tensor? gamma, Tensor? beta, Tensor scale, Tensor shift)
    {
        using Tensor zero = Tensor.Zeros(mean.Shape, mean.Device), one = Tensor.Ones(mean.Shape, mean.Device);
        BatchNorm(one, zero, variance, epsilon, gamma, null, null, false, scale);
        BatchNorm(zero, mean, variance, epsilon, gamma, beta, null, false, shift);
    }

    /// <summary>
    /// The gradients of <see cref="BatchNorm"/>; g = dy where y > 0 or there is no ReLU. Where the statistics are of the batch,
    /// dx = gamma / sigma (g - mean(g) - xhat mean(g xhat)), else dx = gamma / sigma g. dGamma = sum g xhat, dBeta = sum g,
    /// dResidual = g. y is null without ReLU; dx or dResidual may be dy.
    /// </summary>
    public abstract void BatchNormBackward(Tensor dy, Tensor x, Tensor? y, Tensor mean, Tensor variance, float epsilon, Tensor? gamma, bool batchStatistics,
        Tensor? dx, Tensor? dGamma, Tensor? dBeta, Tensor? dResidual);

    /// <summary>y = (x - mean) / sqrt(variance + epsilon) gamma + beta over the channels of each row; mean and rstd [rows] are outputs.</summary>
    public abstract void LayerNorm(Tensor x, float epsilon, Tensor? gamma, Tensor? beta, Tensor y, Tensor mean, Tensor rstd);

    /// <summary>The gradients of <see cref="LayerNorm"/>.</summary>
    public abstract void LayerNormBackward(Tensor dy, Tensor x, Tensor mean, Tensor rstd, Tensor? gamma, Tensor? dx, Tensor? dGamma, Tensor? dBeta);

    // ---- softmax and losses

    /// <summary>y = softmax of each row of x, or its logarithm; y may be x.</summary>
    public abstract void Softmax(Tensor x, bool logarithm, Tensor y);

    /// <summary>dx = y (dy - sum dy y), or dx = dy - exp(y) sum dy for the logarithm; dx may be dy.</summary>
    public abstract void SoftmaxBackward(Tensor dy, Tensor y, bool logarithm, Tensor dx);

    /// <summary>
    /// probabilities = softmax(logits); losses[row] = -(1 - smoothing) log p[label] - smoothing / C sum_c log p[c].
    /// </summary>
    public abstract void CrossEntropy(Tensor logits, IntTensor labels, float smoothing, Tensor probabilities, Tensor losses);

    /// <summary>dLogits[row] = dLosses[row] (p - (1 - smoothing) onehot(label) - smoothing / C); dLogits may be the probabilities.</summary>
    public abstract void CrossEntropyBackward(Tensor dLosses, Tensor probabilities, IntTensor labels, float smoothing, Tensor dLogits);

    // ---- pooling

    /// <summary>The largest element of each window, and its index within the image plane (row * width + column); the first of equals.</summary>
    public abstract void MaxPool(Tensor x, PoolGeometry geometry, Tensor y, IntTensor indices);

    /// <summary>Each dy goes to the element that was largest.</summary>
    public abstract void MaxPoolBackward(Tensor dy, IntTensor indices, PoolGeometry geometry, Tensor dx);

    /// <summary>The sum over each window divided by the window's size, padding counted in.</summary>
    public abstract void AveragePool(Tensor x, PoolGeometry geometry, Tensor y);

    /// <summary>Each dy is shared equally by its window.</summary>
    public abstract void AveragePoolBackward(Tensor dy, PoolGeometry geometry, Tensor dx);

    // ---- random numbers

    /// <summary>y uniform in [low, high): low + (high - low) <see cref="Philox.ToUnit"/>.</summary>
    public abstract void Uniform(Tensor y, RandomStream stream, float low, float high);

    /// <summary>y normal, by Box-Muller from the words of each block in pairs: r = sqrt(-2 ln(1 - u0)), (r cos 2 pi u1, r sin 2 pi u1).</summary>
    public abstract void Normal(Tensor y, RandomStream stream, float mean, float deviation);

    /// <summary>y = x / (1 - p) where the element's uniform number is at least p, else 0; y may be x. Its own backward.</summary>
    public abstract void Dropout(Tensor x, RandomStream stream, float p, Tensor y);

    // ---- optimizers: one pass over all parameters of a group

    /// <summary>One step of SGD on every parameter; momenta are null without momentum. See <see cref="SgdStep"/>.</summary>
    public abstract void Sgd(ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> momenta, SgdStep step);

    /// <summary>One step of AdamW on every parameter. See <see cref="AdamStep"/>.</summary>
    public abstract void AdamW(ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> first, ReadOnlySpan<Tensor> second, AdamStep step);
}

/// <summary>
/// SGD as PyTorch has it: g = gradientScale dw + weightDecay w;  v = momentum v + (1 - dampening) g (v = g at the first step);
/// w -= learningRate (g + momentum v where Nesterov, else v).
/// </summary>
public readonly record struct SgdStep(float LearningRate, float Momentum, float Dampening, float WeightDecay, bool Nesterov, bool First)
{
    /// <summary>[], on the device, which nobody waits for: multiplies every gradient; at 0 or NaN nothing is updated. Null for 1.</summary>
    public Tensor? GradientScale { get; init; }

    /// <summary>The same step as it is when asked, for a device that launches it again later (<see cref="Recording"/>); null where it never changes.</summary>
    public Func<SgdStep>? Later { get; init; }
}

/// <summary>
/// AdamW (Loshchilov and Hutter 2019): w -= learningRate weightDecay w;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
/// w -= learningRate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), t counted from 1.
/// </summary>
public readonly record struct AdamStep(float LearningRate, float Beta1, float Beta2, float Epsilon, float WeightDecay, int Step)
{
    /// <inheritdoc cref="SgdStep.GradientScale"/>
    public Tensor? GradientScale { get; init; }

    /// <inheritdoc cref="SgdStep.Later"/>
    public Func<AdamStep>? Later { get; init; }
}
