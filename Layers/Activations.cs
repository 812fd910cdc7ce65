using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>An element-wise function as a module.</summary>
public abstract class Activation<TOp> : Module where TOp : struct, IUnaryOp<TOp>
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Elementwise.Apply<TOp>(x);
}

/// <summary>max(x, 0).</summary>
public sealed class Relu : Activation<Operations.ReluOp>;

/// <summary>min(max(x, 0), 6).</summary>
public sealed class Relu6 : Activation<Operations.Relu6Op>;

/// <summary>relu6(x + 3) / 6.</summary>
public sealed class HardSigmoid : Activation<Operations.HardSigmoidOp>;

/// <summary>x relu6(x + 3) / 6.</summary>
public sealed class HardSwish : Activation<Operations.HardSwishOp>;

/// <summary>x sigmoid(x).</summary>
public sealed class Silu : Activation<Operations.SiluOp>;

/// <summary>x Phi(x).</summary>
public sealed class Gelu : Activation<Operations.GeluOp>;

/// <summary>The hyperbolic tangent.</summary>
public sealed class Tanh : Activation<Operations.TanhOp>;

/// <summary>1 / (1 + exp(-x)).</summary>
public sealed class Sigmoid : Activation<Operations.SigmoidOp>;

/// <summary>x where x &gt; 0, slope x elsewhere.</summary>
/// <param name="slope">The slope of the negative side.</param>
public sealed class LeakyRelu(float slope = 0.01f) : Module
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => x.LeakyRelu(slope);

    /// <inheritdoc/>
    protected override string Describe() => $"LeakyRelu({slope})";
}

/// <summary>Drops elements in training; in inference, passes its input on. See <see cref="Tensor.Dropout"/>.</summary>
public sealed class Dropout : Module
{
    readonly float p;
    readonly Generator? generator;

    /// <summary>A dropout of a part of the elements.</summary>
    /// <param name="p">The probability that an element is dropped, in [0, 1).</param>
    /// <param name="generator">The generator that selects the dropped elements; its state is saved in checkpoints. Null for <see cref="Generator.Default"/>.</param>
    public Dropout(float p = 0.5f, Generator? generator = null)
    {
        this.p = p;
        if (generator is not null) this.generator = Register("generator", generator);
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Training ? x.Dropout(p, generator) : x;

    /// <inheritdoc/>
    protected override string Describe() => $"Dropout({p})";
}
