namespace QuadEngine;

/// <summary>A NaN or an infinity appeared. The exception names the module and the operation, and says whether the output or the gradient is not finite.</summary>
/// <param name="where">The module path and the operation.</param>
/// <param name="what">"output" or "gradient".</param>
public sealed class NonFiniteException(string where, string what) : ArithmeticException($"{where}: the {what} is not finite (it holds NaN or infinity).")
{
    /// <summary>The module path and operation, e.g. "layer1.0.conv1: Conv2d".</summary>
    public string Where { get; } = where;

    /// <summary>"output" or "gradient".</summary>
    public string What { get; } = what;
}

/// <summary>
/// While a guard is open, it checks the output of every operation and every gradient of the tape. The first value that is not finite throws
/// <see cref="NonFiniteException"/>. The guard reads every value, so use it to find a fault, not in every step. It flows as <see cref="NoGrad"/> does.
/// </summary>
public readonly struct NonFiniteGuard : IDisposable
{
    readonly Link link;

    /// <summary>Checks until disposed.</summary>
    public NonFiniteGuard() => link = Ambient<NonFiniteGuard>.Open(new Link());

    /// <summary>Whether checks are on here.</summary>
    public static bool Active => Ambient<NonFiniteGuard>.Current is not null;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (link is not null) Ambient<NonFiniteGuard>.Close(link);
    }

    internal static void CheckOutput(string operation, Tensor output)
    {
        if (Active && !output.IsFinite())
            throw new NonFiniteException(TensorScope.CurrentPath.Length == 0 ? operation : $"{TensorScope.CurrentPath}: {operation}", "output");
    }

    internal static void CheckGradient(Node node, Tensor gradient)
    {
        if (Active && !gradient.IsFinite()) throw new NonFiniteException(node.Description, "gradient");
    }
}
