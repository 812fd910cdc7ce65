namespace QuadEngine.Layers;

/// <summary>A neuron that a run can select by name. To add your own, derive from this class: see <see cref="Neurons.Registry"/>.</summary>
/// <param name="name">See <see cref="Entry.Name"/>.</param>
/// <param name="help">See <see cref="Entry.Help"/>.</param>
public abstract class NeuronEntry(string name, string help) : Entry(name, help)
{
    /// <summary>Makes the neuron.</summary>
    /// <param name="options">The values of <see cref="Entry.Options"/>.</param>
    public abstract Neuron Make(Selection options);
}

/// <summary>All kinds of neurons: each by a method or property, and all by name.</summary>
public static class Neurons
{
    /// <summary>The engine's neurons, and those that were added.</summary>
    public static Registry<NeuronEntry> Registry { get; } = new("neuron",
        new LinearEntry(), new QuadraticEntry(), new FullQuadraticEntry(), new LowRankQuadraticEntry(), new FanEntry(), new QResEntry(), new QuadraEntry(), new KervolutionEntry());

    /// <summary>The names of the neurons.</summary>
    public static IReadOnlyList<string> Names => Registry.Names;

    /// <summary>w x + b.</summary>
    public static Neuron Linear { get; } = new LinearNeuron();

    /// <summary>The efficient quadratic neuron of rank k (Chen et al. 2023): [w x + b + s sum_i lambda_i f_i^2, f] with f = Q^T x.</summary>
    /// <param name="rank">The rank k, 0 (linear) or more.</param>
    /// <param name="options">How the neuron starts and learns; null for the defaults.</param>
    public static Neuron Quadratic(int rank = 3, QuadraticOptions? options = null) => new QuadraticNeuronKind(rank, options ?? new QuadraticOptions());

    /// <summary>x^T M x + w x + b, M symmetric: n(n + 1)/2 + n parameters per neuron, for narrow layers.</summary>
    /// <param name="learningRate">The factor for the learning rate of M, which needs smaller steps than w.</param>
    public static Neuron FullQuadratic(float learningRate = 0.01f) => new FullQuadraticNeuron(learningRate);

    /// <summary>(Q1 x) . (Q2 x) + w x + b, of rank k.</summary>
    /// <param name="rank">The rank k, 1 or more.</param>
    public static Neuron LowRankQuadratic(int rank = 3) => new LowRankQuadraticNeuron(rank);

    /// <summary>(w1 x + b1)(w2 x + b2) + w3 (x*x) + c (Fan et al. 2018), with the ReLinear start.</summary>
    /// <param name="learningRate">The factor for the learning rate of w2, b2, w3 and c.</param>
    public static Neuron Fan(float learningRate = 1e-4f) => new FanNeuron(learningRate);

    /// <summary>(w1 x)(w2 x) + w1 x + b (Bu and Karpatne 2021).</summary>
    public static Neuron QRes { get; } = new QResNeuron();

    /// <summary>(w1 x)(w2 x) + w3 x (Xu et al. 2022).</summary>
    /// <param name="normalized">Whether a batch norm follows each of the three projections, as in the published code.</param>
    public static Neuron QuadraNN(bool normalized = true) => new QuadraNeuron(normalized);

    /// <summary>(w x + c)^p (Wang et al. 2019).</summary>
    /// <param name="power">The power p, 1 or more.</param>
    /// <param name="offset">The offset c, which is not learned.</param>
    public static Neuron Kervolution(int power = 2, float offset = 0.5f) => new KervolutionNeuron(power, offset);

    /// <summary>Returns a neuron by its name, as configurations and the tool name it.</summary>
    /// <param name="neuron">One of <see cref="Names"/>, and values of its options.</param>
    /// <exception cref="ArgumentException">There is no such neuron, it has no such option, or a value is not possible; the message says which are.</exception>
    public static Neuron Get(Selection neuron) => Registry.Get(neuron).Make(Registry.Complete(neuron));
}
