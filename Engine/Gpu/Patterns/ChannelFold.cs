using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>An independent computation for each element of [rows, channels], as in <see cref="IChannelwise{TChannel, TValue}"/>, which also gives a fold over the rows for each channel.</summary>
interface IChannelFold<TChannel, TValue, T> : IChannelwise<TChannel, TValue>, ICombine<T>
    where TChannel : unmanaged
    where TValue : unmanaged
    where T : unmanaged
{
    /// <summary>The term of an element in the fold.</summary>
    /// <param name="value">The value of the element, from <see cref="IChannelwise{TChannel, TValue}.Compute"/>.</param>
    T Term(TValue value);

    void StoreTotal(int channel, T total);
}

/// <summary>
/// Runs <typeparamref name="TBody"/> for all elements and folds them, in one launch and in the order of <see cref="FoldColumns{TFold, T}"/>. A thread
/// stays in one channel and computes the channel's values once. Four elements are read before one is written.
/// </summary>
readonly struct FoldChannels<TBody, TChannel, TValue, T>(TBody body, ColumnTotals<T> totals, FoldShape shape) : IKernel
    where TBody : struct, IChannelFold<TChannel, TValue, T>
    where TChannel : unmanaged
    where TValue : unmanaged
    where T : unmanaged
{
    public void Run()
    {
        int first = Grid.IdxY * shape.RowsPerChunk + shape.Row, end = Math.Min(shape.N, (Grid.IdxY + 1) * shape.RowsPerChunk), column = shape.Column;
        var total = TBody.Identity;
        if (column < shape.Columns && first < end)
        {
            // The first element is handled before the loop, because ILGPU computes a number where it is first used, which must not be in the loop.
            var channel = body.Of(column);
            int i = first * shape.Columns + column, stride = shape.RowLanes * shape.Columns;
            var value = body.Compute(channel, i);
            body.Store(i, value);
            total = TBody.Combine(total, body.Term(value));
            end *= shape.Columns;
            for (i += stride; i < end - 3 * stride; i += 4 * stride)
            {
                TValue v0 = body.Compute(channel, i), v1 = body.Compute(channel, i + stride), v2 = body.Compute(channel, i + 2 * stride), v3 = body.Compute(channel, i + 3 * stride);
                body.Store(i, v0);
                body.Store(i + stride, v1);
                body.Store(i + 2 * stride, v2);
                body.Store(i + 3 * stride, v3);
                total = TBody.Combine(TBody.Combine(TBody.Combine(TBody.Combine(total, body.Term(v0)), body.Term(v1)), body.Term(v2)), body.Term(v3));
            }

            for (; i < end; i += stride)
            {
                value = body.Compute(channel, i);
                body.Store(i, value);
                total = TBody.Combine(total, body.Term(value));
            }
        }

        if (totals.Complete<TBody>(shape, ref total)) body.StoreTotal(column, total);
    }
}
