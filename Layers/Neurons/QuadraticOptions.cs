namespace QuadEngine.Layers;

/// <summary>How the columns of Q, the directions of one neuron, are kept orthonormal, like the eigenvectors that they represent.</summary>
public enum Basis
{
    /// <summary>They are not: Q is learned like any weight. This is the cheapest choice, and the neuron can still express every form of rank k.</summary>
    Free,

    /// <summary>Each Backward adds the gradient of <see cref="QuadraticOptions.Penalty"/> |Q^T Q - I|^2, which draws Q to an orthonormal matrix without forcing it: see <see cref="Constraint.Penalty"/>.</summary>
    Penalized,

    /// <summary>Q starts orthonormal, and after each step it is replaced by an orthonormal matrix (<see cref="Retraction"/>). See <see cref="Constraint.Retract"/>.</summary>
    Retracted,
}

/// <summary>How the columns of Q are made orthonormal again. Both ways leave a Q that is orthonormal already unchanged.</summary>
public enum Retraction
{
    /// <summary>The nearest orthonormal matrix, the polar factor, by a Newton-Schulz iteration of matrix products: for all neurons of a layer at once, on its device.</summary>
    NewtonSchulz,

    /// <summary>
    /// The first factor of Q = U R with a positive diagonal of R, as Gram-Schmidt gives it: the first column keeps its direction, and each later one loses its
    /// components along those before it. MathNet.Numerics computes it in double precision, on the host, one neuron at a time.
    /// </summary>
    Qr,
}

/// <summary>How quadratic neurons start and learn. Each property selects one of the stability techniques, or none.</summary>
public sealed record QuadraticOptions
{
    /// <summary>Whether s = 1/k, so that the quadratic part does not grow with the rank, as a sum of k squares does; otherwise s = 1.</summary>
    public bool Normalized { get; init; } = true;

    /// <summary>
    /// The standard deviation of the normal numbers that Lambda starts with. At 0 the network starts exactly linear and learns its quadratic
    /// terms one at a time, as they prove useful. A small deviation breaks the symmetry of a linear start.
    /// </summary>
    public float LambdaDeviation { get; init; }

    /// <summary>
    /// The factor for the learning rate of Lambda. With a small value, the linear part settles first. With a large value, the quadratic
    /// part learns faster. Published code uses 1e-4 to 10.
    /// </summary>
    public float LambdaLearningRate { get; init; } = 0.1f;

    /// <summary>
    /// The weight decay of Lambda, which draws the network to a linear one; null for the optimizer's. Decay of Q alone does not draw it there, because
    /// Q can shrink while Lambda grows.
    /// </summary>
    public float? LambdaWeightDecay { get; init; }

    /// <summary>
    /// Whether the gradient of y stops at f. Then f learns only as k linear neurons, so backward multiplies no gradient by an activation.
    /// Lambda learns as usual.
    /// </summary>
    public bool Detached { get; init; }

    /// <summary>Whether and how Q is kept orthonormal, so that Lambda alone sets the size of the quadratic part.</summary>
    public Basis Basis { get; init; } = Basis.Free;

    /// <summary>How Q is made orthonormal again if <see cref="Basis"/> is retracted.</summary>
    public Retraction Retraction { get; init; }

    /// <summary>The weight of |Q^T Q - I|^2 if <see cref="Basis"/> is penalized.</summary>
    public float Penalty { get; init; } = 1e-3f;

    /// <summary>
    /// Whether the output is [y, f]. The k values f that y needs are then channels too, so a neuron gives k + 1 channels for its cost.
    /// If false, it gives only y, and a layer of C channels has C neurons. A compressed full quadratic form needs that.
    /// </summary>
    public bool Vectorized { get; init; } = true;
}
