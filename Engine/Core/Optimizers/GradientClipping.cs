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

    /// <summary>Multiplies all gradients by maxNorm / norm where that is below 1 (Pascanu et al. 2013), and gives the norm before.</summary>
    public static float ByNorm(IEnumerable<Parameter> parameters, float maxNorm)
    {
        Parameter[] all = [.. parameters];
        var norm = Norm(all);
        var factor = maxNorm / (norm + 1e-6f);      // as PyTorch divides
        if (factor < 1f)
            foreach (var gradient in Gradients(all))
            {
                gradient.Storage.Writing();
                gradient.Device.Backend.BinaryScalar<Multiply>(gradient, factor, gradient);
            }

        return norm;
    }

    static Tensor[] Gradients(IEnumerable<Parameter> parameters) => [.. parameters.Select(parameter => parameter.Grad).OfType<Tensor>()];
}
