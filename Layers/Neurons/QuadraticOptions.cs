namespace QuadEngine.Layers;

/// <summary>What keeps the columns of Q, the directions of one neuron, orthonormal, as the eigenvectors that they stand for are.</summary>
public enum Basis
{
    /// <summary>Nothing: Q is learned as any weight. The cheapest, and the neuron can still express every rank-k form.</summary>
    Free,

    /// <summary>Each Backward adds the gradient of <see cref="QuadraticOptions.Penalty"/> |Q^T Q - I|^2, which draws Q there without forcing it: <see cref="Constraint.Penalty"/>.</summary>
    Penalized,

    /// <summary>Q starts orthonormal and is put back to the nearest orthonormal matrix after each step. See <see cref="Constraint.Retract"/>.</summary>
    Retracted,
}

/// <summary>How a Q is put back to orthonormal columns. Both leave one that is orthonormal already as it is.</summary>
public enum Retraction
{
    /// <summary>The nearest orthonormal matrix, the polar factor, by a Newton-Schulz iteration of matrix products: all neurons of a layer at once, on its device.</summary>
    NewtonSchulz,

    /// <summary>
    /// The first factor of Q = U R with a positive diagonal of R (Gram-Schmidt in effect): the first direction keeps its direction, each later one loses what it
    /// shares with those before. By MathNet.Numerics, in double precision, on the host, a neuron at a time.
    /// </summary>
    Qr,
}

/// <summary>How quadratic neurons start and learn. Each property is one of the stability techniques, or its absence.</summary>
public sealed record QuadraticOptions
{
    /// <summary>s = 1/k, so that the quadratic part does not grow with the rank (a sum of k squares does); else s = 1.</summary>
    public bool Normalized { get; init; } = true;

    /// <summary>
    /// Deviation of the normal numbers that Lambda starts with. At 0 the network starts exactly linear and meets its quadratic
    /// terms one at a time, as they prove useful; a small deviation breaks the symmetry of a plain linear start.
    /// </summary>
    public float LambdaDeviation { get; init; }

    /// <summary>
    /// Multiplies the learning rate of Lambda. Small values let the linear part settle first; large ones train the quadratic
    /// part harder. Published code spans 1e-4 to 10.
    /// </summary>
    public float LambdaLearningRate { get; init; } = 0.1f;

    /// <summary>
    /// Weight decay of Lambda, which draws the network towards a linear one; null for the optimizer's. Decay on Q alone does not:
    /// Q can shrink while Lambda grows.
    /// </summary>
    public float? LambdaWeightDecay { get; init; }

    /// <summary>
    /// The gradient of y does not pass through f: f learns only as k linear neurons, so no gradient is multiplied by an activation
    /// on its way back. Lambda learns as before.
    /// </summary>
    public bool Detached { get; init; }

    /// <summary>Keeps Q orthonormal, so that Lambda alone carries the size of the quadratic part; or leaves it free.</summary>
    public Basis Basis { get; init; } = Basis.Free;

    /// <summary>The way back to orthonormal where <see cref="Basis"/> is retracted.</summary>
    public Retraction Retraction { get; init; }

    /// <summary>Weight of |Q^T Q - I|^2 where <see cref="Basis"/> is penalized.</summary>
    public float Penalty { get; init; } = 1e-3f;

    /// <summary>
    /// Output [y, f]: the k values computed on the way are channels too, so that a neuron gives k + 1 of them for its cost.
    /// Off, it gives y alone and a layer of C channels has C neurons: what a compressed full quadratic form needs.
    /// </summary>
    public bool Vectorized { get; init; } = true;
}
