using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray 2016, section 4.1): a 2x2 block of outputs from a 4x4 block of inputs d and
/// a 3x3 filter g with 16 multiplications for each pair of channels, where the plain sum has 36:
///   Y = A^T [ (G g G^T) * (B^T d B) ] A
///   B^T = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1],  G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1],  A^T = [1 1 1 0; 0 1 -1 -1]
/// The product stands for 16 matrix products over the channels, one for each position p of the 4x4 block. The gradients are its transposes:
///   dd by the same with the filter turned round;   dg = G^T [ sum over blocks of (B^T d B) (A dY A^T) ] G
/// </summary>
/// <remarks>All transforms are sums and halves, so the result differs from the plain sum by a few roundings of float32.</remarks>
static unsafe class WinogradTransforms
{
    /// <summary>Positions of a transformed block.</summary>
    public const int Positions = 16;

    /// <summary>
    /// Elements from a position to the next in a buffer of so many tiles. A cache line more than the tiles take: a transform touches all positions of
    /// a tile at once, and at a power of two they would all fall into one set of the nearest cache.
    /// </summary>
    public static nint PositionStep(int tiles, int channels) => (nint)tiles * channels + 16;

    /// <summary>Where it is worth it: 3x3 windows of step 1, and enough channels for the products to outweigh the transforms.</summary>
    public static bool Suits(ConvGeometry geometry) => geometry is { Groups: 1, Window: { Height: 3, Width: 3, Stride: 1, Dilation: 1, Padding: <= 2 } }
        && geometry.InChannels % Block == 0 && geometry.OutChannels % Block == 0 && Math.Min(geometry.InChannels, geometry.OutChannels) >= MinChannels;

    // Whole register tiles only.
    const int Block = 16;

    const int MinChannels = 16;
}

/// <summary>u[p, i] = (G g G^T)_p for each pair of channels i; <paramref name="turned"/> takes the filter turned by half a turn.</summary>
/// <param name="g">[3, 3, pairs]</param>
/// <param name="u">[16, pairs]</param>
/// <param name="pairs">Pairs of an input and an output channel.</param>
/// <param name="turned">For the input gradient.</param>
readonly unsafe struct FilterTransform(float* g, float* u, nint pairs, bool turned) : IChannelPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(int from, int to) where T : struct, IRegister<T>
    {
        for (var i = from; i < to; i += T.Count)
        {
            Column(0, i, out T a0, out T a1, out T a2, out T a3);
            Column(1, i, out T b0, out T b1, out T b2, out T b3);
            Column(2, i, out T c0, out T c1, out T c2, out T c3);
            Row(0, i, a0, b0, c0);
            Row(4, i, a1, b1, c1);
            Row(8, i, a2, b2, c2);
            Row(12, i, a3, b3, c3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Column<T>(int column, int i, out T r0, out T r1, out T r2, out T r3) where T : struct, IRegister<T>
    {
        r0 = Tap<T>(column, i);
        r3 = Tap<T>(6 + column, i);
        Halves(r0, Tap<T>(3 + column, i), r3, out r1, out r2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Row<T>(int position, int i, T a, T b, T c) where T : struct, IRegister<T>
    {
        Halves(a, b, c, out T sum, out T difference);
        float* target = u + position * pairs + i;
        a.Store(target);
        sum.Store(target + pairs);
        difference.Store(target + 2 * pairs);
        c.Store(target + 3 * pairs);
    }

    // (a + b + c) / 2 and (a - b + c) / 2.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Halves<T>(T a, T b, T c, out T sum, out T difference) where T : struct, IRegister<T>
    {
        T half = T.Broadcast(0.5f), outer = (a + c) * half, inner = b * half;
        sum = outer + inner;
        difference = outer - inner;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    T Tap<T>(int tap, int i) where T : struct, IRegister<T> => T.Load(g + (turned ? 8 - tap : tap) * pairs + i);
}

/// <summary>dg[tap, i] = (G^T u G)_tap for each pair of channels i.</summary>
/// <param name="u">[16, pairs]</param>
/// <param name="dg">[3, 3, pairs]</param>
/// <param name="pairs">Pairs of an input and an output channel.</param>
readonly unsafe struct FilterGradientTransform(float* u, float* dg, nint pairs) : IChannelPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(int from, int to) where T : struct, IRegister<T>
    {
        for (var i = from; i < to; i += T.Count)
        {
            Column(0, i, out T a0, out T a1, out T a2);
            Column(1, i, out T b0, out T b1, out T b2);
            Column(2, i, out T c0, out T c1, out T c2);
            Column(3, i, out T d0, out T d1, out T d2);
            Row(0, i, a0, b0, c0, d0);
            Row(3, i, a1, b1, c1, d1);
            Row(6, i, a2, b2, c2, d2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Column<T>(int column, int i, out T r0, out T r1, out T r2) where T : struct, IRegister<T>
    {
        float* source = u + column * pairs + i;
        Transposed(T.Load(source), T.Load(source + 4 * pairs), T.Load(source + 8 * pairs), T.Load(source + 12 * pairs), out r0, out r1, out r2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Row<T>(int tap, int i, T a, T b, T c, T d) where T : struct, IRegister<T>
    {
        Transposed(a, b, c, d, out T r0, out T r1, out T r2);
        float* target = dg + tap * pairs + i;
        r0.Store(target);
        r1.Store(target + pairs);
        r2.Store(target + 2 * pairs);
    }

    // G^T (a, b, c, d).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Transposed<T>(T a, T b, T c, T d, out T r0, out T r1, out T r2) where T : struct, IRegister<T>
    {
        T half = T.Broadcast(0.5f), sum = (b + c) * half;
        r0 = a + sum;
        r1 = (b - c) * half;
        r2 = sum + d;
    }
}

/// <summary>v[p, tile, :] = (B^T d B)_p for a row of tiles, 4x4 blocks of the input that begin two columns apart.</summary>
/// <param name="x">First pixel of the first block.</param>
/// <param name="rowStep">From a row of the input to the next.</param>
/// <param name="pixelStep">From a pixel to the next: the channels.</param>
/// <param name="v">First tile at position 0.</param>
/// <param name="positionStep">From a position to the next.</param>
/// <param name="tiles">Tiles of the row.</param>
readonly unsafe struct InputTransform(float* x, nint rowStep, nint pixelStep, float* v, nint positionStep, int tiles) : IChannelPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(int from, int to) where T : struct, IRegister<T>
    {
        for (var c = from; c < to; c += T.Count)
        {
            float* d = x + c;
            Column(d, rowStep, out T a0, out T a1, out T a2, out T a3);
            Column(d + pixelStep, rowStep, out T b0, out T b1, out T b2, out T b3);
            float* target = v + c;
            for (var tile = 0; tile < tiles; tile++, target += pixelStep)
            {
                d += 2 * pixelStep;
                Column(d, rowStep, out T c0, out T c1, out T c2, out T c3);
                Column(d + pixelStep, rowStep, out T d0, out T d1, out T d2, out T d3);
                Row(target, a0, b0, c0, d0);
                Row(target + 4 * positionStep, a1, b1, c1, d1);
                Row(target + 8 * positionStep, a2, b2, c2, d2);
                Row(target + 12 * positionStep, a3, b3, c3, d3);
                (a0, a1, a2, a3, b0, b1, b2, b3) = (c0, c1, c2, c3, d0, d1, d2, d3);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Column<T>(float* d, nint rowStep, out T r0, out T r1, out T r2, out T r3) where T : struct, IRegister<T>
    {
        T d1 = T.Load(d + rowStep), d2 = T.Load(d + 2 * rowStep);
        r0 = T.Load(d) - d2;
        r1 = d1 + d2;
        r2 = d2 - d1;
        r3 = d1 - T.Load(d + 3 * rowStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Row<T>(float* target, T a, T b, T c, T d) where T : struct, IRegister<T>
    {
        (a - c).Store(target);
        (b + c).Store(target + positionStep);
        (c - b).Store(target + 2 * positionStep);
        (b - d).Store(target + 3 * positionStep);
    }
}

/// <summary>y = (A^T m A) for a row of tiles, 2x2 blocks of the output, the last of which may lack its second column or row.</summary>
/// <param name="m">First tile at position 0.</param>
/// <param name="positionStep">From a position to the next.</param>
/// <param name="y">First pixel of the first block.</param>
/// <param name="rowStep">From a row of the output to the next.</param>
/// <param name="pixelStep">From a pixel to the next: the channels.</param>
/// <param name="columns">Columns of the output.</param>
/// <param name="rows">Rows of the output that exist: 1 or 2.</param>
readonly unsafe struct OutputTransform(float* m, nint positionStep, float* y, nint rowStep, nint pixelStep, int columns, int rows) : IChannelPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(int from, int to) where T : struct, IRegister<T>
    {
        for (var c = from; c < to; c += T.Count)
        {
            float* source = m + c, target = y + c;
            for (var column = 0; column < columns; column += 2, source += pixelStep, target += 2 * pixelStep)
            {
                Column(source, out T a0, out T a1);
                Column(source + positionStep, out T b0, out T b1);
                Column(source + 2 * positionStep, out T c0, out T c1);
                Column(source + 3 * positionStep, out T d0, out T d1);
                var second = column + 1 < columns;
                (a0 + b0 + c0).Store(target);
                if (second) (b0 - c0 - d0).Store(target + pixelStep);
                if (rows == 1) continue;
                (a1 + b1 + c1).Store(target + rowStep);
                if (second) (b1 - c1 - d1).Store(target + rowStep + pixelStep);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Column<T>(float* source, out T r0, out T r1) where T : struct, IRegister<T>
    {
        T m1 = T.Load(source + 4 * positionStep), m2 = T.Load(source + 8 * positionStep);
        r0 = T.Load(source) + m1 + m2;
        r1 = m1 - m2 - T.Load(source + 12 * positionStep);
    }
}

/// <summary>w[p, tile, :] = (A dY A^T)_p for a row of tiles of the output's gradient.</summary>
/// <param name="dy">First pixel of the first block; the blocks lie within memory, with zeros where there is no output.</param>
/// <param name="rowStep">From a row to the next.</param>
/// <param name="pixelStep">From a pixel to the next: the channels.</param>
/// <param name="w">First tile at position 0.</param>
/// <param name="positionStep">From a position to the next.</param>
/// <param name="tiles">Tiles of the row.</param>
readonly unsafe struct GradientTransform(float* dy, nint rowStep, nint pixelStep, float* w, nint positionStep, int tiles) : IChannelPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(int from, int to) where T : struct, IRegister<T>
    {
        for (var c = from; c < to; c += T.Count)
        {
            float* source = dy + c, target = w + c;
            for (var tile = 0; tile < tiles; tile++, source += 2 * pixelStep, target += pixelStep)
            {
                T a0 = T.Load(source), b0 = T.Load(source + pixelStep), a3 = T.Load(source + rowStep), b3 = T.Load(source + rowStep + pixelStep);
                Row(target, a0, b0);
                Row(target + 4 * positionStep, a0 + a3, b0 + b3);
                Row(target + 8 * positionStep, a0 - a3, b0 - b3);
                Row(target + 12 * positionStep, default(T) - a3, default(T) - b3);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Row<T>(float* target, T a, T b) where T : struct, IRegister<T>
    {
        a.Store(target);
        (a + b).Store(target + positionStep);
        (a - b).Store(target + 2 * positionStep);
        (default(T) - b).Store(target + 3 * positionStep);
    }
}

/// <summary>Work on each register full of channels by itself.</summary>
unsafe interface IChannelPass
{
    /// <summary>Treats the channels from..to, a multiple of the register apart.</summary>
    void Run<T>(int from, int to) where T : struct, IRegister<T>;
}

static class ChannelPass
{
    /// <summary>Runs a pass over all channels, in the widest registers that each stretch of them fills.</summary>
    public static void Run<TPass>(in TPass pass, int channels) where TPass : struct, IChannelPass => Run(pass, 0, channels);

    /// <summary>Runs a pass over some channels.</summary>
    public static void Run<TPass>(in TPass pass, int from, int end) where TPass : struct, IChannelPass
    {
        if (Vector512.IsHardwareAccelerated) from = Stretch<TPass, Register512>(pass, end, from);
        if (Vector256.IsHardwareAccelerated) from = Stretch<TPass, Register256>(pass, end, from);
        from = Stretch<TPass, Register128>(pass, end, from);
        Stretch<TPass, Register1>(pass, end, from);
    }

    static int Stretch<TPass, T>(in TPass pass, int channels, int from)
        where TPass : struct, IChannelPass
        where T : struct, IRegister<T>
    {
        var to = from + (channels - from) / T.Count * T.Count;
        if (to > from) pass.Run<T>(from, to);
        return to;
    }
}
