namespace QuadEngine;

/// <summary>
/// How quadratic neurons of rank k share the channels of a layer: neuron after neuron, [y, f_1..f_k, y, f_1..f_k, ...]. If
/// k + 1 does not divide the number of channels, the last neuron takes the remaining channels and has a smaller rank. With one remaining channel it is a plain
/// linear neuron. Example: 16 channels of rank 9 are a neuron of rank 9 and a neuron of rank 5.
/// </summary>
public readonly record struct NeuronLayout
{
    /// <summary>Lays neurons of the given rank over the channels.</summary>
    /// <param name="channels">The number of channels of the layer, 1 or more.</param>
    /// <param name="rank">The rank k, 0 or more. With rank 0 every neuron is a plain linear one.</param>
    /// <exception cref="ArgumentException">There is no channel, or the rank is negative.</exception>
    public NeuronLayout(int channels, int rank)
    {
        Check.That(channels > 0, nameof(NeuronLayout), $"the layer has {channels} channels; it needs at least 1.");
        Check.That(rank >= 0, nameof(NeuronLayout), $"the rank is {rank}; use 0 (linear) or more.");
        Channels = channels;
        Rank = rank;
    }

    /// <summary>The number of channels of the layer.</summary>
    public int Channels { get; }

    /// <summary>The rank k of all neurons; the last neuron may have a smaller one.</summary>
    public int Rank { get; }

    /// <summary>The number of channels of one neuron, k + 1.</summary>
    public int Stride => Rank + 1;

    /// <summary>The number of neurons.</summary>
    public int Neurons => (Channels + Rank) / Stride;

    /// <summary>The number of quadratic coefficients: one for every channel that is an f.</summary>
    public int Coefficients => Channels - Neurons;

    /// <summary>The rank of a neuron: k, or less for the last neuron.</summary>
    /// <param name="neuron">The index of the neuron, from 0 to <see cref="Neurons"/> - 1.</param>
    public int RankOf(int neuron) => Math.Min(Stride, Channels - neuron * Stride) - 1;

    /// <summary>The factor s of a neuron: 1/rank if normalized, otherwise 1.</summary>
    /// <param name="neuron">The index of the neuron, from 0 to <see cref="Neurons"/> - 1.</param>
    /// <param name="normalized">Whether s is 1/rank, which keeps y in bounds at any rank.</param>
    public float ScaleOf(int neuron, bool normalized) => normalized ? 1f / Math.Max(1, RankOf(neuron)) : 1f;

    /// <summary>The channel of the f that coefficient i multiplies. Coefficients are counted over all neurons.</summary>
    /// <param name="coefficient">The index i, from 0 to <see cref="Coefficients"/> - 1.</param>
    public int ChannelOf(int coefficient) => coefficient / Rank * Stride + coefficient % Rank + 1;
}
