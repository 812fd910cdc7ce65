namespace QuadEngine.Layers;

/// <summary>
/// While one is open, modules called here are in inference whatever their own mode: batch norms use the running statistics, dropout passes its
/// input. The modules stay as they are, so other threads may train or serve the same network meanwhile. It flows as <see cref="NoGrad"/> does.
/// <code>
/// using (new EvaluationMode())
/// using (new NoGrad())
///     probabilities = network[images].Softmax();
/// </code>
/// </summary>
public readonly struct EvaluationMode : IDisposable
{
    readonly Link link;

    /// <summary>Inference until disposed.</summary>
    public EvaluationMode() => link = Ambient<EvaluationMode>.Open(new Link());

    /// <summary>Calls of modules are inference here.</summary>
    public static bool Active => Ambient<EvaluationMode>.Current is not null;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (link is not null) Ambient<EvaluationMode>.Close(link);
    }
}
