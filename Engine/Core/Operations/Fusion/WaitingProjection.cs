using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>Runs a matrix product or a convolution of known geometry.</summary>
delegate void ProjectionKernel(Kernels kernels, Operand x, Operand weight, in Epilogue<Operand> epilogue, Operand y);

/// <summary>A matrix product or convolution that waits for the point-wise operations behind it: its <see cref="Epilogue{T}"/>. It enters the graph at once, as it was written.</summary>
sealed class WaitingProjection : WaitingStep
{
    const int X = 0, Weight = 1, Bias = 2, Lambda = 3, Scale = 4, Shift = 5, Residual = 6;

    readonly ProjectionKernel kernel;
    readonly QuadraticTerm<Tensor>? term;

    WaitingProjection(Shape shape, Device device, ProjectionKernel kernel, Input?[] inputs, QuadraticTerm<Tensor>? term, Activation activation) : base(shape, device, inputs) =>
        (this.kernel, this.term, Activation) = (kernel, term, activation);

    public Activation Activation { get; }

    public bool HasAffine => Inputs[Scale] is not null;

    public bool HasResidual => Inputs[Residual] is not null;

    /// <summary>The projection and its bias, and nothing else.</summary>
    public bool IsPlain => term is null && !HasAffine && !HasResidual && Activation == Activation.None;

    /// <summary>The projection of x, at once or when it is read.</summary>
    public static Tensor Project(Shape shape, Tensor x, Tensor weight, Tensor? bias, ProjectionKernel kernel)
    {
        if (Enabled && x.Device.Fuses)
            return new WaitingProjection(shape, x.Device, kernel, Input.Of(x, weight, bias, null, null, null, null), null, Activation.None).Result();

        var y = Tensor.Empty(shape, x.Device);
        using var held = new Held();
        kernel(x.Device.Kernels, held.Read(x), held.Read(weight), new Epilogue<Operand> { Bias = held.ReadIfAny(bias) }, held.Fill(y));
        return y;
    }

    // The backward of quadratic neurons reads their output: where it will, that has to be written, and going on without it saves nothing.
    public override bool IsFree(Tensor z) => term is null || !z.RequiresGrad;

    public WaitingProjection With(Next.Neurons next) => new(Shape, Device, kernel, InputsWith(Input.Of(null, null, null, next.Term.Lambda, null, null, null)), next.Term, Activation);

    public WaitingProjection With(Next.Affine next)
    {
        using Tensor scale = Tensor.Like(next.Mean), shift = Tensor.Like(next.Mean);
        Device.Backend.FoldBatchNorm(next.Mean, next.Variance, next.Epsilon, next.Gamma, next.Beta, scale, shift);
        return new(Shape, Device, kernel, InputsWith(Input.Of(null, null, null, null, scale, shift, null)), term, Activation);
    }

    public WaitingProjection With(Next.Sum next) => new(Shape, Device, kernel, InputsWith(Input.Of(null, null, null, null, null, null, next.Residual)), term, Activation);

    public WaitingProjection With(Next.Activate next) => new(Shape, Device, kernel, InputsWith(new Input?[Inputs.Length]), term, next.Activation);

    protected override bool Run(Held held, ChannelStatistics<Operand>? statistics, Operand y)
    {
        // Statistics are of what the projection gives, so they come before any affine step.
        var gather = statistics is not null && !HasAffine && !HasResidual && Activation == Activation.None;
        var epilogue = new Epilogue<Operand>
        {
            Bias = Inputs[Bias]?.Read(held),
            Quadratic = term is null ? null : new(Inputs[Lambda]!.Read(held), term.Layout, term.Normalised),
            Statistics = gather ? statistics : null,
            Scale = Inputs[Scale]?.Read(held),
            Shift = Inputs[Shift]?.Read(held),
            Residual = Inputs[Residual]?.Read(held),
            Activation = Activation,
        };
        kernel(Device.Kernels, Inputs[X]!.Read(held), Inputs[Weight]!.Read(held), epilogue, y);
        return gather;
    }
}
