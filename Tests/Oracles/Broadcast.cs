namespace QuadEngine.Tests.Oracles;

/// <summary>Computes the indices of broadcasting element by element.</summary>
static class Broadcast
{
    /// <summary>Returns the index along each axis of every element, in row-major order.</summary>
    public static IEnumerable<int[]> Indices(Shape shape)
    {
        for (var i = 0; i < shape.Elements; i++)
        {
            var index = new int[shape.Rank];
            for (int axis = shape.Rank - 1, rest = i; axis >= 0; rest /= shape[axis--]) index[axis] = rest % shape[axis];
            yield return index;
        }
    }

    /// <summary>Repeats an operand to a larger shape.</summary>
    public static double[] Expand(float[] values, Shape operand, Shape shape) => [.. Indices(shape).Select(index =>
    {
        var at = 0;
        for (var axis = 0; axis < operand.Rank; axis++)
            at = at * operand[axis] + (operand[axis] == 1 ? 0 : index[axis + shape.Rank - operand.Rank]);
        return (double)values[at];
    })];
}
