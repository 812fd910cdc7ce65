namespace QuadEngine.Devices;

/// <summary>
/// The kernels of a device: everything that operations compute on it. Operations call them through <see cref="Backend"/>. Every operand is allocated memory that is held
/// until the method returns. It is contiguous, is on the device, and has been checked by the operation. The caller allocates outputs, which
/// come last. An output may share the memory of an input of the same shape only if the method says so. If an output that may be null is null, it is not computed.
/// </summary>
/// <remarks>
/// Kernels are deterministic. Reductions have a fixed order that depends on shapes alone, not on threads, and there are no
/// floating-point atomics. As matrices, tensors are [rows, channels]; the innermost axis holds the channels.
/// </remarks>
public abstract class Kernels
{
    // ---- memory

    /// <summary>y[...] = value.</summary>
    /// <param name="y">Any shape.</param>
    /// <param name="value">Any number, including NaN and infinities.</param>
    public abstract void Fill(Operand y, float value);

    /// <summary>y = x.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="y">As many elements as x, in the same order; the shape may differ.</param>
    public abstract void Copy(Operand x, Operand y);

    /// <summary>
    /// For every index i within <paramref name="shape"/>: y[yOffset + i . yStrides] = x[xOffset + i . xStrides]. It transposes,
    /// slices, pads, concatenates, flips and repeats.
    /// </summary>
    /// <param name="x">The tensor that is read, as a vector: its own shape does not matter.</param>
    /// <param name="xOffset">The element of x for the index of all zeros.</param>
    /// <param name="xStrides">For each axis of the shape, the number of elements of x from one index to the next; 0 repeats, a negative stride flips.</param>
    /// <param name="shape">Extents of the copied block.</param>
    /// <param name="yOffset">The element of y for the index of all zeros.</param>
    /// <param name="yStrides">The same for y; no two indices may share an element.</param>
    /// <param name="y">The tensor that is written, as a vector; elements that no index reaches keep their values.</param>
    /// <exception cref="NotSupportedException">On a GPU more than 6 axes are left after axes of extent 1 are dropped and adjacent axes that are contiguous in x and in y are merged.</exception>
    public abstract void CopyStrided(Operand x, int xOffset, ReadOnlySpan<int> xStrides, Shape shape, int yOffset, ReadOnlySpan<int> yStrides, Operand y);

    /// <summary>
    /// A batch of images that are stored as bytes. With i = order[first + n] and b the byte at [h, w, c] of the window of image i (0 outside the image):
    /// images[n, h, w, c] = levels[c, b] and labels[n] = classes[i]. See <see cref="ImageBytes"/>.
    /// </summary>
    /// <param name="pixels">Bytes [count, H, W, C], four per element, at most 2^31 - 1 bytes.</param>
    /// <param name="classes">Integers [count].</param>
    /// <param name="levels">[C, 256]</param>
    /// <param name="order">Integers in [0, count), at least first + N of them.</param>
    /// <param name="first">The position in the order at which the batch begins.</param>
    /// <param name="windows">Which window of each image is used; the default is the whole image.</param>
    /// <param name="images">[N, H, W, C]</param>
    /// <param name="labels">Integers [N].</param>
    public abstract void GatherImages(Operand pixels, Operand classes, Operand levels, Operand order, int first, RandomWindows windows, Operand images, Operand labels);

    // ---- element-wise

    /// <summary>y = F(x).</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="y">Shape of x; may be x.</param>
    public abstract void Unary<TOp>(Operand x, Operand y) where TOp : struct, IUnaryOp<TOp>;

    /// <summary>dx = dy F'(x, y).</summary>
    /// <param name="dy">Any shape. If it is 0, dx is 0 too, even if F' is infinite or NaN.</param>
    /// <param name="x">Input of the forward; null if <see cref="IUnaryOp{TSelf}.Saves"/> does not include it.</param>
    /// <param name="y">Output of the forward, likewise.</param>
    /// <param name="dx">Shape of dy; may be dy.</param>
    public abstract void UnaryBackward<TOp>(Operand dy, Operand? x, Operand? y, Operand dx) where TOp : struct, IUnaryOp<TOp>;

    /// <summary>y = F(a, b).</summary>
    /// <param name="a">Left operand; its shape broadcasts to that of y.</param>
    /// <param name="b">Right operand, likewise.</param>
    /// <param name="y">The broadcast shape; may be an operand of this shape.</param>
    /// <exception cref="NotSupportedException">On a GPU more than 6 axes are left after axes of extent 1 are dropped and adjacent axes that are contiguous in a and in b are merged.</exception>
    public abstract void Binary<TOp>(Operand a, Operand b, Operand y) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>da = dy dF/da, db = dy dF/db.</summary>
    /// <param name="dy">Shape of y. If it is 0, da and db are 0 too, even if a derivative is infinite or NaN.</param>
    /// <param name="a">Left operand of the forward; null if <see cref="IBinaryOp{TSelf}.Saves"/> does not include it.</param>
    /// <param name="b">Right operand, likewise.</param>
    /// <param name="y">Output of the forward, likewise.</param>
    /// <param name="da">Shape of dy, not yet summed over the broadcast axes; or null.</param>
    /// <param name="db">Likewise.</param>
    /// <inheritdoc cref="Binary{TOp}" path="/exception"/>
    public abstract void BinaryBackward<TOp>(Operand dy, Operand? a, Operand? b, Operand? y, Operand? da, Operand? db) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>y = F(x, b).</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="b">One number for all elements.</param>
    /// <param name="y">Shape of x; may be x.</param>
    public abstract void BinaryScalar<TOp>(Operand x, float b, Operand y) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>dx = dy dF/dx(x, b, y).</summary>
    /// <param name="dy">Any shape. If it is 0, dx is 0 too, even if the derivative is infinite or NaN.</param>
    /// <param name="x">Input of the forward; null if <see cref="IBinaryOp{TSelf}.Saves"/> does not include it.</param>
    /// <param name="b">The number of the forward.</param>
    /// <param name="y">Output of the forward, likewise.</param>
    /// <param name="dx">Shape of dy; may be dy.</param>
    public abstract void BinaryScalarBackward<TOp>(Operand dy, Operand? x, float b, Operand? y, Operand dx) where TOp : struct, IBinaryOp<TOp>;

    /// <summary>y = alpha x + beta y.</summary>
    /// <param name="alpha">Factor of x.</param>
    /// <param name="x">Any shape.</param>
    /// <param name="beta">Factor of y; if it is 0, y is not read.</param>
    /// <param name="y">Shape of x, updated in place.</param>
    public abstract void AddScaled(float alpha, Operand x, float beta, Operand y);

    // ---- reductions

    /// <summary>y[outer, inner] = fold over n of x[outer, n, inner].</summary>
    /// <param name="x">outer * n * inner elements under any shape.</param>
    /// <param name="outer">Product of the extents before the folded axes.</param>
    /// <param name="n">The number of elements that are folded into one; 0 gives the identity of the reduction.</param>
    /// <param name="inner">Product of the extents after the folded axes.</param>
    /// <param name="y">outer * inner elements under any shape.</param>
    public abstract void Reduce<TOp>(Operand x, int outer, int n, int inner, Operand y) where TOp : struct, IReduction<TOp>;

    /// <summary>y[outer, inner] = the first index at which x[outer, n, inner] is largest; NaN counts as largest.</summary>
    /// <param name="x">outer * n * inner elements under any shape.</param>
    /// <param name="outer">Product of the extents before the axis.</param>
    /// <param name="n">Extent of the axis, 1 or more.</param>
    /// <param name="inner">Product of the extents after the axis.</param>
    /// <param name="y">outer * inner integers in [0, n), under any shape.</param>
    public abstract void ArgMax(Operand x, int outer, int n, int inner, Operand y);

    /// <summary>y[0] = the square root of the sum of the squares of all elements of all tensors. The result is correct even if the squares leave the range of floats.</summary>
    /// <param name="tensors">Any number of tensors of any shapes; no tensors give 0.</param>
    /// <param name="y">One element.</param>
    public abstract void Norm(ReadOnlySpan<Operand> tensors, Operand y);

    // ---- projections

    /// <summary>y[b] = op(a[b]) op(b[b]), then the epilogue.</summary>
    /// <param name="a">[Batch, M, K], or [Batch, K, M] if it is transposed.</param>
    /// <param name="b">[Batch, K, N], or [Batch, N, K] if it is transposed.</param>
    /// <param name="geometry">Extents, transposes and batch strides; with a stride of 0, one matrix serves the whole batch.</param>
    /// <param name="epilogue">The epilogue; its channels are the N columns, its rows are the rows of the whole batch.</param>
    /// <param name="y">[Batch, M, N]</param>
    public abstract void MatMul(Operand a, Operand b, MatMulGeometry geometry, in Epilogue<Operand> epilogue, Operand y);

    /// <summary>y[n, oh, ow, co] = sum over kh, kw, ci of x[n, ih, iw, ci] filter[kh, kw, ci, co], then the epilogue.</summary>
    /// <param name="x">[N, H, W, Cin]</param>
    /// <param name="filter">[kH, kW, Cin / groups, Cout]</param>
    /// <param name="geometry">Extents of x, filter and y, the window and the groups.</param>
    /// <param name="epilogue">The epilogue; its channels are the Cout channels, its rows are the pixels of y.</param>
    /// <param name="y">[N, oH, oW, Cout]</param>
    public abstract void Conv2d(Operand x, Operand filter, ConvGeometry geometry, in Epilogue<Operand> epilogue, Operand y);

    /// <summary>dx = the gradient of <see cref="Conv2d"/> with regard to its input.</summary>
    /// <param name="dy">[N, oH, oW, Cout]</param>
    /// <param name="filter">[kH, kW, Cin / groups, Cout]</param>
    /// <param name="geometry">The geometry of the forward.</param>
    /// <param name="dx">[N, H, W, Cin]; 0 where no window reaches.</param>
    public abstract void Conv2dInputGradient(Operand dy, Operand filter, ConvGeometry geometry, Operand dx);

    /// <summary>dFilter = the gradient of <see cref="Conv2d"/> with regard to its filter.</summary>
    /// <param name="x">[N, H, W, Cin]</param>
    /// <param name="dy">[N, oH, oW, Cout]</param>
    /// <param name="geometry">The geometry of the forward.</param>
    /// <param name="dFilter">[kH, kW, Cin / groups, Cout]</param>
    public abstract void Conv2dFilterGradient(Operand x, Operand dy, ConvGeometry geometry, Operand dFilter);

    /// <summary>
    /// Whether the device normalizes the input of convolutions of this geometry while it reads it. Then the batch norm before them need not be written. The device also computes the
    /// sums of that batch norm's backward together with their input gradient.
    /// </summary>
    /// <param name="geometry">The geometry of the forward; the answer holds for its gradients too.</param>
    public virtual bool NormalizesWhatItConvolves(ConvGeometry geometry) => false;

    /// <summary><see cref="Conv2d"/> of the batch norm of x. This implementation takes two passes.</summary>
    /// <param name="x">[N, H, W, Cin], not yet normalized.</param>
    /// <param name="norm">The batch norm with its activation.</param>
    /// <param name="filter">[kH, kW, Cin / groups, Cout]</param>
    /// <param name="geometry">The geometry of the convolution.</param>
    /// <param name="epilogue">The epilogue of the convolution.</param>
    /// <param name="y">[N, oH, oW, Cout]</param>
    public virtual void NormalizeAndConv2d(Operand x, NormTerm<Operand> norm, Operand filter, ConvGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        using var normalized = Normalized(x, norm);
        Conv2d(normalized, filter, geometry, epilogue, y);
    }

    /// <summary><see cref="Conv2dFilterGradient"/> of a convolution whose input was the batch norm of x. This implementation takes two passes.</summary>
    /// <param name="x">[N, H, W, Cin], not yet normalized.</param>
    /// <param name="norm">The batch norm with its activation.</param>
    /// <param name="dy">[N, oH, oW, Cout]</param>
    /// <param name="geometry">The geometry of the convolution.</param>
    /// <param name="dFilter">[kH, kW, Cin / groups, Cout]</param>
    public virtual void NormalizeAndConv2dFilterGradient(Operand x, NormTerm<Operand> norm, Operand dy, ConvGeometry geometry, Operand dFilter)
    {
        using var normalized = Normalized(x, norm);
        Conv2dFilterGradient(normalized, dy, geometry, dFilter);
    }

    /// <summary>
    /// <see cref="Conv2dInputGradient"/> of a convolution whose input was the batch norm of x, and the first half of that batch norm's backward:
    /// g = the gradient where the activation was active, otherwise 0; dGamma = sum g xhat; dBeta = sum g. <see cref="BatchNormInputGradient"/> is the second half. This implementation takes two passes.
    /// </summary>
    /// <param name="dy">[N, oH, oW, Cout]</param>
    /// <param name="filter">[kH, kW, Cin / groups, Cout]</param>
    /// <param name="geometry">The geometry of the convolution.</param>
    /// <param name="x">[N, H, W, Cin], not yet normalized.</param>
    /// <param name="norm">The batch norm with its activation; it had no residual.</param>
    /// <param name="g">[N, H, W, Cin]</param>
    /// <param name="dGamma">[Cin]</param>
    /// <param name="dBeta">[Cin]</param>
    public virtual void NormalizeAndConv2dInputGradient(Operand dy, Operand filter, ConvGeometry geometry, Operand x, NormTerm<Operand> norm, Operand g, Operand dGamma, Operand dBeta)
    {
        Conv2dInputGradient(dy, filter, geometry, g);
        BatchNormBackward(g, x, null, norm, batchStatistics: true, null, null, dGamma, dBeta, g);
    }

    /// <summary>The batch norm of x without residual, in new memory, for devices that must write it before they continue.</summary>
    /// <param name="x">Its input, [..., channels].</param>
    /// <param name="norm">The batch norm with its activation.</param>
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

    /// <summary>y_0 = z_0 + s sum_i lambda_i z_i^2, y_i = z_i for each neuron of each row.</summary>
    /// <param name="z">[rows, channels]: the projections [w x + b, Q^T x] of each neuron, side by side.</param>
    /// <param name="term">Lambda, s, and the neurons' places among the channels.</param>
    /// <param name="y">Shape of z; may be z.</param>
    public abstract void Quadratic(Operand z, QuadraticTerm<Operand> term, Operand y);

    /// <summary>The gradients of <see cref="Quadratic"/>. See <see cref="QuadraticGradient{T}"/>.</summary>
    /// <param name="dy">[rows, channels]: [d_y, d_f] of each neuron.</param>
    /// <param name="y">Output of the forward: [y, f] of each neuron.</param>
    /// <param name="neurons">The neurons, and the output dLambda.</param>
    /// <param name="dz">[rows, channels], or null; may be dy.</param>
    public abstract void QuadraticBackward(Operand dy, Operand y, QuadraticGradient<Operand> neurons, Operand? dz);

    // ---- normalization

    /// <summary>Mean and biased variance over the rows of each channel of x.</summary>
    /// <param name="x">[rows, channels], 1 row or more.</param>
    /// <param name="statistics">The outputs, and the running statistics to update.</param>
    public abstract void GatherStatistics(Operand x, ChannelStatistics<Operand> statistics);

    /// <summary>y = act((x - mean) / sqrt(variance + epsilon) gamma + beta + residual), by channel.</summary>
    /// <param name="x">[rows, channels]</param>
    /// <param name="norm">Statistics and parameters, [channels] each, and the activation: <see cref="NormTerm{T}"/>.</param>
    /// <param name="residual">Shape of x, or null for 0.</param>
    /// <param name="y">Shape of x; may be x or the residual.</param>
    public abstract void BatchNorm(Operand x, NormTerm<Operand> norm, Operand? residual, Operand y);

    /// <summary><see cref="BatchNorm"/> with given statistics as one affine step: scale = gamma / sqrt(variance + epsilon), shift = beta - mean scale.</summary>
    /// <param name="mean">[channels]</param>
    /// <param name="variance">[channels]</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="gamma">[channels], or null for 1.</param>
    /// <param name="beta">[channels], or null for 0.</param>
    /// <param name="scale">[channels]</param>
    /// <param name="shift">[channels]</param>
    public virtual void FoldBatchNorm(Operand mean, Operand variance, float epsilon, Operand? gamma, Operand? beta, Operand scale, Operand shift)
    {
        var device = mean.Storage.Device;
        using Tensor zeros = Tensor.Zeros(mean.Shape, device), ones = Tensor.Ones(mean.Shape, device);
        using Operand zero = zeros.Read(), one = ones.Read();
        BatchNorm(one, new(zero, variance, epsilon, gamma, null, Activation.None), null, scale);
        BatchNorm(zero, new(mean, variance, epsilon, gamma, beta, Activation.None), null, shift);
    }

    /// <summary>
    /// The gradients of <see cref="BatchNorm"/>; g = dy act'(y), or dy without an activation. With statistics of the batch,
    /// dx = gamma / sigma (g - mean(g) - xhat mean(g xhat)); otherwise dx = gamma / sigma g. dGamma = sum g xhat, dBeta = sum g,
    /// dResidual = g.
    /// </summary>
    /// <param name="dy">[rows, channels]</param>
    /// <param name="x">Input of the forward.</param>
    /// <param name="y">
    /// Output of the forward; not read without an activation. With an activation it may be null if there was no residual. Then the kernel computes
    /// it again from x.
    /// </param>
    /// <param name="norm">As in the forward.</param>
    /// <param name="batchStatistics">Whether mean and variance are those of the batch and depend on x; otherwise they are constants.</param>
    /// <param name="neurons">
    /// Quadratic neurons that join, whose output is x; or null. If neurons join, dx is the dz of <see cref="QuadraticBackward"/>, and the
    /// gradient between the two operations is not written.
    /// </param>
    /// <param name="dx">Shape of x, or null; it must not be null if neurons join. It may be dy.</param>
    /// <param name="dGamma">[channels], or null.</param>
    /// <param name="dBeta">[channels], or null.</param>
    /// <param name="dResidual">Shape of x, or null; may be dy.</param>
    public abstract void BatchNormBackward(Operand dy, Operand x, Operand? y, NormTerm<Operand> norm, bool batchStatistics, QuadraticGradient<Operand>? neurons, Operand? dx, Operand? dGamma, Operand? dBeta, Operand? dResidual);

    /// <summary>
    /// The second half of <see cref="BatchNormBackward"/> with statistics of the batch: from g and its sums to dx = gamma / sigma (g - dBeta / rows - xhat dGamma / rows).
    /// </summary>
    /// <param name="g">[rows, channels], as <see cref="NormalizeAndConv2dInputGradient"/> leaves it.</param>
    /// <param name="x">Input of the forward.</param>
    /// <param name="norm">As in the forward; its activation has been applied to g already.</param>
    /// <param name="dGamma">[channels]: sum g xhat, an input here.</param>
    /// <param name="dBeta">[channels]: sum g, an input here.</param>
    /// <param name="neurons">Quadratic neurons that join as in <see cref="BatchNormBackward"/>, or null.</param>
    /// <param name="dx">Shape of x; may be g, but not if neurons join.</param>
    public abstract void BatchNormInputGradient(Operand g, Operand x, NormTerm<Operand> norm, Operand dGamma, Operand dBeta, QuadraticGradient<Operand>? neurons, Operand dx);

    /// <summary>y = (x - mean) / sqrt(variance + epsilon) gamma + beta over the channels of each row.</summary>
    /// <param name="x">[rows, channels], 1 channel or more.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="gamma">[channels], or null for 1.</param>
    /// <param name="beta">[channels], or null for 0.</param>
    /// <param name="y">Shape of x.</param>
    /// <param name="mean">[rows], an output for the backward.</param>
    /// <param name="rstd">[rows], likewise: 1 / sqrt(variance + epsilon).</param>
    public abstract void LayerNorm(Operand x, float epsilon, Operand? gamma, Operand? beta, Operand y, Operand mean, Operand rstd);

    /// <summary>The gradients of <see cref="LayerNorm"/>.</summary>
    /// <param name="dy">[rows, channels]</param>
    /// <param name="x">Input of the forward.</param>
    /// <param name="mean">[rows], as the forward left it.</param>
    /// <param name="rstd">[rows], likewise.</param>
    /// <param name="gamma">[channels], or null for 1.</param>
    /// <param name="dx">Shape of x, or null.</param>
    /// <param name="dGamma">[channels], or null.</param>
    /// <param name="dBeta">[channels], or null.</param>
    public abstract void LayerNormBackward(Operand dy, Operand x, Operand mean, Operand rstd, Operand? gamma, Operand? dx, Operand? dGamma, Operand? dBeta);

    // ---- softmax and losses

    /// <summary>y = softmax of each row of x, or its logarithm.</summary>
    /// <param name="x">[rows, classes]</param>
    /// <param name="logarithm">Whether to compute log p instead of p.</param>
    /// <param name="y">Shape of x; may be x.</param>
    public abstract void Softmax(Operand x, bool logarithm, Operand y);

    /// <summary>dx = y (dy - sum dy y), or dx = dy - exp(y) sum dy for the logarithm.</summary>
    /// <param name="dy">[rows, classes]</param>
    /// <param name="y">Output of the forward.</param>
    /// <param name="logarithm">As in the forward: y is log p.</param>
    /// <param name="dx">Shape of dy; may be dy.</param>
    public abstract void SoftmaxBackward(Operand dy, Operand y, bool logarithm, Operand dx);

    /// <summary>
    /// probabilities = softmax(logits); losses[row] = -(1 - smoothing) log p[label] - smoothing / C sum_c log p[c].
    /// </summary>
    /// <param name="logits">[rows, C]</param>
    /// <param name="labels">Integers [rows], each in [0, C).</param>
    /// <param name="smoothing">The part of the target probability that all classes share equally, in [0, 1).</param>
    /// <param name="probabilities">[rows, C], for the backward.</param>
    /// <param name="losses">[rows]</param>
    public abstract void CrossEntropy(Operand logits, Operand labels, float smoothing, Operand probabilities, Operand losses);

    /// <summary>dLogits[row] = dLosses[row] (p - (1 - smoothing) onehot(label) - smoothing / C).</summary>
    /// <param name="dLosses">[rows]</param>
    /// <param name="probabilities">[rows, C], as the forward left them.</param>
    /// <param name="labels">Integers [rows], each in [0, C).</param>
    /// <param name="smoothing">As in the forward.</param>
    /// <param name="dLogits">[rows, C]; may be the probabilities.</param>
    public abstract void CrossEntropyBackward(Operand dLosses, Operand probabilities, Operand labels, float smoothing, Operand dLogits);

    // ---- attention

    /// <summary>
    /// y_i = sum_j w_ij v_j with the weights w_ij = softmax over j of scale q_i k_j + mask_ij, for each sequence and head. A weight is dropped with the probability of the geometry, otherwise
    /// divided by 1 - that probability. A query that sees no key has y_i = 0.
    /// </summary>
    /// <param name="query">[batch, queries, heads, depth]</param>
    /// <param name="key">[batch, keys, heads, depth]</param>
    /// <param name="value">[batch, keys, heads, value depth]</param>
    /// <param name="geometry">Extents, scale and options.</param>
    /// <param name="keyLengths">Integers [batch]: only keys before this number are seen and read; a number outside 0 to keys counts as the nearest of them. Null for all keys.</param>
    /// <param name="mask">[queries, keys] for each sequence and head as the geometry says, added to the scores; -infinity hides a key. Or null.</param>
    /// <param name="stream">Decides which weights are dropped: the weight of query i and key j in head h of sequence b is element ((b heads + h) queries + i) keys + j, and takes word e mod 4 of block e / 4.</param>
    /// <param name="y">[batch, queries, heads, value depth]</param>
    /// <param name="logSums">[batch, heads, queries], for the backward: log sum_j exp(score_ij), +infinity where no key is seen.</param>
    public abstract void Attention(Operand query, Operand key, Operand value, AttentionGeometry geometry, Operand? keyLengths, Operand? mask, RandomStream stream, Operand y, Operand logSums);

    /// <summary>
    /// The gradients of <see cref="Attention"/>. With the weights w before dropout, their factors m of dropout, and delta_i = dy_i y_i:
    /// dv_j = sum_i m_ij w_ij dy_i, ds_ij = w_ij (m_ij dy_i v_j - delta_i), dq_i = scale sum_j ds_ij k_j, dk_j = scale sum_i ds_ij q_i.
    /// </summary>
    /// <param name="dy">[batch, queries, heads, value depth]</param>
    /// <param name="query">As in the forward.</param>
    /// <param name="key">As in the forward.</param>
    /// <param name="value">As in the forward.</param>
    /// <param name="geometry">As in the forward.</param>
    /// <param name="keyLengths">As in the forward.</param>
    /// <param name="mask">As in the forward.</param>
    /// <param name="stream">As in the forward.</param>
    /// <param name="y">The result of the forward.</param>
    /// <param name="logSums">As the forward left them.</param>
    /// <param name="dQuery">Shape of the queries, or null.</param>
    /// <param name="dKey">Shape of the keys, or null; 0 where no query sees the key.</param>
    /// <param name="dValue">Shape of the values, or null; likewise.</param>
    public abstract void AttentionBackward(Operand dy, Operand query, Operand key, Operand value, AttentionGeometry geometry, Operand? keyLengths, Operand? mask, RandomStream stream, Operand y, Operand logSums, Operand? dQuery, Operand? dKey, Operand? dValue);

    // ---- pooling

    /// <summary>The largest element of each window, and its index; of equal elements the first.</summary>
    /// <param name="x">[N, H, W, C]; NaN counts as largest.</param>
    /// <param name="geometry">Extents of x and y, and the window.</param>
    /// <param name="y">[N, oH, oW, C]; -infinity for a window that contains only padding.</param>
    /// <param name="indices">Integers, shape of y: row * W + column within the image plane; -1 for a window that contains only padding.</param>
    public abstract void MaxPool(Operand x, PoolGeometry geometry, Operand y, Operand indices);

    /// <summary>Adds each dy to the element that was largest in its window.</summary>
    /// <param name="dy">[N, oH, oW, C]</param>
    /// <param name="indices">As the forward left them; a dy with index -1 is ignored.</param>
    /// <param name="geometry">The geometry of the forward.</param>
    /// <param name="dx">[N, H, W, C]; 0 for an element that was largest in no window.</param>
    public abstract void MaxPoolBackward(Operand dy, Operand indices, PoolGeometry geometry, Operand dx);

    /// <summary>The sum over each window divided by the window's size; padding counts.</summary>
    /// <param name="x">[N, H, W, C]</param>
    /// <param name="geometry">Extents of x and y, and the window.</param>
    /// <param name="y">[N, oH, oW, C]</param>
    public abstract void AveragePool(Operand x, PoolGeometry geometry, Operand y);

    /// <summary>Distributes each dy equally over its window.</summary>
    /// <param name="dy">[N, oH, oW, C]</param>
    /// <param name="geometry">The geometry of the forward.</param>
    /// <param name="dx">[N, H, W, C]; 0 where no window reaches.</param>
    public abstract void AveragePoolBackward(Operand dy, PoolGeometry geometry, Operand dx);

    // ---- random numbers

    /// <summary>y uniform in [low, high): low + (high - low) <see cref="Philox.ToUnit"/>, or the next float below high if that rounds to high.</summary>
    /// <param name="y">Any shape.</param>
    /// <param name="stream">Element i takes word i mod 4 of the stream's block i / 4.</param>
    /// <param name="low">The lower bound: at most high, and a finite distance below it.</param>
    /// <param name="high">The upper bound, which is never reached. If it equals low, all numbers are low.</param>
    public abstract void Uniform(Operand y, RandomStream stream, float low, float high);

    /// <summary>y normal, by Box-Muller from the words of each block in pairs: r = sqrt(-2 ln(1 - u0)), (r cos 2 pi u1, r sin 2 pi u1).</summary>
    /// <param name="y">Any shape.</param>
    /// <param name="stream">Elements 4 i to 4 i + 3 take the words of the stream's block i.</param>
    /// <param name="mean">Mean of the distribution.</param>
    /// <param name="deviation">Standard deviation of the distribution; with 0 every element is the mean.</param>
    public abstract void Normal(Operand y, RandomStream stream, float mean, float deviation);

    /// <summary>y = x / (1 - p) where the element's uniform number is at least p, otherwise 0. It is also its own backward.</summary>
    /// <param name="x">Any shape; dy in the backward.</param>
    /// <param name="stream">Element i takes word i mod 4 of the stream's block i / 4; the backward gets the stream of the forward.</param>
    /// <param name="p">Probability of dropping an element, in [0, 1).</param>
    /// <param name="y">Shape of x; may be x.</param>
    public abstract void Dropout(Operand x, RandomStream stream, float p, Operand y);

    // ---- optimizers: one pass over all parameters of a group. The device counts the steps that it skips; the host would have to wait to know them.

    /// <summary>One step of SGD on every parameter. See <see cref="SgdStep"/>.</summary>
    /// <param name="parameters">w, updated in place: any number of tensors of any shapes.</param>
    /// <param name="gradients">dw, one for each parameter.</param>
    /// <param name="momenta">v, one for each parameter, updated in place; empty without momentum.</param>
    /// <param name="step">Settings, the same for all parameters.</param>
    /// <param name="gradientScale">One element that multiplies every gradient. If it is not above 0, the step is skipped. Null means 1.</param>
    /// <param name="leftOut">One element: the number of steps skipped so far. A skipped step adds 1 to it and changes nothing else. Null if skipped steps are not counted.</param>
    public abstract void Sgd(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> momenta, SgdStep step, Operand? gradientScale, Operand? leftOut);

    /// <summary>One step of AdamW on every parameter. See <see cref="AdamStep"/>.</summary>
    /// <param name="parameters">w, updated in place: any number of tensors of any shapes.</param>
    /// <param name="gradients">g, one for each parameter.</param>
    /// <param name="first">m, one for each parameter, updated in place; zeros before the first step.</param>
    /// <param name="second">v, likewise.</param>
    /// <param name="step">Settings and t, the same for all parameters.</param>
    /// <param name="gradientScale">As in <see cref="Sgd"/>.</param>
    /// <param name="leftOut">As in <see cref="Sgd"/>.</param>
    public abstract void AdamW(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> first, ReadOnlySpan<Operand> second, AdamStep step, Operand? gradientScale, Operand? leftOut);
}
