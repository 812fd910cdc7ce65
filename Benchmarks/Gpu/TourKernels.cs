using ILGPU;
using ILGPU.Runtime.Cuda;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>Step 1: a thread computes one element. Each product reads two floats from memory, so the caches limit the speed.</summary>
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

/// <summary>Step 2: a group of 16 x 16 threads copies a tile of each operand to shared memory and reads it 16 times from there.</summary>
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
/// Step 3: a thread computes 4 x 4 elements in registers, so 8 floats from shared memory give 16 products. The left tile is
/// stored transposed, so that a thread's four rows are adjacent.
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

/// <summary>
/// Step 4: in one instruction, mma.sync, a warp adds 8 terms to each of 16 x 8 sums, with factors rounded to tf32. The operands are distributed over its 32 lanes.
/// With g = lane / 4 and t = lane mod 4, a lane gives rows g and g + 8 of the left operand at terms t and t + 4, and column g of
/// the right operand at the same terms. It has the sums of rows g and g + 8 at columns 2t and 2t + 1. There are eight warps, with 32 x 16 sums each.
/// </summary>
readonly struct TensorCoreProduct(ArrayView<float> a, ArrayView<float> b, ArrayView<float> y, int n) : IKernel
{
    public const int Side = 64;

    // Rows are a few floats longer than necessary, so that the lanes of a fragment read from 32 different banks.
    const int Depth = 16, LeftPitch = Depth + 4, RightPitch = Side + 8, Rows = 2, Columns = 2;

    public void Run()
    {
        var left = SharedMemory.Allocate<float>(Side * LeftPitch);
        var right = SharedMemory.Allocate<float>(Depth * RightPitch);
        int lane = Group.IdxX & 31, warp = Group.IdxX / 32, g = lane / 4, t = lane & 3;
        int row = warp / 4 * 32 + g, column = (warp & 3) * 16, firstRow = Grid.IdxY * Side, firstColumn = Grid.IdxX * Side;
        var sums = new float[4 * Rows * Columns];
        for (var i = 0; i < 4 * Rows * Columns; i++) sums[i] = 0f;
        for (var k = 0; k < n; k += Depth)
        {
            for (var i = Group.IdxX; i < Depth * Side; i += IKernel.DefaultThreads)
            {
                left[i / Depth * LeftPitch + (i & (Depth - 1))] = a[(firstRow + i / Depth) * n + k + (i & (Depth - 1))];
                right[i / Side * RightPitch + (i & (Side - 1))] = b[(k + i / Side) * n + firstColumn + (i & (Side - 1))];
            }

            Group.Barrier();
            for (var p = 0; p < Depth; p += 8)
                for (var i = 0; i < Rows; i++)
                    for (var j = 0; j < Columns; j++)
                        Multiply(left, right, row + 16 * i, column + 8 * j, p, sums, 4 * (Columns * i + j));
            Group.Barrier();
        }

        for (var i = 0; i < Rows; i++)
            for (var j = 0; j < Columns; j++)
                for (var s = 0; s < 4; s++)
                    y[(firstRow + row + 16 * i + s / 2 * 8) * n + firstColumn + column + 8 * j + 2 * t + (s & 1)] = sums[4 * (Columns * i + j) + s];
    }

    static void Multiply(ArrayView<float> left, ArrayView<float> right, int row, int column, int p, float[] sums, int at)
    {
        int lane = Group.IdxX & 31, g = lane / 4, t = lane & 3;
        if (CudaAsm.IsSupported)
        {
            int atLeft = row * LeftPitch + p + t, atRight = (p + t) * RightPitch + column + g;
            Input<int> a0 = Rounded(left[atLeft]), a1 = Rounded(left[atLeft + 8 * LeftPitch]), a2 = Rounded(left[atLeft + 4]), a3 = Rounded(left[atLeft + 8 * LeftPitch + 4]);
            Input<int> b0 = Rounded(right[atRight]), b1 = Rounded(right[atRight + 4 * RightPitch]);
            Ref<float> c0 = sums[at], c1 = sums[at + 1], c2 = sums[at + 2], c3 = sums[at + 3];
            CudaAsm.EmitRef("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};", ref c0, ref c1, ref c2, ref c3, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1);
            sums[at] = c0.Value;
            sums[at + 1] = c1.Value;
            sums[at + 2] = c2.Value;
            sums[at + 3] = c3.Value;
            return;
        }

        // On other devices: the same sums by multiply-adds of factors with the same rounding.
        for (var s = 0; s < 4; s++)
            for (var q = p; q < p + 8; q++)
                sums[at + s] += ToTf32(left[(row + s / 2 * 8) * LeftPitch + q]) * ToTf32(right[q * RightPitch + column + 2 * t + (s & 1)]);
    }

    static int Rounded(float x)
    {
        CudaAsm.Emit("cvt.rna.tf32.f32 %0, %1;", out int word, x);
        return word;
    }

    static float ToTf32(float x) => Interop.IntAsFloat((Interop.FloatAsInt(x) + 0x1000u) & ~0x1fffu);
}
