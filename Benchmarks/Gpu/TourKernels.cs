using ILGPU;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>Step 1: a thread computes one element. Each product reads two floats from memory: bound by the caches.</summary>
readonly struct NaiveProduct(ArrayView<float> a, ArrayView<float> b, ArrayView<float> y, int n) : IKernel
{
    public void Run()
    {
        int i = Grid.IdxX * IKernel.DefaultThreads + Group.IdxX, row = i / n, column = i - row * n;
        var sum = 0f;
        for (var k = 0; k < n; k++) sum += a[row * n + k] * b[k * n + column];
        y[i] = sum;
    }
}

/// <summary>Step 2: a group of 16 x 16 threads brings a tile of each operand to shared memory and reads it 16 times from there.</summary>
readonly struct SharedTileProduct(ArrayView<float> a, ArrayView<float> b, ArrayView<float> y, int n) : IKernel
{
    public const int Side = 16;

    public void Run()
    {
        var left = SharedMemory.Allocate<float>(Side * Side);
        var right = SharedMemory.Allocate<float>(Side * Side);
        int r = Group.IdxX / Side, c = Group.IdxX & (Side - 1), row = Grid.IdxY * Side + r, column = Grid.IdxX * Side + c;
        var sum = 0f;
        for (var k = 0; k < n; k += Side)
        {
            left[r * Side + c] = a[row * n + k + c];
            right[r * Side + c] = b[(k + r) * n + column];
            Group.Barrier();
            for (var p = 0; p < Side; p++) sum += left[r * Side + p] * right[p * Side + c];
            Group.Barrier();
        }

        y[row * n + column] = sum;
    }
}

/// <summary>
/// Step 3: a thread computes 4 x 4 elements in registers, so that 8 floats from shared memory give 16 products. The left tile is
/// stored transposed: a thread's four rows are then neighbours.
/// </summary>
readonly struct RegisterTileProduct(ArrayView<float> a, ArrayView<float> b, ArrayView<float> y, int n) : IKernel
{
    public const int Side = 64;
    const int Depth = 16, Own = 4;

    public void Run()
    {
        var left = SharedMemory.Allocate<float>(Depth * Side);
        var right = SharedMemory.Allocate<float>(Depth * Side);
        int r = Group.IdxX / 16 * Own, c = (Group.IdxX & 15) * Own, firstRow = Grid.IdxY * Side, firstColumn = Grid.IdxX * Side;
        var sums = new float[Own * Own];
        for (var i = 0; i < Own * Own; i++) sums[i] = 0f;
        for (var k = 0; k < n; k += Depth)
        {
            for (var i = Group.IdxX; i < Depth * Side; i += IKernel.DefaultThreads)
            {
                left[(i & (Depth - 1)) * Side + i / Depth] = a[(firstRow + i / Depth) * n + k + (i & (Depth - 1))];
                right[i] = b[(k + i / Side) * n + firstColumn + (i & (Side - 1))];
            }

            Group.Barrier();
            for (var p = 0; p < Depth; p++)
                for (var i = 0; i < Own; i++)
                    for (var j = 0; j < Own; j++)
                        sums[i * Own + j] += left[p * Side + r + i] * right[p * Side + c + j];
            Group.Barrier();
        }

        for (var i = 0; i < Own; i++)
            for (var j = 0; j < Own; j++)
                y[(firstRow + r + i) * n + firstColumn + c + j] = sums[i * Own + j];
    }
}
