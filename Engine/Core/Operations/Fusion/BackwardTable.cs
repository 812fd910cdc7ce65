namespace QuadEngine.Operations;

/// <summary>
/// All fusions of backwards: the backward of an operation, the backward of the operation that computed its first input, and the one backward of both. The gradient
/// between them is then never written, or not read a second time. A pair without a row stays two passes. A pair also stays two passes if others add to the gradient between them, or
/// read it. On the CPU the result has the same bits as two passes; the compiler of another device may fuse a product and a sum that have become adjacent, with one rounding.
/// </summary>
static class BackwardTable
{
    static BackwardFunction? Row(object? last, object? first, Device device) => (last, first) switch
    {
        (BatchNormBackward { Neurons: null } norm, QuadraticBackward neurons) => (norm with { Neurons = neurons }).Run,
        (Conv2dBackward { Norm: null } conv, BatchNormBackward { Settings.BatchStatistics: true, HasResidual: false } norm) when conv.NormalizesOn(device) => (conv with { Norm = norm }).Run,
        (Conv2dBackward { Norm: { Neurons: null } norm } conv, QuadraticBackward neurons) => (conv with { Norm = norm with { Neurons = neurons } }).Run,
        _ => null,
    };

    /// <summary>The entry whose backward runs next. It includes the entries before it that join.</summary>
    public static Node Join(Node last, Device device)
    {
        while (!NonFiniteGuard.Active && last.Inputs is [{ HasOneReader: true } first, ..] && Row(last.Operation, first.Operation, device) is { } both) last = new Node(last, first, both);
        return last;
    }
}
