using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>Runs a matrix product or a convolution of known geometry.</summary>
delegate void ProjectionKernel(Tensor x, Tensor weight, in Epilogue epilogue, Tensor y);

/// <summary>A matrix product or convolution that waits for the point-wise operations behind it: its <see cref="Epilogue"/>.</summary>
sealed class DeferredProjection : Deferred
{
    readonly ProjectionKernel kernel;
    readonly Tensor x, weight;
    readonly Epilogue epilogue;

    DeferredProjection(Shape shape, ProjectionKernel kernel, Tensor x, Tensor weight, in Epilogue epilogue, DeferredProjection? origin = null) : base(shape, x.Device, origin)
    {
        var known = origin?.epilogue ?? default;
        this.kernel = kernel;
        this.x = Share(x, origin?.x)!;
        this.weight = Share(weight, origin?.weight)!;
        this.epilogue = epilogue with
        {
            Bias = Share(epilogue.Bias, known.Bias),
            Quadratic = epilogue.Quadratic is { } term && !ReferenceEquals(term, known.Quadratic) ? term with { Lambda = Share(term.Lambda, null)! } : known.Quadratic,
            Scale = Share(epilogue.Scale, known.Scale),
            Shift = Share(epilogue.Shift, known.Shift),
            Residual = Share(epilogue.Residual, known.Residual),
        };
    }

    /// <summary>The projection of x, at once or when it is read.</summary>
    public static Tensor Project(Shape shape, Tensor x, Tensor weight, Tensor? bias, ProjectionKernel kernel)
    {
        var epilogue = new Epilogue { Bias = bias };
        if (Enabled && x.Device.Fuses) return new DeferredProjection(shape, kernel, x, weight, epilogue).Result();
        var y = Tensor.Empty(shape, x.Device);
        kernel(x, weight, epilogue, y);
        return y;
    }

    /// <summary>The quadratic neurons of a waiting projection, still waiting; null where z is none.</summary>
    public static Tensor? Quadratic(Tensor z, QuadraticTerm term) =>
        Of(z) is { epilogue: { Quadratic: null, Scale: null, Residual: null, Relu: false } } p ? p.With(p.epilogue with { Quadratic = term }) : null;

    /// <summary>z scale + shift, still waiting; null where z is no waiting projection. For inference: z leaves no trace in the graph.</summary>
    public static Tensor? Affine(Tensor z, Func<(Tensor Scale, Tensor Shift)> affine)
    {
        if (Of(z) is not { epilogue: { Scale: null, Residual: null, Relu: false } } p) return null;
        var (scale, shift) = affine();
        return p.With(p.epilogue with { Scale = scale, Shift = shift });
    }

    /// <summary>z + residual, still waiting; null where z is no waiting projection, or the residual too, and so is to be written anyway.</summary>
    public static Tensor? Add(Tensor z, Tensor residual) =>
        Of(z) is { epilogue: { Residual: null, Relu: false } } p && z.Shape == residual.Shape && z.Storage != residual.Storage ? p.With(p.epilogue with { Residual = residual }) : null;

    /// <summary>max(z, 0), still waiting; null where z is no waiting projection.</summary>
    public static Tensor? Relu(Tensor z) => Of(z) is { epilogue.Relu: false } p ? p.With(p.epilogue with { Relu = true }) : null;

    public override bool Compute(Tensor y, ChannelStatistics? statistics)
    {
        // Statistics are of what the projection gives, so they come before any affine step.
        var gather = statistics is not null && epilogue is { Scale: null, Residual: null, Relu: false };
        kernel(x, weight, gather ? epilogue with { Statistics = statistics } : epilogue, y);
        return gather;
    }

    // The backward of quadratic neurons reads their output: where it will, that has to be written, and going on without it saves nothing.
    static DeferredProjection? Of(Tensor z) => Behind(z) is DeferredProjection p && (p.epilogue.Quadratic is null || !z.RequiresGrad) ? p : null;

    Tensor With(in Epilogue epilogue) => new DeferredProjection(Shape, kernel, x, weight, epilogue, origin: this).Result();
}
