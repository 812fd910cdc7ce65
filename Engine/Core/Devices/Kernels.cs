namespace QuadEngine.Devices;

/// <summary>
/// The kernels of a device: all that operations ask of it, by way of <see cref="Backend"/>. Every operand is memory that is there and is held
/// until the method returns; it is contiguous, lives on the device and has been checked by the operation. Outputs are allocated by the caller
/// and come last. An output may share the memory of an input of the same shape only where the method says so. Outputs that may be null are not wanted.
/// </summary>
/// <remarks>
/// Kernels are deterministic: reductions have a fixed order that depends on shapes alone, not on threads, and there are no
/// floating-point atomics. Seen as matrices, tensors are [rows, channels] with the innermost axis the channels.
/// </remarks>
public abstract class Kernels
{
    // ---- memory

    /// <summary>y[...] = value.</summary>
    public abstract void Fill(Operand y, float value);

    /// <summary>y = x, same number of elements.</summary>
    public abstract void Copy(Operand x, Operand y);

    /// <summary>
    /// For every index i within <paramref name="shape"/>: y[yOffset + i . yStrides] = x[xOffset + i . xStrides]. Transposes,
    /// slices, pads, concatenates, flips and repeats (stride 0); elements of y that no index reaches stay as they are.
    /// </summary>
    public abstract void CopyStrided(Operand x, int xOffset, ReadOnlySpan<int> xStrides, Shape shape, int yOffset, ReadOnlySpan<int> yStrides, Operand y);

    /// <summary>
    /// A batch of images kept as bytes. With i = order[first + n] and b the byte at [h, w, c] of the window of image i, 0 where that leaves the image:
    /// images[n, h, w, c] = levels[c, b] and labels[n] = classes[i]. See <see cref="ImageBytes"/>.
    /// </summary>
    public abstract void GatherImages(Operand pixels, Operand classes, Operand levels, Operand order, int first, RandomWindows windows, Operand images, Operand labels);

    // ---- element-wise

    /// <summary>y = F(x); y may be x.</summary>
    public abstract void Unary<TOp>(Operand x, Operand y) where TOp : struct, IUnaryOp<TOp>;

    /// <summary>dx = dy F'(x, y); x and y are null where the operation does not save them; dx may be dy.</summary>
    public abstract void UnaryBackward<TOp>(Operand dy, Operand? x, Operand? y, Operand dx) where TOp : struct, IUnaryOp<TOp>;

    /// <summary>y = F(a, b), both broadcast to the shape of y; y may be an operand of its own shape.</summary>
    public abstract void Binary<TOp>(Operand a, Operand b, Operand y) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>
    /// da = dy dF/da, db = dy dF/db, both of the shape of dy, not yet summed over what was broadcast; a, b (operands as given to
    /// the forward) and y are null where the operation does not save them.
    /// </summary>
    public abstract void BinaryBackward<TOp>(Operand dy, Operand? a, Operand? b, Operand? y, Operand? da, Operand? db) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>y = F(x, b) with one number b; y may be x.</summary>
    public abstract void BinaryScalar<TOp>(Operand x, float b, Operand y) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>dx = dy dF/dx(x, b, y); x and y are null where the operation does not save them; dx may be dy.</summary>
    public abstract void BinaryScalarBackward<TOp>(Operand dy, Operand? x, float b, Operand? y, Operand dx) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>y = alpha x + beta y; where beta is 0, y is not read.</summary>
    public abstract void AddScaled(float alpha, Operand x, float beta, Operand y);

    // ---- reductions

    /// <summary>y[outer, inner] = fold over n of x[outer, n, inner].</summary>
    public abstract void Reduce<TOp>(Operand x, int outer, int n, int inner, Operand y) where TOp : struct, IReduction<TOp>;

    /// <summary>y[outer, inner] = the first index at which x[outer, n, inner] is largest; NaN counts as largest.</summary>
    public abstract void ArgMax(Operand x, int outer, int n, int inner, Operand y);

    /// <summary>y[0] = the root of the sum of the squares of all elements of all tensors, right where the squares leave the range of floats, too.</summary>
    public abstract void Norm(ReadOnlySpan<Operand> tensors, Operand y);

    // ---- projections

    /// <summary>y[b] = op(a[b]) op(b[b]), then the epilogue (statistics and affine over the N columns).</summary>
    public abstract void MatMul(Operand a, Operand b, MatMulGeometry geometry, in Epilogue<Operand> epilogue, Operand y);

    /// <summary>y[n, oh, ow, co] = sum over kh, kw, ci of x[n, ih, iw, ci] filter[kh, kw, ci, co], then the epilogue.</summary>
    public abstract void Conv2d(Operand x, Operand filter, ConvGeometry geometry, in Epilogue<Operand> epilogue, Operand y);

    /// <summary>dx = the gradient of <see cref="Conv2d"/> with regard to its input.</summary>
    public abstract void Conv2dInputGradient(Operand dy, Operand filter, ConvGeometry geometry, Operand dx);

    /// <summary>dFilter = the gradient of <see cref="Conv2d"/> with regard to its filter.</summary>
    public abstract void Conv2dFilterGradient(Operand x, Operand dy, ConvGeometry geometry, Operand dFilter);

    /// <summary>
    /// Whether the device normalises what it reads in convolutions of this geometry, so that the batch norm before them need not be written, and takes the
    /// sums of that batch norm's backward while it computes their input gradient.
    /// </summary>
    public virtual bool NormalizesWhatItConvolves(ConvGeometry geometry) => false;

    /// <summary><see cref="Conv2d"/> of the batch norm of x. Here in two passes.</summary>
    public virtual void NormalizeAndConv2d(Operand x, NormTerm<Operand> norm, Operand filter, ConvGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        using var normalized = Normalized(x, norm);
        Conv2d(normalized, filter, geometry, epilogue, y);
    }

    /// <summary><see cref="Conv2dFilterGradient"/> where the input of the convolution was the batch norm of x. Here in two passes.</summary>
    public virtual void NormalizeAndConv2dFilterGradient(Operand x, NormTerm<Operand> norm, Operand dy, ConvGeometry geometry, Operand dFilter)
    {
        using var normalized = Normalized(x, norm);
        Conv2dFilterGradient(normalized, dy, geometry, dFilter);
    }

    /// <summary>
    /// <see cref="Conv2dInputGradient"/> where the input of the convolution was the batch norm of x, and the first half of that batch norm's backward:
    /// g = the gradient where the batch norm let through, dGamma = sum g xhat, dBeta = sum g. <see cref="BatchNormInputGradient"/> is the second half. Here in two passes.
    /// </summary>
    public virtual void NormalizeAndConv2dInputGradient(Operand dy, Operand filter, ConvGeometry geometry, Operand x, NormTerm<Operand> norm, Operand g, Operand dGamma, Operand dBeta)
    {
        Conv2dInputGradient(dy, filter, geometry, g);
        BatchNormBackward(g, x, null, norm, batchStatistics: true, null, null, dGamma, dBeta, g);
    }

    /// <summary>The batch norm of x without residual, in memory of its own, for devices that want it written before they go on.</summary>
    protected Operand Normalized(Operand x, NormTerm<Operand> norm)
    {
        using var tensor = Tensor.Empty(x.Shape, x.Storage.Device);
        var y = tensor.Write();
        try
        {
            BatchNorm(x, norm, null, y);
            return y;
        }
        catch
        {
            y.Dispose();
            throw;
        }
    }

    // ---- the quadratic neuron

    /// <summary>y_0 = z_0 + s sum_i lambda_i z_i^2, y_i = z_i for each neuron of each row; y may be z.</summary>
    public abstract void Quadratic(Operand z, QuadraticTerm<Operand> term, Operand y);

    /// <summary>The gradients of <see cref="Quadratic"/> from that of its output and the output; dz may be dy. See <see cref="QuadraticGradient{T}"/>.</summary>
    public abstract void QuadraticBackward(Operand dy, Operand y, QuadraticGradient<Operand> neurons, Operand? dz);

    // ---- normalisation

    /// <summary>Mean and biased variance over the rows of each channel of x.</summary>
    public abstract void GatherStatistics(Operand x, ChannelStatistics<Operand> statistics);

    /// <summary>y = act((x - mean) / sqrt(variance + epsilon) gamma + beta + residual), by channel; y may be x or the residual. See <see cref="NormTerm{T}"/>.</summary>
    public abstract void BatchNorm(Operand x, NormTerm<Operand> norm, Operand? residual, Operand y);

    /// <summary>The <see cref="BatchNorm"/> of given statistics as one affine step: scale = gamma / sqrt(variance + epsilon), shift = beta - mean scale.</summary>
    public virtual void FoldBatchNorm(Operand mean, Operand variance, float epsilon, Operand? gamma, Operand? beta, Operand scale, Operand shift)
    {
        var device = mean.Storage.Device;
        using Tensor zeros = Tensor.Zeros(mean.Shape, device), ones = Tensor.Ones(mean.Shape, device);
        using Operand zero = zeros.Read(), one = ones.Read();
        BatchNorm(one, new(zero, variance, epsilon, gamma, null, Activation.None), null, scale);
        BatchNorm(zero, new(mean, variance, epsilon, gamma, beta, Activation.None), null, shift);
    }

    /// <summary>
    /// The gradients of <see cref="BatchNorm"/>; g = dy where y > 0 or there is no ReLU. Where the statistics are of the batch,
    /// dx = gamma / sigma (g - mean(g) - xhat mean(g xhat)), else dx = gamma / sigma g. dGamma = sum g xhat, dBeta = sum g,
    /// dResidual = g. dx or dResidual may be dy. y is null without ReLU; with ReLU it may be null where there was no residual, and then the kernel works
    /// out y > 0 from x. Where x is the output of quadratic neurons, these may join: then dx, which is wanted, is what
    /// <see cref="QuadraticBackward"/> would make of it, and the gradient in between is not written.
    /// </summary>
    public abstract void BatchNormBackward(Operand dy, Operand x, Operand? y, NormTerm<Operand> norm, bool batchStatistics, QuadraticGradient<Operand>? neurons, Operand? dx, Operand? dGamma, Operand? dBeta, Operand? dResidual);

    /// <summary>
    /// The second half of <see cref="BatchNormBackward"/> with statistics of the batch: from g and its sums to dx = gamma / sigma (g - dBeta / rows - xhat dGamma / rows).
    /// dx may be g, but not where neurons join.
    /// </summary>
    public abstract void BatchNormInputGradient(Operand g, Operand x, NormTerm<Operand> norm, Operand dGamma, Operand dBeta, QuadraticGradient<Operand>? neurons, Operand dx);

    /// <summary>y = (x - mean) / sqrt(variance + epsilon) gamma + beta over the channels of each row; mean and rstd [rows] are outputs.</summary>
    public abstract void LayerNorm(Operand x, float epsilon, Operand? gamma, Operand? beta, Operand y, Operand mean, Operand rstd);

    /// <summary>The gradients of <see cref="LayerNorm"/>.</summary>
    public abstract void LayerNormBackward(Operand dy, Operand x, Operand mean, Operand rstd, Operand? gamma, Operand? dx, Operand? dGamma, Operand? dBeta);

    // ---- softmax and losses

    /// <summary>y = softmax of each row of x, or its logarithm; y may be x.</summary>
    public abstract void Softmax(Operand x, bool logarithm, Operand y);

    /// <summary>dx = y (dy - sum dy y), or dx = dy - exp(y) sum dy for the logarithm; dx may be dy.</summary>
    public abstract void SoftmaxBackward(Operand dy, Operand y, bool logarithm, Operand dx);

    /// <summary>
    /// probabilities = softmax(logits); losses[row] = -(1 - smoothing) log p[label] - smoothing / C sum_c log p[c].
    /// </summary>
    public abstract void CrossEntropy(Operand logits, Operand labels, float smoothing, Operand probabilities, Operand losses);

    /// <summary>dLogits[row] = dLosses[row] (p - (1 - smoothing) onehot(label) - smoothing / C); dLogits may be the probabilities.</summary>
    public abstract void CrossEntropyBackward(Operand dLosses, Operand probabilities, Operand labels, float smoothing, Operand dLogits);

    // ---- pooling

    /// <summary>The largest element of each window, and its index within the image plane (row * width + column); the first of equals.</summary>
    public abstract void MaxPool(Operand x, PoolGeometry geometry, Operand y, Operand indices);

    /// <summary>Each dy goes to the element that was largest.</summary>
    public abstract void MaxPoolBackward(Operand dy, Operand indices, PoolGeometry geometry, Operand dx);

    /// <summary>The sum over each window divided by the window's size, padding counted in.</summary>
    public abstract void AveragePool(Operand x, PoolGeometry geometry, Operand y);

    /// <summary>Each dy is shared equally by its window.</summary>
    public abstract void AveragePoolBackward(Operand dy, PoolGeometry geometry, Operand dx);

    // ---- random numbers

    /// <summary>y uniform in [low, high): low + (high - low) <see cref="Philox.ToUnit"/>, the float below high where that rounds to high.</summary>
    public abstract void Uniform(Operand y, RandomStream stream, float low, float high);

    /// <summary>y normal, by Box-Muller from the words of each block in pairs: r = sqrt(-2 ln(1 - u0)), (r cos 2 pi u1, r sin 2 pi u1).</summary>
    public abstract void Normal(Operand y, RandomStream stream, float mean, float deviation);

    /// <summary>y = x / (1 - p) where the element's uniform number is at least p, else 0; y may be x. Its own backward.</summary>
    public abstract void Dropout(Operand x, RandomStream stream, float p, Operand y);

    // ---- optimizers: one pass over all parameters of a group. A step whose gradientScale [] (1 where it is null) is not above 0 is left out: it adds 1 to
    // leftOut [] and changes nothing else. So the device knows which step the next one is, and the host need not wait for it.

    /// <summary>One step of SGD on every parameter; there are no momenta without momentum. See <see cref="SgdStep"/>.</summary>
    public abstract void Sgd(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> momenta, SgdStep step, Operand? gradientScale, Operand? leftOut);

    /// <summary>One step of AdamW on every parameter. See <see cref="AdamStep"/>.</summary>
    public abstract void AdamW(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> first, ReadOnlySpan<Operand> second, AdamStep step, Operand? gradientScale, Operand? leftOut);
}
