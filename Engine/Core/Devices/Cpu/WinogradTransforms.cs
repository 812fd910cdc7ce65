using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016, section 4.1): a 4x4 block of outputs from a 6x6 block of inputs d and
/// a 3x3 filter g with 36 multiplications for each pair of channels; the direct sum needs 144:
///   Y = A^T [ (G g G^T) * (B^T d B) ] A
/// Filter, inputs and outputs are treated as polynomials, which are multiplied by their values at the points 0, h, -h, 2h, -2h and infinity:
///   A^T = [1 1 1 1 1 0;  0 h -h 2h -2h 0;  0 1/2 1/2 2 2 0;  0 h/2 -h/2 4h -4h 1]                                     h = sqrt(1/2)
///   B^T = [1 0 -5/2 0 1 0;  0 -2h -2 h 1 0;  0 2h -2 -h 1 0;  0 -h -1/2 2h 1 0;  0 h -1/2 -2h 1 0;  0 1 0 -5/2 0 1]
///   G   = [1 0 0;  -2/3 -2h/3 -1/3;  -2/3 2h/3 -1/3;  1/6 h/3 1/3;  1/6 -h/3 1/3;  0 0 1]
/// The product * stands for 36 matrix products over the channels, one for each position p of the 6x6 block. The gradients are transposes of this:
///   dd by the same formula with the filter rotated by 180 degrees;   dg = G^T [ sum over blocks of (B^T d B) (A dY A^T) ] G
/// </summary>
/// <remarks>
/// With the usual points 0, 1, -1, 2, -2 the error is 4.5 times that of the direct sum in float32, for outputs of 64 channels. With h and 2h, half way
/// between large and small powers, it is 2.3 times (3.2 times for the filter gradient over 2,048 blocks): a few units in the last place. But these are units of the largest
/// number of a block: an outlier or an infinity also spoils the outputs of its block whose windows do not contain it (<see cref="Device.CpuWinograd"/>).
/// </remarks>
static class WinogradTransforms
{
    /// <summary>The number of rows and of columns of a tile, which is a block of outputs.</summary>
    public const int Tile = 4;

    /// <summary>The number of rows and of columns of the block of inputs that a tile reads.</summary>
    public const int Patch = Tile + 2;

    /// <summary>The number of positions of a transformed block.</summary>
    public const int Positions = Patch * Patch;

    /// <summary>The point h. The squares of h and 2h are 1/2 and 2.</summary>
    public const float H = 0.70710678118654752f;

    /// <summary>The number of tiles that cover the given rows or columns of outputs; the last tile may reach beyond them.</summary>
    public static int TilesOver(int outputs) => (outputs + Tile - 1) / Tile;

    /// <summary>
    /// Elements from a position to the next in a buffer of the given number of tiles. It is one cache line more than the tiles need. A transform accesses all positions of
    /// a tile at once, and with a distance of a power of two they would all fall into one set of the L1 cache.
    /// </summary>
    public static nint PositionStep(int tiles, int channels) => (nint)tiles * channels + 16;

    /// <summary>
    /// Whether Winograd's algorithm pays for the convolution and its gradients: 3x3 windows of stride 1, enough channels for the products to outweigh the transforms, tiles that are mostly full, and
    /// enough tiles for a filter that has to be written to memory and read back.
    /// </summary>
    public static bool Suits(ConvGeometry geometry) => Fits(geometry) && (IsNear(geometry.InChannels, geometry.OutChannels) || Tiles(geometry) >= TilesForFarFilter);

    /// <summary>Whether it pays for the forward convolution. Its transformed filter may be kept, so a few tiles are enough.</summary>
    public static bool SuitsForward(ConvGeometry geometry) => Suits(geometry) || Fits(geometry) && IsFilterWorthKeeping(geometry) && Tiles(geometry) >= TilesForKeptFarFilter;

    /// <summary>Whether the transformed filter fits into the L2 cache.</summary>
    public static bool IsNear(int inputs, int outputs) => FilterBytes(inputs, outputs) <= SecondCacheBytes;

    /// <summary>
    /// Whether it pays to keep the transformed filter: there are so few tiles that the transform of the filter takes as long as about a tenth of the products, and the filter is not huge. If the filter does not change,
    /// it is then transformed only once.
    /// </summary>
    public static bool IsFilterWorthKeeping(ConvGeometry geometry) =>
        Tiles(geometry) <= TilesForKeptFilter && FilterBytes(geometry.InChannels, geometry.OutChannels) <= KeptFilterBytes;

    static volatile bool allowed = true;

    /// <summary>See <see cref="Device.CpuWinograd"/>.</summary>
    public static bool Allowed
    {
        get => allowed;
        set => allowed = value;
    }

    static bool Fits(ConvGeometry geometry)
    {
        if (!Allowed || NonFiniteGuard.Active) return false;
        if (geometry is not { Groups: 1, Window: { Height: 3, Width: 3, Stride: 1, Dilation: 1, Padding: <= 2 } }) return false;
        if (geometry.InChannels % Block != 0 || geometry.OutChannels % Block != 0) return false;
        return 3 * Positions * Tiles(geometry) <= 2 * 9L * geometry.Rows;
    }

    static long Tiles(ConvGeometry geometry) => (long)TilesOver(geometry.OutHeight) * TilesOver(geometry.OutWidth) * geometry.Batch;

    static long FilterBytes(int inputs, int outputs) => sizeof(float) * (long)Positions * inputs * outputs;

    // The channels must fill whole register tiles.
    const int Block = 16;

    const long SecondCacheBytes = 1 << 20;

    const int TilesForFarFilter = 24, TilesForKeptFarFilter = 16;

    const int TilesForKeptFilter = 1024;

    // This is enough for 256 to 256 channels; 512 to 512 would need four times as much.
    const long KeptFilterBytes = 16 << 20;

    /// <summary>e + p o and e - p o: the values at two opposite points from the even and the odd part of a polynomial.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Opposite<T>(T even, T odd, float point, out T plus, out T minus) where T : struct, IRegister<T>
    {
        plus = even;
        plus.MultiplyAdd(T.Broadcast(point), odd);
        minus = even;
        minus.MultiplyAdd(T.Broadcast(-point), odd);
    }

    /// <summary>a + factor b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Add<T>(T a, float factor, T b) where T : struct, IRegister<T>
    {
        a.MultiplyAdd(T.Broadcast(factor), b);
        return a;
    }
}

/// <summary>u[p, i] = (G g G^T)_p for each pair of channels i; <paramref name="turned"/> rotates the filter by 180 degrees.</summary>
/// <param name="g">[3, 3, pairs]</param>
/// <param name="tapStep">Floats from a tap to the next.</param>
/// <param name="u">[36, pairs]</param>
/// <param name="positionStep">Floats from a position to the next.</param>
/// <param name="turned">Whether the filter is rotated, for the input gradient.</param>
readonly unsafe struct FilterTransform(float* g, nint tapStep, float* u, nint positionStep, bool turned) : IChannelPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(int from, int to) where T : struct, IRegister<T>
    {
        for (var i = from; i < to; i += T.Count)
        {
            Points(Tap<T>(0, i), Tap<T>(3, i), Tap<T>(6, i), out T a0, out T a1, out T a2, out T a3, out T a4, out T a5);
            Points(Tap<T>(1, i), Tap<T>(4, i), Tap<T>(7, i), out T b0, out T b1, out T b2, out T b3, out T b4, out T b5);
            Points(Tap<T>(2, i), Tap<T>(5, i), Tap<T>(8, i), out T c0, out T c1, out T c2, out T c3, out T c4, out T c5);
            Row(0, i, a0, b0, c0);
            Row(1, i, a1, b1, c1);
            Row(2, i, a2, b2, c2);
            Row(3, i, a3, b3, c3);
            Row(4, i, a4, b4, c4);
            Row(5, i, a5, b5, c5);
        }
    }

    // G (a, b, c).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Points<T>(T a, T b, T c, out T r0, out T r1, out T r2, out T r3, out T r4, out T r5) where T : struct, IRegister<T>
    {
        r0 = a;
        WinogradTransforms.Opposite(WinogradTransforms.Add(T.Broadcast(-2f / 3) * a, -1f / 3, c), b, -2 * WinogradTransforms.H / 3, out r1, out r2);
        WinogradTransforms.Opposite(WinogradTransforms.Add(T.Broadcast(1f / 6) * a, 1f / 3, c), b, WinogradTransforms.H / 3, out r3, out r4);
        r5 = c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Row<T>(int row, int i, T a, T b, T c) where T : struct, IRegister<T>
    {
        Points(a, b, c, out T r0, out T r1, out T r2, out T r3, out T r4, out T r5);
        float* target = u + row * WinogradTransforms.Patch * positionStep + i;
        r0.Store(target);
        r1.Store(target + positionStep);
        r2.Store(target + 2 * positionStep);
        r3.Store(target + 3 * positionStep);
        r4.Store(target + 4 * positionStep);
        r5.Store(target + 5 * positionStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    T Tap<T>(int tap, int i) where T : struct, IRegister<T> => T.Load(g + (turned ? 8 - tap : tap) * tapStep + i);
}

/// <summary>dg[tap, i] = (G^T u G)_tap for each pair of channels i.</summary>
/// <param name="u">[36, pairs]</param>
/// <param name="positionStep">Floats from a position to the next.</param>
/// <param name="dg">[3, 3, pairs]</param>
/// <param name="tapStep">Floats from a tap to the next.</param>
readonly unsafe struct FilterGradientTransform(float* u, nint positionStep, float* dg, nint tapStep) : IChannelPass
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
            Column(4, i, out T e0, out T e1, out T e2);
            Column(5, i, out T f0, out T f1, out T f2);
            Row(0, i, a0, b0, c0, d0, e0, f0);
            Row(3, i, a1, b1, c1, d1, e1, f1);
            Row(6, i, a2, b2, c2, d2, e2, f2);
        }
    }

    // G^T (v0, ..., v5).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Taps<T>(T v0, T v1, T v2, T v3, T v4, T v5, out T r0, out T r1, out T r2) where T : struct, IRegister<T>
    {
        T inner = v1 + v2, outer = v3 + v4;
        r0 = WinogradTransforms.Add(WinogradTransforms.Add(v0, -2f / 3, inner), 1f / 6, outer);
        r1 = WinogradTransforms.Add(T.Broadcast(WinogradTransforms.H / 3) * (v3 - v4), -2 * WinogradTransforms.H / 3, v1 - v2);
        r2 = WinogradTransforms.Add(v5, 1f / 3, outer - inner);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Column<T>(int column, int i, out T r0, out T r1, out T r2) where T : struct, IRegister<T>
    {
        float* source = u + column * positionStep + i;
        nint row = WinogradTransforms.Patch * positionStep;
        Taps(T.Load(source), T.Load(source + row), T.Load(source + 2 * row), T.Load(source + 3 * row), T.Load(source + 4 * row), T.Load(source + 5 * row),
            out r0, out r1, out r2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Row<T>(int tap, int i, T a, T b, T c, T d, T e, T f) where T : struct, IRegister<T>
    {
        Taps(a, b, c, d, e, f, out T r0, out T r1, out T r2);
        float* target = dg + tap * tapStep + i;
        r0.Store(target);
        r1.Store(target + tapStep);
        r2.Store(target + 2 * tapStep);
    }
}
