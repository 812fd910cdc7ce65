using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>Batch normalization of each channel, over images or rows. See <see cref="Tensor.BatchNorm"/>.</summary>
public sealed class BatchNorm : Module
{
    readonly int numFeatures;
    readonly float epsilon, momentum;
    Claim claim;

    /// <summary>A batch norm that starts with gamma = 1 and beta = 0.</summary>
    /// <param name="numFeatures">The number of channels of the input.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="momentum">The weight of the batch in the running statistics, as in PyTorch.</param>
    public BatchNorm(int numFeatures, float epsilon = 1e-5f, float momentum = 0.1f)
    {
        (this.numFeatures, this.epsilon, this.momentum) = (numFeatures, epsilon, momentum);
        Weight = Register("weight", new Parameter(Tensor.Ones([numFeatures])));
        Bias = Register("bias", new Parameter(Tensor.Zeros([numFeatures])));
        RunningMean = Register("running_mean", new BufferTensor(Tensor.Zeros([numFeatures])));
        RunningVariance = Register("running_var", new BufferTensor(Tensor.Ones([numFeatures])));
    }

    /// <summary>The scale gamma, [channels].</summary>
    public Parameter Weight { get; }

    /// <summary>The offset beta, [channels].</summary>
    public Parameter Bias { get; }

    /// <summary>The running mean, [channels].</summary>
    public BufferTensor RunningMean { get; }

    /// <summary>The running variance, unbiased, [channels].</summary>
    public BufferTensor RunningVariance { get; }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        var estimated = BatchStatistics.IsEstimated(this);
        if (!Training && !estimated) return x.BatchNormInference(RunningMean, RunningVariance, Weight, Bias, epsilon);
        if (Recompute.Again) return x.BatchNorm(Weight, Bias, running: null, epsilon);
        var taken = claim.Take(nameof(BatchNorm), "with the running statistics of this layer");
        try
        {
            var weight = estimated ? BatchStatistics.NextWeight(this) : momentum;
            return x.BatchNorm(Weight, Bias, new RunningStatistics(RunningMean, RunningVariance, weight), epsilon);
        }
        finally
        {
            if (taken) claim.Leave();
        }
    }

    /// <inheritdoc/>
    protected override string Describe() => $"BatchNorm({numFeatures})";
}

/// <summary>Layer normalization over the channels of each row. See <see cref="Tensor.LayerNorm"/>.</summary>
public sealed class LayerNorm : Module
{
    readonly int numFeatures;
    readonly float epsilon;

    /// <summary>A layer norm that starts with gamma = 1 and beta = 0.</summary>
    /// <param name="numFeatures">The number of channels of the input.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public LayerNorm(int numFeatures, float epsilon = 1e-5f)
    {
        (this.numFeatures, this.epsilon) = (numFeatures, epsilon);
        Weight = Register("weight", new Parameter(Tensor.Ones([numFeatures])));
        Bias = Register("bias", new Parameter(Tensor.Zeros([numFeatures])));
    }

    /// <summary>The scale gamma, [channels].</summary>
    public Parameter Weight { get; }

    /// <summary>The offset beta, [channels].</summary>
    public Parameter Bias { get; }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => x.LayerNorm(Weight, Bias, epsilon);

    /// <inheritdoc/>
    protected override string Describe() => $"LayerNorm({numFeatures})";
}
