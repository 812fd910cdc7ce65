using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>An independent computation for each index: compute something from memory, then store it.</summary>
interface IPointwise<TValue> where TValue : unmanaged
{
    TValue Compute(int i);

    void Store(int i, TValue value);
}

/// <summary>Two numbers that are computed or summed together.</summary>
readonly struct Pair(float a, float b)
{
    public readonly float A = a;

    public readonly float B = b;
}

/// <summary>
/// Runs <typeparamref name="TBody"/> for the indices 0..n-1. Memory limits the speed. A thread takes four indices, a group's width apart,
/// and reads all four before it writes, because the compiler may not move a load across a store that could alias it.
/// </summary>
readonly struct Pointwise<TBody, TValue>(TBody body, int n) : IKernel
    where TBody : struct, IPointwise<TValue>
    where TValue : unmanaged
{
    public const int PerGroup = 4 * IKernel.DefaultThreads;

    public void Run()
    {
        const int step = IKernel.DefaultThreads;
        var i = Grid.IdxX * PerGroup + Group.IdxX;
        if (i + 3 * step < n)
        {
            TValue v0 = body.Compute(i), v1 = body.Compute(i + step), v2 = body.Compute(i + 2 * step), v3 = body.Compute(i + 3 * step);
            body.Store(i, v0);
            body.Store(i + step, v1);
            body.Store(i + 2 * step, v2);
            body.Store(i + 3 * step, v3);
            return;
        }

        for (; i < n; i += step) body.Store(i, body.Compute(i));
    }
}
