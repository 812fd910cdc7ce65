namespace QuadEngine;

/// <summary>Undoes broadcasting: an operand that was repeated gets the sum of its gradients. No other code does this.</summary>
static class Broadcasting
{
    /// <summary>Sums the gradient over the axes along which a tensor of <paramref name="shape"/> was repeated.</summary>
    public static Tensor SumTo(Tensor gradient, Shape shape)
    {
        if (gradient.Shape == shape) return gradient;
        var added = gradient.Rank - shape.Rank;
        var axes = Enumerable.Range(0, gradient.Rank).Where(axis => axis < added || shape[axis - added] == 1 && gradient.Shape[axis] != 1);
        return gradient.Sum([.. axes]).Reshape(shape);
    }
}
