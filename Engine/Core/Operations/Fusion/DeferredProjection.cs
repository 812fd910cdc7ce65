using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>Runs a matrix product or a convolution of known geometry. If there is a norm, the kernel first normalizes x by it.</summary>
delegate void ProjectionKernel(Kernels kernels, Operand x, NormTerm<Operand>? norm, Operand weight, in Epilogue<Operand> epilogue, Operand y);

/// <summary>A matrix product or convolution, deferred until it is known which point-wise operations follow it: its <see cref="Epilogue{T}"/>. It enters the graph at once, as the user wrote it.</summary>
sealed class DeferredProjection : DeferredStep
{
    const int X = 0, Weight = 1, Bias = 2, Lambda = 3, Scale = 4, Shift = 5, Residual = 6;

    readonly ProjectionKernel kernel;
    readonly DeferredNormalization? before;
    readonly QuadraticTerm<Tensor>? term;

    DeferredProjection(Shape shape, Device device, ProjectionKernel kernel, Input?[] inputs, DeferredNormalization? before, QuadraticTerm<Tensor>? term, Activation activation) : base(shape, device, inputs) =>
        (this.kernel, this.before, this.term, Activation) = (kernel, before, term, activation);

    // Continues another step.
    DeferredProjection(DeferredProjection from, Input?[] inputs, QuadraticTerm<Tensor>? term, Activation activation) :
        this(from.Shape, from.Device, from.kernel, inputs, from.before, term, activation) => before?.Retain();

    public Activation Activation { get; }

    public bool HasAffine => Inputs[Scale] is not null;

    public bool HasResidual => Inputs[Residual] is not null;

    /// <summary>Whether this step is only the projection and its bias.</summary>
    public bool IsPlain => term is null && !HasAffine && !HasResidual && Activation.IsNone;

    /// <summary>The projection of x, computed at once or when it is read.</summary>
    /// <param name="shape">The shape of the result.</param>
    /// <param name="x">The input.</param>
    /// <param name="weight">The matrix or filter.</param>
    /// <param name="bias">The bias, [channels], or null.</param>
    /// <param name="normalizes">Whether the kernel takes over a batch norm if x is its deferred result.</param>
    /// <param name="kernel">The kernel that computes the projection.</param>
    public static Tensor Project(Shape shape, Tensor x, Tensor weight, Tensor? bias, bool normalizes, ProjectionKernel kernel)
    {
        if (Enabled && x.Device.Fuses)
        {
            var before = normalizes ? DeferredNormalization.Before(x) : null;
            try
            {
                var inputs = Input.Of(before is null ? x : null, weight, bias, null, null, null, null);
                before?.Retain();
                return new DeferredProjection(shape, x.Device, kernel, inputs, before, null, Activation.None).Result();
            }
            finally
            {
                before?.Release();
            }
        }

        var y = Tensor.Empty(shape, x.Device);
        using var held = new Held();
        kernel(x.Device.Kernels, held.Read(x), null, held.Read(weight), new Epilogue<Operand> { Bias = held.ReadIfAny(bias) }, held.WriteNew(y));
        return y;
    }

    // The backward of quadratic neurons reads their output. If it will run, the output must be written, and a join saves nothing.
    public override bool IsFree(Tensor z) => term is null || !z.RequiresGrad;

    public DeferredProjection With(Next.Neurons next) => new(this, InputsWith(Lambda, next.Term.Lambda), next.Term, Activation);

    public DeferredProjection With(Next.Affine next)
    {
        using Tensor scale = Tensor.Like(next.Mean), shift = Tensor.Like(next.Mean);
        Device.Backend.FoldBatchNorm(next.Mean, next.Variance, next.Epsilon, next.Gamma, next.Beta, scale, shift);
        return new(this, InputsWith(Scale, scale, shift), term, Activation);
    }

    public DeferredProjection With(Next.Sum next) => new(this, InputsWith(Residual, next.Residual), term, Activation);

    public DeferredProjection With(Next.Activate next) => new(this, InputsWith(0), term, next.Activation);

    protected override bool Run(Held held, ChannelStatistics<Operand>? statistics, Operand y)
    {
        // The statistics are of the projection's result, before any affine step.
        var gather = statistics is not null && !HasAffine && !HasResidual && Activation.IsNone;
        var epilogue = new Epilogue<Operand>
        {
            Bias = Inputs[Bias]?.Read(held),
            Quadratic = term is null ? null : new(Inputs[Lambda]!.Read(held), term.Layout, term.Normalized),
            Statistics = gather ? statistics : null,
            Scale = Inputs[Scale]?.Read(held),
            Shift = Inputs[Shift]?.Read(held),
            Residual = Inputs[Residual]?.Read(held),
            Activation = Activation,
        };
        NormTerm<Operand>? norm = null;
        var x = before is null ? Inputs[X]!.Read(held) : before.ReadInput(held, out norm);
        kernel(Device.Kernels, x, norm, Inputs[Weight]!.Read(held), epilogue, y);
        return gather;
    }

    protected override void ReleaseInputs()
    {
        base.ReleaseInputs();
        before?.Release();
    }
}
