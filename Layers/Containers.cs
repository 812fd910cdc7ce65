namespace QuadEngine.Layers;

/// <summary>Modules one after the other, named "0", "1", ... as in PyTorch.</summary>
public sealed class Sequential : Module
{
    readonly Module[] modules;

    /// <summary>The modules in order.</summary>
    /// <param name="modules">The modules. Each reads the result of the module before it. Without any, the input is passed on.</param>
    public Sequential(params Module[] modules)
    {
        this.modules = modules;
        for (var i = 0; i < modules.Length; i++) Register(i.ToString(null, null), modules[i]);
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        foreach (var module in modules) x = module[x];
        return x;
    }
}

/// <summary>Passes its input on.</summary>
public sealed class Identity : Module
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => x;
}

/// <summary>[N, ...] to [N, features].</summary>
public sealed class Flatten : Module
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => x.Flatten();
}

/// <summary>A function as a module, for functions without parameters.</summary>
/// <param name="name">The name in the printed network.</param>
/// <param name="function">The function that each forward calls.</param>
public sealed class Function(string name, Func<Tensor, Tensor> function) : Module
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => function(x);

    /// <inheritdoc/>
    protected override string Describe() => name;
}
