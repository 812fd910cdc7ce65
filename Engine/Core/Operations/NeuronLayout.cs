namespace QuadEngine;

/// <summary>
/// How quadratic neurons of rank k share the channels of a layer: neuron after neuron, [y, f_1..f_k, y, f_1..f_k, ...]. Where
/// k + 1 does not divide the channels, the last neuron takes those that remain with a smaller rank, down to a plain linear
/// neuron: 16 channels of rank 9 are neurons of rank 9 and 5.
/// </summary>
public readonly record struct NeuronLayout
{
    /// <summary>Lays neurons of the given rank over the channels.</summary>
    /// <param name="channels">Of the layer, 1 or more.</param>
    /// <param name="rank">k, 0 or more; at 0 every neuron is a plain linear one.</param>
    /// <exception cref="ArgumentException">Fewer than 1 channel, or a negative rank.</exception>
    public NeuronLayout(int channels, int rank)
    {
        Check.That(channels > 0, nameof(NeuronLayout), $"the layer has {channels} channels; it needs at least 1.");
        Check.That(rank >= 0, nameof(NeuronLayout), $"the rank is {rank}; use 0 (linear) or more.");
        Channels = channels;
        Rank = rank;
    }

    /// <summary>Channels of the layer.</summary>
    public int Channels { get; }

    /// <summary>k, the rank of all neurons but perhaps the last.</summary>
    public int Rank { get; }

    /// <summary>Channels of one neuron, k + 1.</summary>
    public int Stride => Rank + 1;

    /// <summary>Number of neurons.</summary>
    public int Neurons => (Channels + Rank) / Stride;

    /// <summary>Number of quadratic coefficients: one for every channel that is an f.</summary>
    public int Coefficients => Channels - Neurons;

    /// <summary>The rank of a neuron: k, or less for the last.</summary>
    /// <param name="neuron">Counted from 0, below <see cref="Neurons"/>.</param>
    public int RankOf(int neuron) => Math.Min(Stride, Channels - neuron * Stride) - 1;

    /// <summary>s of a neuron: 1/rank where normalized, else 1.</summary>
    /// <param name="neuron">Counted from 0, below <see cref="Neurons"/>.</param>
    /// <param name="normalized">Keeps y in bounds at any rank.</param>
    public float ScaleOf(int neuron, bool normalized) => normalized ? 1f / Math.Max(1, RankOf(neuron)) : 1f;

    /// <summary>The channel of coefficient i, counted over all neurons: the f that it multiplies.</summary>
    /// <param name="coefficient">i, from 0 to <see cref="Coefficients"/> - 1.</param>
    public int ChannelOf(int coefficient) => coefficient / Rank * Stride + coefficient % Rank + 1;
}
