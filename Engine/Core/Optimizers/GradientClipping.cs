namespace QuadEngine;

/// <summary>Scales gradients down where they are too large together.</summary>
public static class GradientClipping
{
    /// <summary>The norm of all gradients seen as one vector: sqrt of the sum of all squares.</summary>
    public static float Norm(IEnumerable<Parameter> parameters)
    {
        using var squares = SquaredNorm(parameters);
        return MathF.Sqrt(squares.Item());
    }

    /// <summary>The square of <see cref="Norm"/>, [] on the gradients' device; the host does not wait for it.</summary>
    public static Tensor SquaredNorm(IEnumerable<Parameter> parameters)
    {
        var gradients = Gradients(parameters);
        if (gradients.Length == 0) return Tensor.Scalar(0f);
        var sum = Tensor.Empty([], gradients[0].Device);
        sum.Device.Backend.SumOfSquares(gradients, sum);
        return sum;
    }

    /// <summary>What <see cref="ByNorm"/> multiplies gradients by, min(1, maxNorm / (norm + 1e-6)), on the device: for <see cref="Optimizer.GradientScale"/>.</summary>
    public static Tensor Factor(Tensor squaredNorm, float maxNorm) => (maxNorm / (squaredNorm.Sqrt() + 1e-6f)).Minimum(1f);

    /// <summary>Multiplies all gradients by maxNorm / norm where that is below 1 (Pascanu et al. 2013), and gives the norm before.</summary>
    public static float ByNorm(IEnumerable<Parameter> parameters, float maxNorm)
    {
        Parameter[] all = [.. parameters];
        var norm = Norm(all);
        var factor = maxNorm / (norm + 1e-6f);      // as PyTorch divides
        if (factor < 1f)
            foreach (var gradient in Gradients(all)) gradient.Device.Backend.BinaryScalar<Multiply>(gradient, factor, gradient);

        return norm;
    }

    static Tensor[] Gradients(IEnumerable<Parameter> parameters) => [.. parameters.Select(parameter => parameter.Grad).OfType<Tensor>()];
}
