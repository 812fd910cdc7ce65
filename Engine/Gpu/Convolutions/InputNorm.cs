using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>Says, as a type, whether a convolution normalizes its input.</summary>
interface IInputUse
{
    static abstract bool Normalizes { get; }
}

readonly struct AsItIs : IInputUse
{
    public static bool Normalizes => false;
}

readonly struct Normalized : IInputUse
{
    public static bool Normalizes => true;
}

/// <summary>act((x - mean) scale + beta) by channel, with scale = gamma / sqrt(variance + epsilon): the batch norm before a convolution. It gives the same bits as the batch norm's own kernel.</summary>
readonly struct InputNorm
{
    /// <summary>The largest number of channels whose values a kernel keeps in shared memory.</summary>
    public const int MostChannels = 512;

    readonly ChannelNorm norm;
    readonly Activation activation;

    /// <param name="x">The input of the norm; it is the placeholder for absent arguments.</param>
    /// <param name="term">The norm, or null.</param>
    public InputNorm(Operand x, NormTerm<Operand>? term)
    {
        norm = term is null ? new ChannelNorm(x.View()) : new ChannelNorm(term);
        activation = term?.Activation ?? Activation.None;
    }

    /// <summary>The gradient before the activation, from the gradient of the result.</summary>
    /// <param name="dy">An element of the gradient of the result.</param>
    /// <param name="y">The element of the result.</param>
    public float Backward(float dy, float y) => activation.Backward(dy, y);

    /// <summary>The number of floats of shared memory that the values of the given channels take.</summary>
    public static int Floats(int channels) => 3 * channels;

    /// <summary>
    /// Computes mean, scale and beta of channels and stores them as three rows of shared memory, because ILGPU would compute them again for each pixel. A barrier
    /// must come between this and <see cref="Apply"/>.
    /// </summary>
    /// <param name="first">The first channel.</param>
    /// <param name="count">The number of channels.</param>
    /// <param name="pitch">Floats from row to row.</param>
    /// <param name="shared">The three rows.</param>
    public void WorkOut(int first, int count, int pitch, ArrayView<float> shared)
    {
        for (var i = Group.IdxX; i < count; i += Group.DimX)
        {
            var channel = norm.Of(first + i);
            shared[i] = channel.Mean;
            shared[pitch + i] = channel.Scale;
            shared[2 * pitch + i] = channel.Beta;
        }
    }

    /// <summary>Normalizes four channels of a pixel, or gives zeros if the pixel lies outside the image.</summary>
    /// <param name="channels">The first of the four channels in shared memory.</param>
    /// <param name="pitch">Floats from row to row.</param>
    /// <param name="inside">Whether the pixel lies in the image.</param>
    /// <param name="values">The thread's values, updated in place.</param>
    /// <param name="at">The first of the four values.</param>
    public void Apply(ArrayView<Quad> channels, int pitch, bool inside, float[] values, int at)
    {
        Quad mean = channels[0], scale = channels[pitch / 4], beta = channels[pitch / 2];
        values[at] = Of(mean.X, scale.X, beta.X, inside, values[at]);
        values[at + 1] = Of(mean.Y, scale.Y, beta.Y, inside, values[at + 1]);
        values[at + 2] = Of(mean.Z, scale.Z, beta.Z, inside, values[at + 2]);
        values[at + 3] = Of(mean.W, scale.W, beta.W, inside, values[at + 3]);
    }

    float Of(float mean, float scale, float beta, bool inside, float x)
    {
        var y = activation.F(new NormOfChannel(mean, scale, beta).Apply(x));
        return inside ? y : 0f;
    }
}
