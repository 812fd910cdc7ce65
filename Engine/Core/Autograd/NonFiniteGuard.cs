namespace QuadEngine;

/// <summary>A NaN or an infinity appeared; says in which operation of which module, in its output or in its gradient.</summary>
/// <param name="where">Module path and operation.</param>
/// <param name="what">"output" or "gradient".</param>
public sealed class NonFiniteException(string where, string what) : ArithmeticException($"{where}: the {what} is not finite (it holds NaN or infinity).")
{
    /// <summary>The module path and operation, e.g. "layer1.0.conv1: Conv2d".</summary>
    public string Where { get; } = where;

    /// <summary>"output" or "gradient".</summary>
    public string What { get; } = what;
}

/// <summary>
/// While one is open, the output of every operation and every gradient of the tape is checked, and the first that is not finite throws
/// <see cref="NonFiniteException"/>. It reads every value, so it is for finding a fault, not for every step. It flows as <see cref="NoGrad"/> does.
/// </summary>
public readonly struct NonFiniteGuard : IDisposable
{
    readonly Link link;

    /// <summary>Checks until disposed.</summary>
    public NonFiniteGuard() => link = Ambient<NonFiniteGuard>.Open(new Link());

    /// <summary>Checks are on here.</summary>
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
