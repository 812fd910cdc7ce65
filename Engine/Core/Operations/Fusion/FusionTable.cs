using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>What comes next behind a step that waits.</summary>
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

/// <summary>All fusions: what waits, what comes next, and the one step that both become. A pair without a row stays two passes.</summary>
static class FusionTable
{
    static WaitingStep? Row(WaitingStep waits, Next next) => (waits, next) switch
    {
        (WaitingProjection { IsPlain: true } p, Next.Neurons n) => p.With(n),
        (WaitingProjection { HasAffine: false, HasResidual: false, Activation: Activation.None } p, Next.Affine a) => p.With(a),
        (WaitingProjection { HasResidual: false, Activation: Activation.None } p, Next.Sum s) => p.With(s),
        (WaitingProjection { Activation: Activation.None } p, Next.Activate a) => p.With(a),
        (WaitingNormalization { HasResidual: false, Activation: Activation.None } n, Next.Sum s) => n.With(s),
        (WaitingNormalization { Activation: Activation.None } n, Next.Activate a) => n.With(a),
        _ => null,
    };

    /// <summary>The result of both, still waiting; null where z waits for nothing that <paramref name="next"/> could join.</summary>
    public static Tensor? Join(Tensor z, Next next)
    {
        // A view of another shape is not what the step computes.
        if (z.Storage.Waiting is not { } waits || waits.Shape != z.Shape || !waits.TryRetain()) return null;
        try
        {
            return waits.IsFree(z) ? Row(waits, next)?.Result() : null;
        }
        finally
        {
            waits.Release();
        }
    }

    /// <summary>act(z), or null.</summary>
    public static Tensor? Join(Tensor z, Activation activation) => activation == Activation.None ? null : Join(z, new Next.Activate(activation));

    /// <summary>a + b, or null. One of them is written in any case, so that the other may wait; a batch norm is the better one to wait, as it joins in training.</summary>
    public static Tensor? JoinSum(Tensor a, Tensor b)
    {
        if (a.Storage.Waiting is null && b.Storage.Waiting is null || a.Shape != b.Shape || a.Storage == b.Storage) return null;
        var second = b.Storage.Waiting is WaitingNormalization && a.Storage.Waiting is not WaitingNormalization;
        return second ? Join(b, new Next.Sum(a)) ?? Join(a, new Next.Sum(b)) : Join(a, new Next.Sum(b)) ?? Join(b, new Next.Sum(a));
    }
}
