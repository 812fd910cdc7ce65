namespace QuadEngine.Operations;

/// <summary>
/// All fusions of backwards: that of an operation, that of the operation that gives its first input, and the one backward of both. Then the gradient
/// in between is never written. A pair without a row stays two passes; so does one whose gradient in between others add to, or want to see. Bits are those
/// of two passes on the CPU; the compiler of another device may round a product and a sum together that have become neighbours.
/// </summary>
static class BackwardTable
{
    static BackwardFunction? Row(object? last, object? first) => (last, first) switch
    {
        (BatchNormBackward norm, QuadraticBackward neurons) => (norm with { Neurons = neurons }).Run,
        _ => null,
    };

    /// <summary>The entry whose backward runs next, with the one before it where both are one pass.</summary>
    public static Node Join(Node last) =>
        !NonFiniteGuard.Active && last.Inputs is [{ HasOneReader: true } first, ..] && Row(last.Operation, first.Operation) is { } both ? new Node(last, first, both) : last;
}
