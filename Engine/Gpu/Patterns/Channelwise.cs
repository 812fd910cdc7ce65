using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>An independent computation for each element of [rows, channels], with values that depend on its channel.</summary>
interface IChannelwise<TChannel, TValue> where TChannel : unmanaged where TValue : unmanaged
{
    /// <summary>The values that depend on the channel alone.</summary>
    /// <param name="channel">The column, counted from 0.</param>
    TChannel Of(int channel);

    TValue Compute(TChannel channel, int i);

    void Store(int i, TValue value);
}

/// <summary>
/// Runs <typeparamref name="TBody"/> for all elements. A thread stays in one channel and computes the channel's values once. It advances by whole rows, as many as
/// all threads cover together. As in <see cref="Pointwise{TBody, TValue}"/>, four elements are read before one is written.
/// </summary>
readonly struct Channelwise<TBody, TChannel, TValue>(TBody body, ChannelRows rows) : IKernel
    where TBody : struct, IChannelwise<TChannel, TValue>
    where TChannel : unmanaged
    where TValue : unmanaged
{
    public void Run()
    {
        var i = Grid.IdxX * IKernel.DefaultThreads + Group.IdxX;
        if (i >= rows.Stride) return;

        // The first element is handled before the loop, because ILGPU computes a number where it is first used, which must not be in the loop.
        var channel = body.Of(rows.Channels.Remainder(i));
        body.Store(i, body.Compute(channel, i));
        var stride = rows.Stride;
        for (i += stride; i < rows.Elements - 3 * stride; i += 4 * stride)
        {
            TValue v0 = body.Compute(channel, i), v1 = body.Compute(channel, i + stride), v2 = body.Compute(channel, i + 2 * stride), v3 = body.Compute(channel, i + 3 * stride);
            body.Store(i, v0);
            body.Store(i + stride, v1);
            body.Store(i + 2 * stride, v2);
            body.Store(i + 3 * stride, v3);
        }

        for (; i < rows.Elements; i += stride) body.Store(i, body.Compute(channel, i));
    }
}

/// <summary>The distribution of rows over threads: a thread takes elements at a fixed distance.</summary>
readonly struct ChannelRows
{
    // Enough threads to fill a large GPU, each with enough elements to outweigh the cost of its channel's values: one and twice four.
    const int Threads = 1 << 18, ElementsPerThread = 9;

    public ChannelRows(int rows, int channels)
    {
        Channels = new FastDivisor(channels);
        Elements = rows * channels;
        Stride = Math.Clamp((rows + ElementsPerThread - 1) / ElementsPerThread, 1, Math.Max(1, Threads / Math.Max(1, channels))) * channels;
    }

    public readonly FastDivisor Channels;

    /// <summary>The distance from a thread's element to its next one.</summary>
    public readonly int Elements, Stride;
}
