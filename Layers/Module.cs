namespace QuadEngine.Layers;

/// <summary>A module that is a function of whatever it needs: indices, several tensors (a tuple, or a record of them), a mask.</summary>
/// <typeparam name="TInput">What it reads, e.g. <see cref="IntTensor"/>, or <c>(Tensor Values, Tensor Mask)</c>.</typeparam>
/// <typeparam name="TOutput">What it gives: a <see cref="Tensor"/>, an <see cref="IntTensor"/>, a pair or an array of them, or an <see cref="ITensorTuple"/>.</typeparam>
/// <remarks>
/// Calling a module is a scope: the tensors made inside are dropped when it returns, all but the result. What the tape needs for
/// backward belongs to the tape; to keep another one for yourself, call <see cref="Tensor.Keep"/> on it.
/// </remarks>
public abstract class Module<TInput, TOutput> : ModuleBase
{
    /// <summary>Calls the module.</summary>
    /// <inheritdoc cref="Forward"/>
    public TOutput this[TInput x] => Forward(x);

    /// <summary>Calls the module in a scope of its own.</summary>
    /// <param name="x">What the module reads, on the device of its parameters.</param>
    /// <returns>Tensors are handles of their own, which may be dropped whatever the module gives: its argument, a parameter, a tensor that it keeps. An <see cref="IntTensor"/> is the one that the module gave.</returns>
    /// <exception cref="InvalidOperationException">A module or parameter would learn, but was not registered; the message names it.</exception>
    public TOutput Forward(TInput x)
    {
        using var call = new CallUnderWay(this);
        var y = Compute(x);
        Called(x, y);
        return call.Results(y);
    }

    /// <summary>The function that the module is. It may return any tensor, also one that was not made in it.</summary>
    /// <param name="x">What <see cref="Forward"/> was given.</param>
    protected abstract TOutput Compute(TInput x);

    private protected virtual void Called(TInput x, TOutput y)
    {
    }
}

/// <summary>A module of one tensor, as nearly all layers are: <c>protected override Tensor Compute(Tensor x)</c> is all it takes.</summary>
/// <inheritdoc/>
public abstract class Module : Module<Tensor, Tensor>
{
    /// <summary>Multiply-adds that the module itself (not its children) spends on one call, given its shapes.</summary>
    /// <param name="input">Of what the module read in the call.</param>
    /// <param name="output">Of what it gave.</param>
    public virtual long MultiplyAdds(Shape input, Shape output) => 0;

    private protected override void Called(Tensor x, Tensor y) => ModuleTrace.Called(this, x, y);
}
