namespace QuadEngine;

/// <summary>The one place where broadcasting is undone: an operand that was repeated receives the sum of its gradients.</summary>
static class Broadcasting
{
    /// <summary>Sums the axes along which a tensor of <paramref name="shape"/> was repeated to give that of the gradient.</summary>
    public static Tensor SumTo(Tensor gradient, Shape shape)
    {
        if (gradient.Shape == shape) return gradient;
        var added = gradient.Rank - shape.Rank;
        var axes = Enumerable.Range(0, gradient.Rank).Where(axis => axis < added || shape[axis - added] == 1 && gradient.Shape[axis] != 1);
        return gradient.Sum([.. axes]).Reshape(shape);
    }
}
