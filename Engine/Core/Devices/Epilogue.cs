namespace QuadEngine.Devices;

/// <summary>
/// What a projection (matrix product or convolution) does to its result z while that is still in registers or cache. In order,
/// each step only where it is set:
///   z += bias;   z = quadratic neurons of z;   gather mean and variance of each channel;
///   z = z * scale + shift;   z += residual;   z = activation(z)
/// </summary>
/// <typeparam name="T">What holds the numbers: a <see cref="Tensor"/>, or within kernels an <see cref="Operand"/>.</typeparam>
public readonly record struct Epilogue<T> where T : class
{
    /// <summary>[channels], or null.</summary>
    public T? Bias { get; init; }

    /// <summary>The quadratic neurons that the channels make up, or null for linear ones.</summary>
    public QuadraticTerm<T>? Quadratic { get; init; }

    /// <summary>Where to leave the statistics of each channel, or null.</summary>
    public ChannelStatistics<T>? Statistics { get; init; }

    /// <summary>[channels], factor of the affine step; set together with <see cref="Shift"/>.</summary>
    public T? Scale { get; init; }

    /// <summary>[channels], summand of the affine step.</summary>
    public T? Shift { get; init; }

    /// <summary>Shape of the result, added to it; or null.</summary>
    public T? Residual { get; init; }

    /// <summary>Applied at the end.</summary>
    public Activation Activation { get; init; }

    /// <summary>Nothing is to be done.</summary>
    public bool IsEmpty => Bias is null && Quadratic is null && Statistics is null && Scale is null && Residual is null && Activation.IsNone;
}

/// <summary>The quadratic part of neurons: s sum_i lambda_i z_i^2.</summary>
/// <param name="Lambda">[coefficients of all neurons]</param>
/// <param name="Layout">The neurons' place in the channels.</param>
/// <param name="Normalised">s is 1/k, not 1.</param>
/// <typeparam name="T">As in <see cref="Epilogue{T}"/>.</typeparam>
public sealed record QuadraticTerm<T>(T Lambda, NeuronLayout Layout, bool Normalised) where T : class;

/// <summary>
/// What a batch norm does to x, by channel: act((x - mean) / sqrt(variance + epsilon) gamma + beta). Where there is a residual, it is added before the activation.
/// </summary>
/// <param name="Mean">[channels]</param>
/// <param name="Variance">[channels], biased.</param>
/// <param name="Epsilon">Added to the variance, above 0 where one can be 0.</param>
/// <param name="Gamma">[channels], or null for 1.</param>
/// <param name="Beta">[channels], or null for 0.</param>
/// <param name="Activation">Applied last.</param>
/// <typeparam name="T">As in <see cref="Epilogue{T}"/>.</typeparam>
public sealed record NormTerm<T>(T Mean, T Variance, float Epsilon, T? Gamma, T? Beta, Activation Activation) where T : class;

/// <summary>
/// How a gradient d = [d_y, d_f] passes quadratic neurons whose output is [y, f]: dz_0 = d_y, dz_i = d_f_i + 2 s lambda_i f_i d_y, and
/// dLambda_i = s sum over rows of d_y f_i^2.
/// </summary>
/// <param name="Term">The neurons.</param>
/// <param name="Detached">dz_i = d_f_i alone.</param>
/// <param name="DLambda">[coefficients of all neurons], an output; null where it is not wanted.</param>
/// <typeparam name="T">As in <see cref="Epilogue{T}"/>.</typeparam>
public sealed record QuadraticGradient<T>(QuadraticTerm<T> Term, bool Detached, T? DLambda) where T : class;

/// <summary>
/// Mean and biased variance of each channel, and the running statistics that they update, if any:
///   running = (1 - momentum) running + momentum batch,   with the unbiased variance (rows / (rows - 1)) as PyTorch has it.
/// </summary>
/// <param name="Mean">[channels], an output.</param>
/// <param name="Variance">[channels], an output, biased.</param>
/// <param name="RunningMean">[channels], updated in place; null for none.</param>
/// <param name="RunningVariance">Likewise.</param>
/// <param name="Momentum">Weight of this batch in the running ones, 0 to 1.</param>
/// <typeparam name="T">As in <see cref="Epilogue{T}"/>.</typeparam>
public sealed record ChannelStatistics<T>(T Mean, T Variance, T? RunningMean = null, T? RunningVariance = null, float Momentum = 0.1f) where T : class
{
    /// <summary>No rows have no mean.</summary>
    /// <param name="rows">Rows to take the statistics over.</param>
    /// <exception cref="ArgumentException">There are none.</exception>
    public void CheckRows(int rows) =>
        Check.That(rows > 0, nameof(Backend.GatherStatistics), $"there are {rows} rows to take the mean and variance of each channel over; expected 1 or more. Leave out empty batches.");
}

/// <summary>From tensors to the operands of a call.</summary>
static class Holding
{
    public static Epilogue<Operand> Hold(this in Epilogue<Tensor> epilogue, Held held) => new()
    {
        Bias = held.ReadIfAny(epilogue.Bias),
        Quadratic = epilogue.Quadratic?.Hold(held),
        Statistics = epilogue.Statistics?.Hold(held),
        Scale = held.ReadIfAny(epilogue.Scale),
        Shift = held.ReadIfAny(epilogue.Shift),
        Residual = held.ReadIfAny(epilogue.Residual),
        Activation = epilogue.Activation,
    };

    public static QuadraticTerm<Operand> Hold(this QuadraticTerm<Tensor> term, Held held) => new(held.Read(term.Lambda), term.Layout, term.Normalised);

    public static QuadraticGradient<Operand> Hold(this QuadraticGradient<Tensor> neurons, Held held) => new(neurons.Term.Hold(held), neurons.Detached, held.WriteIfAny(neurons.DLambda));

    public static NormTerm<Operand> Hold(this NormTerm<Tensor> norm, Held held) =>
        new(held.Read(norm.Mean), held.Read(norm.Variance), norm.Epsilon, held.ReadIfAny(norm.Gamma), held.ReadIfAny(norm.Beta), norm.Activation);

    public static ChannelStatistics<Operand> Hold(this ChannelStatistics<Tensor> statistics, Held held) =>
        new(held.Write(statistics.Mean), held.Write(statistics.Variance), held.WriteIfAny(statistics.RunningMean), held.WriteIfAny(statistics.RunningVariance), statistics.Momentum);
}
