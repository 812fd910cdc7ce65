namespace QuadEngine;

/// <summary>Parameters that are updated with the same settings.</summary>
/// <param name="Name">The name for messages and telemetry, e.g. "weights", "lambda".</param>
/// <param name="Parameters">The parameters.</param>
public sealed record ParameterGroup(string Name, IReadOnlyList<Parameter> Parameters)
{
    /// <summary>The factor for the optimizer's learning rate.</summary>
    public float LearningRateMultiplier { get; init; } = 1f;

    /// <summary>The weight decay of this group; null for the optimizer's.</summary>
    public float? WeightDecay { get; init; }
}
