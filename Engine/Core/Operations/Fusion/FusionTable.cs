using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>The operation after a deferred step.</summary>
abstract record Next
{
    /// <summary>Quadratic neurons over the channels.</summary>
    public sealed record Neurons(QuadraticTerm<Tensor> Term) : Next;

    /// <summary>A batch norm with given statistics: z scale + shift per channel. Only for inference, because z gets no entry in the graph.</summary>
    public sealed record Affine(Tensor Mean, Tensor Variance, Tensor? Gamma, Tensor? Beta, float Epsilon) : Next;

    /// <summary>z + residual, both of one shape.</summary>
    public sealed record Sum(Tensor Residual) : Next;

    /// <summary>act(z).</summary>
    public sealed record Activate(Activation Activation) : Next;
}

/// <summary>All fusions: the deferred step, the operation after it, and the one step that both become. A pair without a row stays two passes.</summary>
static class FusionTable
{
    static DeferredStep? Row(DeferredStep step, Next next) => (step, next) switch
    {
        (DeferredProjection { IsPlain: true } p, Next.Neurons n) => p.With(n),
        (DeferredProjection { HasAffine: false, HasResidual: false, Activation.IsNone: true } p, Next.Affine a) => p.With(a),
        (DeferredProjection { HasResidual: false, Activation.IsNone: true } p, Next.Sum s) => p.With(s),
        (DeferredProjection { Activation.IsNone: true } p, Next.Activate a) => p.With(a),
        (DeferredNormalization { HasResidual: false, Activation.IsNone: true } n, Next.Sum s) => n.With(s),
        (DeferredNormalization { Activation.IsNone: true } n, Next.Activate a) => n.With(a),
        _ => null,
    };

    /// <summary>The result of both, still deferred; null if z is not the result of a deferred step that <paramref name="next"/> can join.</summary>
    public static Tensor? Join(Tensor z, Next next)
    {
        // The step does not compute a view of another shape.
        if (z.Storage.Deferred is not { } step || step.Shape != z.Shape || !step.TryRetain()) return null;
        try
        {
            return step.IsFree(z) ? Row(step, next)?.Result() : null;
        }
        finally
        {
            step.Release();
        }
    }

    /// <summary>F(z); null if F is no <see cref="Activation"/>, or if the gradient of F will read z, which a join does not write.</summary>
    public static Tensor? Join<TOp>(Tensor z) where TOp : struct, IUnaryOp<TOp>
    {
        var activation = Activation.Of<TOp>();
        if (activation.IsNone || (TOp.Saves & Saves.Input) != 0 && z.RequiresGrad && !NoGrad.Active) return null;
        return Join(z, new Next.Activate(activation));
    }

    /// <summary>a + b, or null. One of the two is written in any case; the other stays deferred. If one is a batch norm, it stays deferred, because it can join in training too.</summary>
    public static Tensor? JoinSum(Tensor a, Tensor b)
    {
        if (a.Storage.Deferred is null && b.Storage.Deferred is null || a.Shape != b.Shape || a.Storage == b.Storage) return null;
        var second = b.Storage.Deferred is DeferredNormalization && a.Storage.Deferred is not DeferredNormalization;
        return second ? Join(b, new Next.Sum(a)) ?? Join(a, new Next.Sum(b)) : Join(a, new Next.Sum(b)) ?? Join(b, new Next.Sum(a));
    }
}
