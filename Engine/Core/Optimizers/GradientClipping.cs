namespace QuadEngine;

/// <summary>Scales gradients down where they are too large together.</summary>
public static class GradientClipping
{
    /// <summary>The norm of all gradients seen as one vector: sqrt of the sum of all squares.</summary>
    public static float Norm(IEnumerable<Parameter> parameters)
    {
        var gradients = Gradients(parameters);
        if (gradients.Length == 0) return 0f;
        using var sum = Tensor.Empty([], gradients[0].Device);
        sum.Device.Backend.SumOfSquares(gradients, sum);
        return MathF.Sqrt(sum.Item());
    }

    /// <summary>Multiplies all gradients by maxNorm / norm where the norm is larger (Pascanu et al. 2013), and gives the norm before.</summary>
    public static float ByNorm(IEnumerable<Parameter> parameters, float maxNorm)
    {
        var gradients = Gradients(parameters);
        var norm = Norm(parameters);
        if (norm > maxNorm)
            foreach (var gradient in gradients) gradient.Device.Backend.BinaryScalar<Multiply>(gradient, maxNorm / norm, gradient);
        return norm;
    }

    static Tensor[] Gradients(IEnumerable<Parameter> parameters) => [.. parameters.Select(parameter => parameter.Grad).OfType<Tensor>()];
}
