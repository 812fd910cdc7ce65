namespace QuadEngine.Layers;

/// <summary>A module whose function reads any input: indices, several tensors (a tuple, or a record of them), a mask.</summary>
/// <typeparam name="TInput">The type of the input, e.g. <see cref="IntTensor"/>, or <c>(Tensor Values, Tensor Mask)</c>.</typeparam>
/// <typeparam name="TOutput">The type of the result: a <see cref="Tensor"/>, an <see cref="IntTensor"/>, a pair or an array of them, or an <see cref="ITensorTuple"/>.</typeparam>
/// <remarks>
/// The call of a module is a scope: when it returns, all tensors made inside are dropped, except the result. Tensors that the tape needs for
/// backward belong to the tape. To keep another tensor, call <see cref="Tensor.Keep"/> on it.
/// </remarks>
public abstract class Module<TInput, TOutput> : ModuleBase
{
    /// <summary>Calls the module.</summary>
    /// <inheritdoc cref="Forward"/>
    public TOutput this[TInput x] => Forward(x);

    /// <summary>Calls the module in its own scope.</summary>
    /// <param name="x">The input of the module, on the device of its parameters.</param>
    /// <returns>The result. Each tensor in it is a new handle, which you may drop even if the module returned its argument, a parameter or a tensor that it keeps. An <see cref="IntTensor"/> is the one that the module returned.</returns>
    /// <exception cref="InvalidOperationException">A module or parameter would learn, but is not registered; the message names it.</exception>
    public TOutput Forward(TInput x)
    {
        using var call = new CallUnderWay(this);
        var y = Compute(x);
        Called(x, y);
        return call.Results(y);
    }

    /// <summary>The function of the module. It may return any tensor, also one that was not made in it.</summary>
    /// <param name="x">The input that <see cref="Forward"/> got.</param>
    protected abstract TOutput Compute(TInput x);

    private protected virtual void Called(TInput x, TOutput y)
    {
    }
}

/// <summary>A module that reads one tensor and returns one tensor, as nearly all layers do. It only has to override <c>protected override Tensor Compute(Tensor x)</c>.</summary>
/// <inheritdoc/>
public abstract class Module : Module<Tensor, Tensor>
{
    /// <summary>The number of multiply-adds of one call of the module itself, without its children, for given shapes.</summary>
    /// <param name="input">The shape of the input.</param>
    /// <param name="output">The shape of the result.</param>
    public virtual long MultiplyAdds(Shape input, Shape output) => 0;

    private protected override void Called(Tensor x, Tensor y) => ModuleTrace.Called(this, x, y);
}
