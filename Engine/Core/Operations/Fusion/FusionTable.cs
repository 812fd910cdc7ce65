using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>What comes next behind a deferred step.</summary>
abstract record Next
{
    /// <summary>Quadratic neurons of its channels.</summary>
    public sealed record Neurons(QuadraticTerm<Tensor> Term) : Next;

    /// <summary>A batch norm of given statistics: z scale + shift by channel. For inference: z leaves no trace in the graph.</summary>
    public sealed record Affine(Tensor Mean, Tensor Variance, Tensor? Gamma, Tensor? Beta, float Epsilon) : Next;

    /// <summary>z + residual, of one shape.</summary>
    public sealed record Sum(Tensor Residual) : Next;

    /// <summary>act(z).</summary>
    public sealed record Activate(Activation Activation) : Next;
}

/// <summary>All fusions: what is deferred, what comes next, and the one step that both become. A pair without a row stays two passes.</summary>
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

    /// <summary>The result of both, still deferred; null where z is no result of a deferred step that <paramref name="next"/> could join.</summary>
    public static Tensor? Join(Tensor z, Next next)
    {
        // A view of another shape is not what the step computes.
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

    /// <summary>F(z), or null: where F is no <see cref="Activation"/>, or a gradient will flow through it that reads z, which a join leaves unwritten.</summary>
    public static Tensor? Join<TOp>(Tensor z) where TOp : struct, IUnaryOp<TOp>
    {
        var activation = Activation.Of<TOp>();
        if (activation.IsNone || (TOp.Saves & Saves.Input) != 0 && z.RequiresGrad && !NoGrad.Active) return null;
        return Join(z, new Next.Activate(activation));
    }

    /// <summary>a + b, or null. One of them is written in any case; the other stays deferred, the batch norm where there is one, as it joins in training.</summary>
    public static Tensor? JoinSum(Tensor a, Tensor b)
    {
        if (a.Storage.Deferred is null && b.Storage.Deferred is null || a.Shape != b.Shape || a.Storage == b.Storage) return null;
        var second = b.Storage.Deferred is DeferredNormalization && a.Storage.Deferred is not DeferredNormalization;
        return second ? Join(b, new Next.Sum(a)) ?? Join(a, new Next.Sum(b)) : Join(a, new Next.Sum(b)) ?? Join(b, new Next.Sum(a));
    }
}
