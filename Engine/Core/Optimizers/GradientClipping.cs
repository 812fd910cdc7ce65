namespace QuadEngine;

/// <summary>Scales gradients down if their common norm is too large.</summary>
public static class GradientClipping
{
    /// <summary>The norm of all gradients as one vector: the root of the sum of all squares. The squares themselves may exceed the range of float32.</summary>
    /// <param name="parameters">The parameters, all on one device. A parameter without a gradient does not count.</param>
    public static float Norm(IEnumerable<Parameter> parameters)
    {
        using var norm = DeviceNorm(parameters);
        return norm.Item();
    }

    /// <summary>The <see cref="Norm"/> as a tensor [] on the device of the gradients. The host does not wait for it.</summary>
    /// <inheritdoc cref="Norm"/>
    public static Tensor DeviceNorm(IEnumerable<Parameter> parameters)
    {
        var gradients = Gradients(parameters);
        if (gradients.Length == 0) return Tensor.Scalar(0f);
        var norm = Tensor.Empty([], gradients[0].Device);
        norm.Device.Backend.Norm(gradients, norm);
        return norm;
    }

    /// <summary>The factor with which <see cref="ByNorm"/> multiplies gradients, min(1, maxNorm / (norm + 1e-6)), on the device: for <see cref="Optimizer.GradientScale"/>.</summary>
    /// <param name="norm">The norm, [], as <see cref="DeviceNorm"/> returns it.</param>
    /// <param name="maxNorm">The largest norm that stays unchanged, 0 or more.</param>
    /// <exception cref="ArgumentException">maxNorm is negative or NaN.</exception>
    public static Tensor FactorOf(Tensor norm, float maxNorm)
    {
        CheckLimit(maxNorm);
        return (maxNorm / (norm + 1e-6f)).Minimum(1f);
    }

    /// <summary>Multiplies all gradients by maxNorm / norm if that is below 1 (Pascanu et al. 2013). Returns the norm before that.</summary>
    /// <param name="parameters">The parameters, all on one device. Their gradients are scaled in place. A parameter without a gradient does not count.</param>
    /// <param name="maxNorm">The largest norm that stays unchanged, 0 or more.</param>
    /// <exception cref="ArgumentException">maxNorm is negative or NaN.</exception>
    public static float ByNorm(IEnumerable<Parameter> parameters, float maxNorm)
    {
        CheckLimit(maxNorm);
        Parameter[] all = [.. parameters];
        var norm = Norm(all);
        var factor = maxNorm / (norm + 1e-6f);      // the division of PyTorch
        if (factor < 1f)
            foreach (var gradient in Gradients(all)) gradient.Device.Backend.BinaryScalar<MultiplyOp>(gradient, factor, gradient);

        return norm;
    }

    static void CheckLimit(float maxNorm) =>
        Check.That(maxNorm >= 0f, nameof(GradientClipping), $"the largest norm is {maxNorm}, expected 0 or more: a negative norm would reverse the gradients. Use a number such as 1.");

    static Tensor[] Gradients(IEnumerable<Parameter> parameters) => [.. parameters.Select(parameter => parameter.Grad).OfType<Tensor>()];
}
