using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// The operands of a tile. Rows r are pixels (or rows of a matrix), columns c are channels:
///   y[r, c] (+)= sum over k &lt; Depth of  x[r XRow + XOffsets[k]]  f[k FStep + c]
/// With the table of offsets, x may be the windows of an image, the pixels of an image, a matrix or a transposed matrix.
/// </summary>
unsafe struct TileOperands
{
    public float* X;
    public nint XRow;
    public int* XOffsets;
    public int Depth;
    public float* F;
    public nint FStep;
    public float* Y;
    public nint YRow;

    /// <summary>Whether to add to y instead of overwriting it. The sum over the depth is computed first and then added to y, so that long sums are sums of short ones.</summary>
    public bool Accumulate;

    /// <summary>The number of products of the same extents that follow this one, and the distances to their operands.</summary>
    public int Following;
    public nint XNext, FNext, YNext;
}

/// <summary>
/// The block of the result that a matrix product keeps in registers: up to <see cref="MaxRows"/> rows of
/// <see cref="Columns"/> columns. For each k the row of f is loaded once, and each x is broadcast and multiplied with it.
/// Convolutions, their gradients and matrix products are all sums of tiles.
/// </summary>
/// <remarks>
/// Measured on a Zen 4 core (118 GFLOP/s at its FMA peak): 64 and 32 columns run at 99 % of peak. 16 columns as one 512-bit
/// register need a broadcast for every multiply-add, and the loads limit them to 75 %; as two 256-bit registers they run at 97 %.
/// </remarks>
sealed unsafe class Tile
{
    readonly delegate*<in TileOperands, int, void>[] kernels;

    Tile(int columns, int maxRows, delegate*<in TileOperands, int, void>[] kernels)
    {
        Columns = columns;
        MaxRows = maxRows;
        this.kernels = kernels;
    }

    /// <summary>The tiles of this machine, widest first.</summary>
    public static Tile[] All { get; } =
        Vector512.IsHardwareAccelerated ? [Of<Row4<Register512, Shared>>(6), Of<Row2<Register512, Shared>>(12), Of<Row2<Register256, Shared>>(6), Of<Row1<Register256, Shared>>(12)]
        : Vector256.IsHardwareAccelerated ? [Of<Row2<Register256, Shared>>(6), Of<Row1<Register256, Shared>>(12)]
        : [Of<Row2<Register128, Shared>>(6), Of<Row1<Register128, Shared>>(12)];

    static readonly Tile[]?[] grouped = [OfGroups<Size1>(), OfGroups<Size2>(), OfGroups<Size4>(), OfGroups<Size8>()];

    /// <summary>
    /// The tiles for columns in groups (<see cref="OfGroup{TSize}"/>), widest first; x starts at the place of the column. Null if the tiles of dense products serve: the groups are wide, or differ
    /// in their numbers of channels and columns.
    /// </summary>
    /// <param name="inputs">The channels of x in a group.</param>
    /// <param name="outputs">The columns in a group.</param>
    public static Tile[]? OfGroups(int inputs, int outputs) =>
        inputs == outputs && BitOperations.IsPow2(inputs) && BitOperations.Log2((uint)inputs) < grouped.Length ? grouped[BitOperations.Log2((uint)inputs)] : null;

    static Tile[]? OfGroups<TSize>() where TSize : struct, IGroupSize =>
        Vector512.IsHardwareAccelerated
            ? [Of<Row2<Register512, OfGroup<TSize>>>(12), Of<Row1<Register512, OfGroup<TSize>>>(12), Of<Row1<Register256, OfGroup<TSize>>>(12)]
        : Vector256.IsHardwareAccelerated ? [Of<Row2<Register256, OfGroup<TSize>>>(6), Of<Row1<Register256, OfGroup<TSize>>>(12)]
        : TSize.Value <= Register128.Count ? [Of<Row2<Register128, OfGroup<TSize>>>(6), Of<Row1<Register128, OfGroup<TSize>>>(12)]
        : null;

    public int Columns { get; }

    public int MaxRows { get; }

    /// <summary>Computes tiles of the given number of rows (1 to <see cref="MaxRows"/>), one below the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Multiply(int rows, int tiles, in TileOperands operands) => kernels[rows - 1](operands, tiles);

    static Tile Of<TRow>(int maxRows) where TRow : struct, IRow<TRow>
    {
        delegate*<in TileOperands, int, void>[] kernels =
        [
            &Multiply<TRow, Rows1>, &Multiply<TRow, Rows2>, &Multiply<TRow, Rows3>, &Multiply<TRow, Rows4>,
            &Multiply<TRow, Rows5>, &Multiply<TRow, Rows6>, &Multiply<TRow, Rows7>, &Multiply<TRow, Rows8>,
            &Multiply<TRow, Rows9>, &Multiply<TRow, Rows10>, &Multiply<TRow, Rows11>, &Multiply<TRow, Rows12>,
        ];
        return new Tile(TRow.Columns, maxRows, kernels);
    }

    // Optimized at the first call, because code that does not keep the accumulators in registers would be a hundred times slower.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Multiply<TRow, TRows>(in TileOperands operands, int tiles)
        where TRow : struct, IRow<TRow>
        where TRows : struct, IRowCount
    {
        nint row1 = operands.XRow, row2 = 2 * row1, row3 = 3 * row1, yRow = operands.YRow, fStep = operands.FStep;
        float* first = operands.X, right = operands.F, result = operands.Y;
        for (var following = operands.Following; following >= 0; following--, first += operands.XNext, right += operands.FNext, result += operands.YNext)
        {
            float* x = first, y = result;
            for (var tile = 0; tile < tiles; tile++, x += TRows.Value * row1, y += TRows.Value * yRow)
            {
                TRow r0 = default, r1 = default, r2 = default, r3 = default, r4 = default, r5 = default;
                TRow r6 = default, r7 = default, r8 = default, r9 = default, r10 = default, r11 = default;

                float* f = right, from4 = x + 4 * row1, from8 = from4 + 4 * row1;
                int* offset = operands.XOffsets, end = offset + operands.Depth;
                for (; offset < end; offset++, f += fStep)
                {
                    TRow w = default;
                    w.Load(f);
                    nint at = *offset;
                    float* x0 = x + at, x4 = from4 + at, x8 = from8 + at;
                    r0.MultiplyAdd(x0, w);
                    if (TRows.Value > 1) r1.MultiplyAdd(x0 + row1, w);
                    if (TRows.Value > 2) r2.MultiplyAdd(x0 + row2, w);
                    if (TRows.Value > 3) r3.MultiplyAdd(x0 + row3, w);
                    if (TRows.Value > 4) r4.MultiplyAdd(x4, w);
                    if (TRows.Value > 5) r5.MultiplyAdd(x4 + row1, w);
                    if (TRows.Value > 6) r6.MultiplyAdd(x4 + row2, w);
                    if (TRows.Value > 7) r7.MultiplyAdd(x4 + row3, w);
                    if (TRows.Value > 8) r8.MultiplyAdd(x8, w);
                    if (TRows.Value > 9) r9.MultiplyAdd(x8 + row1, w);
                    if (TRows.Value > 10) r10.MultiplyAdd(x8 + row2, w);
                    if (TRows.Value > 11) r11.MultiplyAdd(x8 + row3, w);
                }

                if (operands.Accumulate)
                {
                    r0.Add(y);
                    if (TRows.Value > 1) r1.Add(y + yRow);
                    if (TRows.Value > 2) r2.Add(y + 2 * yRow);
                    if (TRows.Value > 3) r3.Add(y + 3 * yRow);
                    if (TRows.Value > 4) r4.Add(y + 4 * yRow);
                    if (TRows.Value > 5) r5.Add(y + 5 * yRow);
                    if (TRows.Value > 6) r6.Add(y + 6 * yRow);
                    if (TRows.Value > 7) r7.Add(y + 7 * yRow);
                    if (TRows.Value > 8) r8.Add(y + 8 * yRow);
                    if (TRows.Value > 9) r9.Add(y + 9 * yRow);
                    if (TRows.Value > 10) r10.Add(y + 10 * yRow);
                    if (TRows.Value > 11) r11.Add(y + 11 * yRow);
                }

                r0.Store(y);
                if (TRows.Value > 1) r1.Store(y + yRow);
                if (TRows.Value > 2) r2.Store(y + 2 * yRow);
                if (TRows.Value > 3) r3.Store(y + 3 * yRow);
                if (TRows.Value > 4) r4.Store(y + 4 * yRow);
                if (TRows.Value > 5) r5.Store(y + 5 * yRow);
                if (TRows.Value > 6) r6.Store(y + 6 * yRow);
                if (TRows.Value > 7) r7.Store(y + 7 * yRow);
                if (TRows.Value > 8) r8.Store(y + 8 * yRow);
                if (TRows.Value > 9) r9.Store(y + 9 * yRow);
                if (TRows.Value > 10) r10.Store(y + 10 * yRow);
                if (TRows.Value > 11) r11.Store(y + 11 * yRow);
            }
        }
    }

    interface IRowCount
    {
        static abstract int Value { get; }
    }

    struct Rows1 : IRowCount { public static int Value => 1; }
    struct Rows2 : IRowCount { public static int Value => 2; }
    struct Rows3 : IRowCount { public static int Value => 3; }
    struct Rows4 : IRowCount { public static int Value => 4; }
    struct Rows5 : IRowCount { public static int Value => 5; }
    struct Rows6 : IRowCount { public static int Value => 6; }
    struct Rows7 : IRowCount { public static int Value => 7; }
    struct Rows8 : IRowCount { public static int Value => 8; }
    struct Rows9 : IRowCount { public static int Value => 9; }
    struct Rows10 : IRowCount { public static int Value => 10; }
    struct Rows11 : IRowCount { public static int Value => 11; }
    struct Rows12 : IRowCount { public static int Value => 12; }
}

/// <summary>One row of a tile: one, two or four registers side by side.</summary>
unsafe interface IRow<T> where T : struct, IRow<T>
{
    static abstract int Columns { get; }

    void Load(float* source);

    void Store(float* target);

    /// <summary>this += the row at the source.</summary>
    /// <param name="source"><see cref="Columns"/> floats.</param>
    void Add(float* source);

    /// <summary>this += x f. The update in place keeps the accumulator in its register.</summary>
    /// <param name="x">One float for all columns, or floats that <see cref="IFactor"/> reads.</param>
    /// <param name="f">The row that is multiplied by x.</param>
    void MultiplyAdd(float* x, T f);
}

unsafe struct Row1<TRegister, TFactor> : IRow<Row1<TRegister, TFactor>>
    where TRegister : struct, IRegister<TRegister>
    where TFactor : struct, IFactor
{
    TRegister a;

    public static int Columns => TRegister.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(float* source) => a = TRegister.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => a.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(float* source)
    {
        a += TRegister.Load(source);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MultiplyAdd(float* x, Row1<TRegister, TFactor> f) => a.MultiplyAdd(TFactor.Read<TRegister>(x), f.a);
}

unsafe struct Row2<TRegister, TFactor> : IRow<Row2<TRegister, TFactor>>
    where TRegister : struct, IRegister<TRegister>
    where TFactor : struct, IFactor
{
    TRegister a, b;

    public static int Columns => 2 * TRegister.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(float* source)
    {
        a = TRegister.Load(source);
        b = TRegister.Load(source + TRegister.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target)
    {
        a.Store(target);
        b.Store(target + TRegister.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(float* source)
    {
        a += TRegister.Load(source);
        b += TRegister.Load(source + TRegister.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MultiplyAdd(float* x, Row2<TRegister, TFactor> f)
    {
        var first = TFactor.Read<TRegister>(x);
        a.MultiplyAdd(first, f.a);
        b.MultiplyAdd(TFactor.IsShared ? first : TFactor.Read<TRegister>(x + TRegister.Count), f.b);
    }
}

unsafe struct Row4<TRegister, TFactor> : IRow<Row4<TRegister, TFactor>>
    where TRegister : struct, IRegister<TRegister>
    where TFactor : struct, IFactor
{
    TRegister a, b, c, d;

    public static int Columns => 4 * TRegister.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(float* source)
    {
        a = TRegister.Load(source);
        b = TRegister.Load(source + TRegister.Count);
        c = TRegister.Load(source + 2 * TRegister.Count);
        d = TRegister.Load(source + 3 * TRegister.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target)
    {
        a.Store(target);
        b.Store(target + TRegister.Count);
        c.Store(target + 2 * TRegister.Count);
        d.Store(target + 3 * TRegister.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(float* source)
    {
        a += TRegister.Load(source);
        b += TRegister.Load(source + TRegister.Count);
        c += TRegister.Load(source + 2 * TRegister.Count);
        d += TRegister.Load(source + 3 * TRegister.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MultiplyAdd(float* x, Row4<TRegister, TFactor> f)
    {
        var first = TFactor.Read<TRegister>(x);
        a.MultiplyAdd(first, f.a);
        b.MultiplyAdd(TFactor.IsShared ? first : TFactor.Read<TRegister>(x + TRegister.Count), f.b);
        c.MultiplyAdd(TFactor.IsShared ? first : TFactor.Read<TRegister>(x + 2 * TRegister.Count), f.c);
        d.MultiplyAdd(TFactor.IsShared ? first : TFactor.Read<TRegister>(x + 3 * TRegister.Count), f.d);
    }
}
