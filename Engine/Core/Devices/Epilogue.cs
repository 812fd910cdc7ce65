namespace QuadEngine.Devices;

/// <summary>
/// What a projection (matrix product or convolution) does to its result z while that is still in registers or cache. In order,
/// each step only where it is set:
///   z += bias;   z = quadratic neurons of z;   gather mean and variance of each channel;
///   z = z * scale + shift;   z += residual;   z = max(z, 0)
/// </summary>
public readonly record struct Epilogue
{
    /// <summary>[channels], or null.</summary>
    public Tensor? Bias { get; init; }

    /// <summary>The quadratic neurons that the channels make up, or null for linear ones.</summary>
    public QuadraticTerm? Quadratic { get; init; }

    /// <summary>Where to leave the statistics of each channel, or null.</summary>
    public ChannelStatistics? Statistics { get; init; }

    /// <summary>[channels], factor of the affine step; set together with <see cref="Shift"/>.</summary>
    public Tensor? Scale { get; init; }

    /// <summary>[channels], summand of the affine step.</summary>
    public Tensor? Shift { get; init; }

    /// <summary>Shape of the result, added to it; or null.</summary>
    public Tensor? Residual { get; init; }

    /// <summary>Rectify at the end.</summary>
    public bool Relu { get; init; }

    /// <summary>Nothing is to be done.</summary>
    public bool IsEmpty => Bias is null && Quadratic is null && Statistics is null && Scale is null && Residual is null && !Relu;
}

/// <summary>Lambda [coefficients of all neurons], the neurons' place in the channels, and s (1/k or 1 for each neuron).</summary>
public sealed record QuadraticTerm(Tensor Lambda, NeuronLayout Layout, bool Normalised);

/// <summary>
/// Mean and biased variance of each channel, [channels] each, both outputs; and the running statistics that they update, if any:
///   running = (1 - momentum) running + momentum batch,   with the unbiased variance (rows / (rows - 1)) as PyTorch has it.
/// </summary>
public sealed record ChannelStatistics(Tensor Mean, Tensor Variance, Tensor? RunningMean = null, Tensor? RunningVariance = null, float Momentum = 0.1f)
{
    /// <summary>No rows have no mean.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public void CheckRows(int rows) =>
        Check.That(rows > 0, nameof(Backend.GatherStatistics), $"there are {rows} rows to take the mean and variance of {Mean.Length} channels over; expected 1 or more. Leave out empty batches.");
}
