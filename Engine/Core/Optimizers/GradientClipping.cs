namespace QuadEngine;

/// <summary>Scales gradients down where they are too large together.</summary>
public static class GradientClipping
{
    /// <summary>The norm of all gradients seen as one vector: sqrt of the sum of all squares, which themselves may leave the range of float32.</summary>
    /// <param name="parameters">Whose gradients count, all on one device; a parameter without gradient is left out.</param>
    public static float Norm(IEnumerable<Parameter> parameters)
    {
        using var norm = DeviceNorm(parameters);
        return norm.Item();
    }

    /// <summary><see cref="Norm"/> as a tensor [] on the gradients' device; the host does not wait for it.</summary>
    /// <inheritdoc cref="Norm"/>
    public static Tensor DeviceNorm(IEnumerable<Parameter> parameters)
    {
        var gradients = Gradients(parameters);
        if (gradients.Length == 0) return Tensor.Scalar(0f);
        var norm = Tensor.Empty([], gradients[0].Device);
        norm.Device.Backend.Norm(gradients, norm);
        return norm;
    }

    /// <summary>What <see cref="ByNorm"/> multiplies gradients by, min(1, maxNorm / (norm + 1e-6)), on the device: for <see cref="Optimizer.GradientScale"/>.</summary>
    /// <param name="norm">[], as <see cref="DeviceNorm"/> gives it.</param>
    /// <param name="maxNorm">The largest norm that is left as it is, 0 or more.</param>
    /// <exception cref="ArgumentException">maxNorm is negative or no number.</exception>
    public static Tensor FactorOf(Tensor norm, float maxNorm)
    {
        CheckLimit(maxNorm);
        return (maxNorm / (norm + 1e-6f)).Minimum(1f);
    }

    /// <summary>Multiplies all gradients by maxNorm / norm where that is below 1 (Pascanu et al. 2013), and gives the norm before.</summary>
    /// <param name="parameters">Whose gradients are scaled, in place; all on one device. A parameter without gradient is left out.</param>
    /// <param name="maxNorm">The largest norm that is left as it is, 0 or more.</param>
    /// <exception cref="ArgumentException">maxNorm is negative or no number.</exception>
    public static float ByNorm(IEnumerable<Parameter> parameters, float maxNorm)
    {
        CheckLimit(maxNorm);
        Parameter[] all = [.. parameters];
        var norm = Norm(all);
        var factor = maxNorm / (norm + 1e-6f);      // as PyTorch divides
        if (factor < 1f)
            foreach (var gradient in Gradients(all)) gradient.Device.Backend.BinaryScalar<MultiplyOp>(gradient, factor, gradient);

        return norm;
    }

    static void CheckLimit(float maxNorm) =>
        Check.That(maxNorm >= 0f, nameof(GradientClipping), $"the largest norm is {maxNorm}, expected 0 or more: a negative one would turn gradients round. Use a number such as 1.");

    static Tensor[] Gradients(IEnumerable<Parameter> parameters) => [.. parameters.Select(parameter => parameter.Grad).OfType<Tensor>()];
}
