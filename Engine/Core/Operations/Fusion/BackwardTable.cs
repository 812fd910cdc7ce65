namespace QuadEngine.Operations;

/// <summary>
/// All fusions of backwards: that of an operation, that of the operation that gives its first input, and the one backward of both. Then the gradient
/// in between is never written, or not read a second time. A pair without a row stays two passes; so does one whose gradient in between others add to, or
/// want to see. Bits are those of two passes on the CPU; the compiler of another device may round a product and a sum together that have become neighbours.
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

    /// <summary>The entry whose backward runs next, with those before it that join.</summary>
    public static Node Join(Node last, Device device)
    {
        while (!NonFiniteGuard.Active && last.Inputs is [{ HasOneReader: true } first, ..] && Row(last.Operation, first.Operation, device) is { } both) last = new Node(last, first, both);
        return last;
    }
}
