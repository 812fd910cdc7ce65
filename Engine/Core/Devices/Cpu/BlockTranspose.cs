using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace QuadEngine.Devices.Cpu;

/// <summary>The transpose of a small matrix, from which larger ones are made.</summary>
static unsafe class BlockTranspose
{
    /// <summary>The largest number of rows and columns: 16 cache lines on both sides.</summary>
    public const int Size = 16;

    // The floats that a prefetch is ahead of the reads.
    const int Ahead = 4 * Size;

    /// <summary>y[j, i] = x[i, j]. It goes through a buffer, because rows whose distance is a power of two would evict one another from the L1 cache before they are whole.</summary>
    /// <param name="x">[rows, columns], rows <paramref name="xStep"/> floats apart.</param>
    /// <param name="xStep">Floats from a row of x to the next.</param>
    /// <param name="y">[columns, rows], rows <paramref name="yStep"/> floats apart.</param>
    /// <param name="yStep">Floats from a row of y to the next.</param>
    /// <param name="rows">Rows of x, at most <see cref="Size"/>.</param>
    /// <param name="columns">Columns of x, at most <see cref="Size"/>.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* x, nint xStep, float* y, nint yStep, nint rows, nint columns)
    {
        var buffer = stackalloc float[Size * Size];
        nint i = 0, whole = columns & -4;
        for (; i <= rows - 4; i += 4, x += 4 * xStep)
        {
            for (nint j = 0; j < whole; j += 4)
                Four(Vector128.Load(x + j), Vector128.Load(x + xStep + j), Vector128.Load(x + 2 * xStep + j), Vector128.Load(x + 3 * xStep + j), buffer + j * Size + i);
            for (var j = whole; j < columns; j++)
                for (var row = 0; row < 4; row++) buffer[j * Size + i + row] = x[row * xStep + j];
        }

        for (; i < rows; i++, x += xStep)
            for (nint j = 0; j < columns; j++) buffer[j * Size + i] = x[j];

        for (nint j = 0; j < columns; j++, y += yStep)
            new ReadOnlySpan<float>(buffer + j * Size, (int)rows).CopyTo(new Span<float>(y, (int)rows));
    }

    /// <summary>y[j, i] = x[i, j] of a matrix of any size, block by block.</summary>
    /// <inheritdoc cref="Run" path="/param"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Large(float* x, nint xStep, float* y, nint yStep, nint rows, nint columns)
    {
        for (nint i = 0; i < rows; i += Size)
            for (nint j = 0; j < columns; j += Size)
            {
                if (j + Ahead < columns)
                    for (nint row = i; row < Math.Min(i + Size, rows); row++) CacheLines.Prefetch(x + row * xStep + j + Ahead, 1);
                Run(x + i * xStep + j, xStep, y + j * yStep + i, yStep, Math.Min(Size, rows - i), Math.Min(Size, columns - j));
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Four(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d, float* y)
    {
        if (Sse.IsSupported)
        {
            Vector128<float> abLow = Sse.UnpackLow(a, b), cdLow = Sse.UnpackLow(c, d), abHigh = Sse.UnpackHigh(a, b), cdHigh = Sse.UnpackHigh(c, d);
            Sse.MoveLowToHigh(abLow, cdLow).Store(y);
            Sse.MoveHighToLow(cdLow, abLow).Store(y + Size);
            Sse.MoveLowToHigh(abHigh, cdHigh).Store(y + 2 * Size);
            Sse.MoveHighToLow(cdHigh, abHigh).Store(y + 3 * Size);
        }
        else if (AdvSimd.Arm64.IsSupported)
        {
            Vector128<float> ac = AdvSimd.Arm64.ZipLow(a, c), bd = AdvSimd.Arm64.ZipLow(b, d), acHigh = AdvSimd.Arm64.ZipHigh(a, c), bdHigh = AdvSimd.Arm64.ZipHigh(b, d);
            AdvSimd.Arm64.ZipLow(ac, bd).Store(y);
            AdvSimd.Arm64.ZipHigh(ac, bd).Store(y + Size);
            AdvSimd.Arm64.ZipLow(acHigh, bdHigh).Store(y + 2 * Size);
            AdvSimd.Arm64.ZipHigh(acHigh, bdHigh).Store(y + 3 * Size);
        }
        else
        {
            for (var j = 0; j < 4; j++) Vector128.Create(a[j], b[j], c[j], d[j]).Store(y + j * Size);
        }
    }
}
