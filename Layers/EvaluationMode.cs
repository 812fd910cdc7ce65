namespace QuadEngine.Layers;

/// <summary>
/// While one is open, modules called here are in inference, whatever their own mode is: batch norms use the running statistics, and dropout passes its
/// input on. The modules do not change, so other threads may train or serve the same network at the same time. It flows as <see cref="NoGrad"/> does.
/// <code>
/// using (new EvaluationMode())
/// using (new NoGrad())
///     probabilities = network[images].Softmax();
/// </code>
/// </summary>
public readonly struct EvaluationMode : IDisposable
{
    readonly Link link;

    /// <summary>Switches to inference until it is disposed.</summary>
    public EvaluationMode() => link = Ambient<EvaluationMode>.Open(new Link());

    /// <summary>Whether calls of modules are in inference here.</summary>
    public static bool Active => Ambient<EvaluationMode>.Current is not null;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (link is not null) Ambient<EvaluationMode>.Close(link);
    }
}
