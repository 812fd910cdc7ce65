namespace QuadEngine;

/// <summary>Parameters that are updated alike.</summary>
/// <param name="Name">For messages and telemetry, e.g. "weights", "lambda".</param>
/// <param name="Parameters">The parameters.</param>
public sealed record ParameterGroup(string Name, IReadOnlyList<Parameter> Parameters)
{
    /// <summary>Multiplies the optimizer's learning rate.</summary>
    public float LearningRateMultiplier { get; init; } = 1f;

    /// <summary>Weight decay of this group; null for the optimizer's.</summary>
    public float? WeightDecay { get; init; }
}
