namespace QuadEngine.Devices;

/// <summary>
/// The operations that a projection (matrix product or convolution) applies to its result z while z is still in registers or cache. The steps run in this order,
/// and each runs only if it is set:
///   z += bias;   z = quadratic neurons of z;   gather mean and variance of each channel;
///   z = z * scale + shift;   z += residual;   z = activation(z)
/// </summary>
/// <typeparam name="T">The type that holds the numbers: <see cref="Tensor"/>, or <see cref="Operand"/> within kernels.</typeparam>
public readonly record struct Epilogue<T> where T : class
{
    /// <summary>[channels], or null.</summary>
    public T? Bias { get; init; }

    /// <summary>The quadratic neurons that the channels form, or null for linear neurons.</summary>
    public QuadraticTerm<T>? Quadratic { get; init; }

    /// <summary>The outputs for the statistics of each channel, or null.</summary>
    public ChannelStatistics<T>? Statistics { get; init; }

    /// <summary>[channels], factor of the affine step; set together with <see cref="Shift"/>.</summary>
    public T? Scale { get; init; }

    /// <summary>[channels], summand of the affine step.</summary>
    public T? Shift { get; init; }

    /// <summary>Shape of the result, added to it; or null.</summary>
    public T? Residual { get; init; }

    /// <summary>The activation, applied last.</summary>
    public Activation Activation { get; init; }

    /// <summary>Whether no step is set.</summary>
    public bool IsEmpty => Bias is null && Quadratic is null && Statistics is null && Scale is null && Residual is null && Activation.IsNone;
}

/// <summary>The quadratic part of neurons: s sum_i lambda_i z_i^2.</summary>
/// <param name="Lambda">[coefficients of all neurons]</param>
/// <param name="Layout">The neurons' places among the channels.</param>
/// <param name="Normalized">Whether s is 1/k; otherwise s is 1.</param>
/// <typeparam name="T">As in <see cref="Epilogue{T}"/>.</typeparam>
public sealed record QuadraticTerm<T>(T Lambda, NeuronLayout Layout, bool Normalized) where T : class;

/// <summary>
/// A batch norm of x, by channel: act((x - mean) / sqrt(variance + epsilon) gamma + beta). A residual, if there is one, is added before the activation.
/// </summary>
/// <param name="Mean">[channels]</param>
/// <param name="Variance">[channels], biased.</param>
/// <param name="Epsilon">Added to the variance; above 0 if a variance can be 0.</param>
/// <param name="Gamma">[channels], or null for 1.</param>
/// <param name="Beta">[channels], or null for 0.</param>
/// <param name="Activation">The activation, applied last.</param>
/// <typeparam name="T">As in <see cref="Epilogue{T}"/>.</typeparam>
public sealed record NormTerm<T>(T Mean, T Variance, float Epsilon, T? Gamma, T? Beta, Activation Activation) where T : class;

/// <summary>
/// The backward of quadratic neurons with output [y, f], from the gradient d = [d_y, d_f]: dz_0 = d_y, dz_i = d_f_i + 2 s lambda_i f_i d_y, and
/// dLambda_i = s sum over rows of d_y f_i^2.
/// </summary>
/// <param name="Term">The neurons.</param>
/// <param name="Detached">Whether the gradient of y through f is dropped: dz_i = d_f_i.</param>
/// <param name="DLambda">[coefficients of all neurons], an output; null if it is not needed.</param>
/// <typeparam name="T">As in <see cref="Epilogue{T}"/>.</typeparam>
public sealed record QuadraticGradient<T>(QuadraticTerm<T> Term, bool Detached, T? DLambda) where T : class;

/// <summary>
/// Mean and biased variance of each channel, and the running statistics that they update, if any:
///   running = (1 - momentum) running + momentum batch,   with the unbiased variance (rows / (rows - 1)), as in PyTorch.
/// </summary>
/// <param name="Mean">[channels], an output.</param>
/// <param name="Variance">[channels], an output, biased.</param>
/// <param name="RunningMean">[channels], updated in place; null for none.</param>
/// <param name="RunningVariance">Likewise.</param>
/// <param name="Momentum">Weight of this batch in the running statistics, 0 to 1.</param>
/// <typeparam name="T">As in <see cref="Epilogue{T}"/>.</typeparam>
public sealed record ChannelStatistics<T>(T Mean, T Variance, T? RunningMean = null, T? RunningVariance = null, float Momentum = 0.1f) where T : class
{
    /// <summary>Checks that there are rows, since no rows have no mean.</summary>
    /// <param name="rows">The number of rows that the statistics cover.</param>
    /// <exception cref="ArgumentException">There are no rows.</exception>
    public void CheckRows(int rows) =>
        Check.That(rows > 0, nameof(Backend.GatherStatistics), $"there are {rows} rows to take the mean and variance of each channel over; expected 1 or more. Leave out empty batches.");
}

/// <summary>Turns tensors into the operands of one call.</summary>
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

    public static QuadraticTerm<Operand> Hold(this QuadraticTerm<Tensor> term, Held held) => new(held.Read(term.Lambda), term.Layout, term.Normalized);

    public static QuadraticGradient<Operand> Hold(this QuadraticGradient<Tensor> neurons, Held held) => new(neurons.Term.Hold(held), neurons.Detached, held.WriteIfAny(neurons.DLambda));

    public static NormTerm<Operand> Hold(this NormTerm<Tensor> norm, Held held) =>
        new(held.Read(norm.Mean), held.Read(norm.Variance), norm.Epsilon, held.ReadIfAny(norm.Gamma), held.ReadIfAny(norm.Beta), norm.Activation);

    public static ChannelStatistics<Operand> Hold(this ChannelStatistics<Tensor> statistics, Held held) =>
        new(held.Write(statistics.Mean), held.Write(statistics.Variance), held.WriteIfAny(statistics.RunningMean), held.WriteIfAny(statistics.RunningVariance), statistics.Momentum);
}
