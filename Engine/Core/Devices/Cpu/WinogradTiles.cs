using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>v[p, tile, :] = (B^T d B)_p for a row of tiles: 6x6 blocks of the input that begin four columns apart.</summary>
/// <param name="x">First pixel of the first block.</param>
/// <param name="rowStep">Floats from a row of the input to the next.</param>
/// <param name="pixelStep">Floats from a pixel to the next: the channels.</param>
/// <param name="v">First tile at position 0.</param>
/// <param name="positionStep">Floats from a position to the next.</param>
/// <param name="tiles">The number of tiles in the row.</param>
/// <remarks>
/// Each row of B^T d is computed for all columns and then transformed at once along the row. Rows of opposite points are computed in pairs. So the inputs are read
/// more than once, from the L1 cache, but no intermediate result is written. This pays because stores take most of the time.
/// </remarks>
readonly unsafe struct InputTransform(float* x, nint rowStep, nint pixelStep, float* v, nint positionStep, int tiles) : IChannelPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(int from, int to) where T : struct, IRegister<T>
    {
        nint row = WinogradTransforms.Patch * positionStep;
        for (var c = from; c < to; c += T.Count)
        {
            float* d = x + c, target = v + c;
            for (var tile = 0; tile < tiles; tile++, d += WinogradTransforms.Tile * pixelStep, target += pixelStep)
            {
                OuterRow<T>(d, target);
                OppositeRows<T>(d + rowStep, -2f, WinogradTransforms.H, target + row);
                OppositeRows<T>(d + rowStep, -0.5f, 2 * WinogradTransforms.H, target + 3 * row);
                OuterRow<T>(d + rowStep, target + 5 * row);
            }
        }
    }

    // The row of the point 0, or of the point infinity if it starts from the second row of d.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void OuterRow<T>(float* d, float* target) where T : struct, IRegister<T> => Row(target,
        OuterOf<T>(d), OuterOf<T>(d + pixelStep), OuterOf<T>(d + 2 * pixelStep), OuterOf<T>(d + 3 * pixelStep), OuterOf<T>(d + 4 * pixelStep), OuterOf<T>(d + 5 * pixelStep));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    T OuterOf<T>(float* d) where T : struct, IRegister<T> => Outer(T.Load(d), T.Load(d + 2 * rowStep), T.Load(d + 4 * rowStep));

    // The rows of the points p and -p.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void OppositeRows<T>(float* d, float factor, float point, float* target) where T : struct, IRegister<T>
    {
        Column(d, factor, point, out T a, out T minusA);
        Column(d + pixelStep, factor, point, out T b, out T minusB);
        Column(d + 2 * pixelStep, factor, point, out T c, out T minusC);
        Column(d + 3 * pixelStep, factor, point, out T e, out T minusE);
        Column(d + 4 * pixelStep, factor, point, out T f, out T minusF);
        Column(d + 5 * pixelStep, factor, point, out T g, out T minusG);
        Row(target, a, b, c, e, f, g);
        Row(target + WinogradTransforms.Patch * positionStep, minusA, minusB, minusC, minusE, minusF, minusG);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Column<T>(float* d, float factor, float point, out T plus, out T minus) where T : struct, IRegister<T> =>
        Inner(T.Load(d), T.Load(d + rowStep), T.Load(d + 2 * rowStep), T.Load(d + 3 * rowStep), factor, point, out plus, out minus);

    // B^T d for d in the row.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Row<T>(float* target, T d0, T d1, T d2, T d3, T d4, T d5) where T : struct, IRegister<T>
    {
        Outer(d0, d2, d4).Store(target);
        Inner(d1, d2, d3, d4, -2f, WinogradTransforms.H, out T plus, out T minus);
        plus.Store(target + positionStep);
        minus.Store(target + 2 * positionStep);
        Inner(d1, d2, d3, d4, -0.5f, 2 * WinogradTransforms.H, out plus, out minus);
        plus.Store(target + 3 * positionStep);
        minus.Store(target + 4 * positionStep);
        Outer(d1, d3, d5).Store(target + 5 * positionStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T Outer<T>(T d0, T d2, T d4) where T : struct, IRegister<T> => WinogradTransforms.Add(d0 + d4, -2.5f, d2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Inner<T>(T d1, T d2, T d3, T d4, float factor, float point, out T plus, out T minus) where T : struct, IRegister<T> =>
        WinogradTransforms.Opposite(WinogradTransforms.Add(d4, factor, d2), WinogradTransforms.Add(d3, factor, d1), point, out plus, out minus);
}

/// <summary>y = (A^T m A) for a row of tiles: 4x4 blocks of the output. Some rows and the last columns of the blocks may lie outside the output.</summary>
/// <param name="m">First tile at position 0.</param>
/// <param name="positionStep">Floats from a position to the next.</param>
/// <param name="y">First pixel of the first block.</param>
/// <param name="rowStep">Floats from a row of the output to the next.</param>
/// <param name="pixelStep">Floats from a pixel to the next: the channels.</param>
/// <param name="columns">Columns of the output.</param>
/// <param name="rows">The number of rows of the blocks that lie inside the output: 1 to 4.</param>
readonly unsafe struct OutputTransform(float* m, nint positionStep, float* y, nint rowStep, nint pixelStep, int columns, int rows) : IChannelPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(int from, int to) where T : struct, IRegister<T>
    {
        float* beside = stackalloc float[WinogradTransforms.Tile * WinogradTransforms.Tile * T.Count];
        for (var c = from; c < to; c += T.Count)
        {
            float* source = m + c, target = y + c;
            for (var column = 0; column < columns; column += WinogradTransforms.Tile, source += pixelStep, target += WinogradTransforms.Tile * pixelStep)
            {
                var whole = rows == WinogradTransforms.Tile && column + WinogradTransforms.Tile <= columns;
                Block<T>(source, whole ? target : beside, whole ? rowStep : WinogradTransforms.Tile * T.Count, whole ? pixelStep : T.Count);
                if (whole) continue;
                for (var row = 0; row < rows; row++)
                    for (var at = 0; at < Math.Min(WinogradTransforms.Tile, columns - column); at++)
                        T.Load(beside + (row * WinogradTransforms.Tile + at) * T.Count).Store(target + row * rowStep + at * pixelStep);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Block<T>(float* source, float* target, nint rowStep, nint pixelStep) where T : struct, IRegister<T>
    {
        Column(source, out T a0, out T a1, out T a2, out T a3);
        Column(source + positionStep, out T b0, out T b1, out T b2, out T b3);
        Column(source + 2 * positionStep, out T c0, out T c1, out T c2, out T c3);
        Column(source + 3 * positionStep, out T d0, out T d1, out T d2, out T d3);
        Column(source + 4 * positionStep, out T e0, out T e1, out T e2, out T e3);
        Column(source + 5 * positionStep, out T f0, out T f1, out T f2, out T f3);
        Row(target, pixelStep, a0, b0, c0, d0, e0, f0);
        Row(target + rowStep, pixelStep, a1, b1, c1, d1, e1, f1);
        Row(target + 2 * rowStep, pixelStep, a2, b2, c2, d2, e2, f2);
        Row(target + 3 * rowStep, pixelStep, a3, b3, c3, d3, e3, f3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Column<T>(float* source, out T r0, out T r1, out T r2, out T r3) where T : struct, IRegister<T>
    {
        nint row = WinogradTransforms.Patch * positionStep;
        Outputs(T.Load(source), T.Load(source + row), T.Load(source + 2 * row), T.Load(source + 3 * row), T.Load(source + 4 * row), T.Load(source + 5 * row),
            out r0, out r1, out r2, out r3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Row<T>(float* target, nint pixelStep, T a, T b, T c, T d, T e, T f) where T : struct, IRegister<T>
    {
        Outputs(a, b, c, d, e, f, out T r0, out T r1, out T r2, out T r3);
        r0.Store(target);
        r1.Store(target + pixelStep);
        r2.Store(target + 2 * pixelStep);
        r3.Store(target + 3 * pixelStep);
    }

    // A^T (m0, ..., m5).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Outputs<T>(T m0, T m1, T m2, T m3, T m4, T m5, out T r0, out T r1, out T r2, out T r3) where T : struct, IRegister<T>
    {
        T even = m1 + m2, odd = m1 - m2, outerEven = m3 + m4, outerOdd = m3 - m4;
        r0 = m0 + even + outerEven;
        r1 = T.Broadcast(WinogradTransforms.H) * WinogradTransforms.Add(odd, 2f, outerOdd);
        r2 = WinogradTransforms.Add(T.Broadcast(0.5f) * even, 2f, outerEven);
        r3 = WinogradTransforms.Add(m5, WinogradTransforms.H / 2, WinogradTransforms.Add(odd, 8f, outerOdd));
    }
}

/// <summary>w[p, tile, :] = (A dY A^T)_p for a row of tiles of the output's gradient.</summary>
/// <param name="dy">First pixel of the first block. All blocks lie in allocated memory, with zeros outside the output.</param>
/// <param name="rowStep">Floats from a row to the next.</param>
/// <param name="pixelStep">Floats from a pixel to the next: the channels.</param>
/// <param name="w">First tile at position 0.</param>
/// <param name="tileStep">Floats from a tile to the next.</param>
/// <param name="positionStep">Floats from a position to the next.</param>
/// <param name="tiles">The number of tiles in the row.</param>
readonly unsafe struct GradientTransform(float* dy, nint rowStep, nint pixelStep, float* w, nint tileStep, nint positionStep, int tiles) : IChannelPass
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<T>(int from, int to) where T : struct, IRegister<T>
    {
        nint row = WinogradTransforms.Patch * positionStep;
        for (var c = from; c < to; c += T.Count)
        {
            float* source = dy + c, target = w + c;
            for (var tile = 0; tile < tiles; tile++, source += WinogradTransforms.Tile * pixelStep, target += tileStep)
            {
                OuterRow<T>(source, target);
                OppositeRows<T>(source, 0.5f, WinogradTransforms.H, target + row);
                OppositeRows<T>(source, 2f, 2 * WinogradTransforms.H, target + 3 * row);
                OuterRow<T>(source + 3 * rowStep, target + 5 * row);
            }
        }
    }

    // The row of the point 0, or of the point infinity if it starts from the last row of dY.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void OuterRow<T>(float* source, float* target) where T : struct, IRegister<T> =>
        Row(target, T.Load(source), T.Load(source + pixelStep), T.Load(source + 2 * pixelStep), T.Load(source + 3 * pixelStep));

    // The rows of the points p and -p.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void OppositeRows<T>(float* source, float factor, float point, float* target) where T : struct, IRegister<T>
    {
        Column(source, factor, point, out T a, out T minusA);
        Column(source + pixelStep, factor, point, out T b, out T minusB);
        Column(source + 2 * pixelStep, factor, point, out T c, out T minusC);
        Column(source + 3 * pixelStep, factor, point, out T d, out T minusD);
        Row(target, a, b, c, d);
        Row(target + WinogradTransforms.Patch * positionStep, minusA, minusB, minusC, minusD);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Column<T>(float* source, float factor, float point, out T plus, out T minus) where T : struct, IRegister<T> =>
        Inner(T.Load(source), T.Load(source + rowStep), T.Load(source + 2 * rowStep), T.Load(source + 3 * rowStep), factor, point, out plus, out minus);

    // A d for d in the row.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Row<T>(float* target, T d0, T d1, T d2, T d3) where T : struct, IRegister<T>
    {
        d0.Store(target);
        Inner(d0, d1, d2, d3, 0.5f, WinogradTransforms.H, out T plus, out T minus);
        plus.Store(target + positionStep);
        minus.Store(target + 2 * positionStep);
        Inner(d0, d1, d2, d3, 2f, 2 * WinogradTransforms.H, out plus, out minus);
        plus.Store(target + 3 * positionStep);
        minus.Store(target + 4 * positionStep);
        d3.Store(target + 5 * positionStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Inner<T>(T d0, T d1, T d2, T d3, float factor, float point, out T plus, out T minus) where T : struct, IRegister<T> =>
        WinogradTransforms.Opposite(WinogradTransforms.Add(d0, factor, d2), WinogradTransforms.Add(d1, factor, d3), point, out plus, out minus);
}
