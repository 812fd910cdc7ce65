namespace QuadEngine;

/// <summary>
/// Trades time for memory (Chen et al. 2016, "Training deep nets with sublinear memory cost"): a function is computed without keeping
/// anything but its input, and once more, with a tape of its own, when backward comes to it.
/// </summary>
public static class Recompute
{
    [ThreadStatic] static int depth;

    /// <summary>The function runs for the second time: what it would change besides its result, such as running statistics, was changed by the first.</summary>
    public static bool Again => depth > 0;

    /// <summary>y = function(x), its intermediate results not kept.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="x">The only tensor from outside, besides the parameters, through which gradients flow.</param>
    /// <param name="parameters">The leaves that the function reads; their gradients are added to as by any backward.</param>
    /// <param name="function">Gives the same result both times; it must not capture tensors but leaves.</param>
    public static Tensor Apply(string name, Tensor x, IReadOnlyList<Parameter> parameters, Func<Tensor, Tensor> function)
    {
        Tensor y;
        using (new NoGrad())
        using (var scope = new TensorScope()) y = scope.Result(function(x));
        return y.WithBackward(name, [x, .. parameters], [x], (dy, saved) =>
        {
            using var recording = new NoGrad.Suspended();
            var input = saved[0].Detach();
            input.RequiresGrad = saved.Needs(0);
            depth++;
            try
            {
                function(input).Backward(dy);
            }
            finally
            {
                depth--;
            }

            using var gradient = input.Grad;
            return [gradient?.Detach(), .. parameters.Select(_ => (Tensor?)null)];
        });
    }
}
