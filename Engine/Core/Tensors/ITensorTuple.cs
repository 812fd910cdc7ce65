namespace QuadEngine;

/// <summary>
/// Tensors that belong together: the results of a module with several results, or a batch of examples.
/// <code>
/// public readonly record struct Tokens(IntTensor Ids, Tensor Mask) : ITensorTuple
/// {
///     public ITensorTuple Map(Func&lt;Tensor, Tensor&gt; tensors, Func&lt;IntTensor, IntTensor&gt; integers) => new Tokens(integers(Ids), tensors(Mask));
/// }
/// </code>
/// </summary>
public interface ITensorTuple
{
    /// <summary>Returns a tuple of the same type in which each tensor is replaced by the result of a function, always in the same order.</summary>
    /// <param name="tensors">The function for each tensor.</param>
    /// <param name="integers">The function for each tensor of integers.</param>
    ITensorTuple Map(Func<Tensor, Tensor> tensors, Func<IntTensor, IntTensor> integers);
}

/// <summary>Functions for a tensor, a pair, an array or an <see cref="ITensorTuple"/> alike.</summary>
public static class TensorTuple
{
    /// <summary>Returns the value with each tensor replaced.</summary>
    /// <param name="value">A tensor, a pair or an array of tensors, or an <see cref="ITensorTuple"/>.</param>
    /// <param name="tensors">The function for each tensor.</param>
    /// <param name="integers">The function for each tensor of integers.</param>
    /// <exception cref="NotSupportedException">The value is of another type; the message says what to do.</exception>
    public static T Map<T>(T value, Func<Tensor, Tensor> tensors, Func<IntTensor, IntTensor> integers) => (T)(object)(value switch
    {
        Tensor one => tensors(one),
        IntTensor one => integers(one),
        ITensorTuple several => several.Map(tensors, integers),
        Tensor[] several => Array.ConvertAll(several, one => tensors(one)),
        IntTensor[] several => Array.ConvertAll(several, one => integers(one)),
        ValueTuple<Tensor, Tensor>(var a, var b) => (tensors(a), tensors(b)),
        ValueTuple<Tensor, IntTensor>(var a, var b) => (tensors(a), integers(b)),
        ValueTuple<IntTensor, Tensor>(var a, var b) => (integers(a), tensors(b)),
        ValueTuple<IntTensor, IntTensor>(var a, var b) => (integers(a), integers(b)),
        ValueTuple<Tensor, Tensor, Tensor>(var a, var b, var c) => (tensors(a), tensors(b), tensors(c)),
        _ => throw new NotSupportedException($"{typeof(T).Name} is not a tensor, a pair or an array of tensors. Make it a record of tensors that implements {nameof(ITensorTuple)}, which has one method."),
    });
}
