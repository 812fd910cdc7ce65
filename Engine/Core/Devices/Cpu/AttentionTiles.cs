using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>One sequence and head of an attention, and the number of its keys that are seen.</summary>
readonly record struct AttentionHead(int Sequence, int Batch, int Head, int Keys);

/// <summary>
/// What forward and backward of an attention share. Scores are computed in tiles, blocks of queries x blocks of keys, which stay in the L2 cache. The matrix of all
/// scores is never in memory. Heads are copied to memory of the thread, block by block, in the order in which the products read them.
/// </summary>
sealed unsafe class AttentionTiles(Operand query, Operand key, Operand value, AttentionGeometry geometry, Operand? keyLengths, Operand? mask, RandomStream stream)
{
    /// <summary>The largest number of keys in a block. Two blocks of keys and values of 64 channels fit in the L2 cache with the tiles of scores.</summary>
    const int MostKeys = 256;

    /// <summary>Rows that are fetched before they are read or written.</summary>
    public const int RowsAhead = 8;

    /// <summary>Chunks wanted at least, so that there is work for all threads.</summary>
    public const int ChunksWanted = 16;

    // All columns of a tile are computed, so rows end at a multiple of the narrowest tile.
    static readonly int Least = Tile.All[^1].Columns;

    static readonly Panel[][] ofColumns = [.. Enumerable.Range(0, MostKeys / Least + 1).Select(count => Panels.Cut(count * Least))];

    readonly float* query = query.Pointer(), key = key.Pointer(), value = value.Pointer(), mask = mask.PointerOrNull();
    readonly int* keyLengths = keyLengths is null ? null : keyLengths.Integers();

    public AttentionGeometry Geometry => geometry;

    /// <summary>Keys in a block; the last block may have fewer.</summary>
    public int KeyBlock { get; } = KeysOfBlock(geometry.Keys);

    /// <summary>Floats from one row of a tile of scores to the next: an odd number of cache lines, so that a column of the tile lies in all sets of the L1 cache.</summary>
    public int RowStep => (KeyBlock + 15) / 16 * 16 is var width && width / 16 % 2 == 0 ? width + 16 : width;

    /// <summary>Depth of the products' rows of queries and keys, filled up with zeros to whole tiles.</summary>
    public int Depth { get; } = RoundUp(geometry.Depth);

    /// <summary>The same for values.</summary>
    public int ValueDepth { get; } = RoundUp(geometry.ValueDepth);

    /// <summary>The panels of rows of queries and keys.</summary>
    public Panel[] OfDepth { get; } = Panels.Cut(RoundUp(geometry.Depth));

    /// <summary>The panels of rows of values.</summary>
    public Panel[] OfValues { get; } = Panels.Cut(RoundUp(geometry.ValueDepth));

    /// <summary>The panels of a block of keys.</summary>
    public static Panel[] OfKeys(int keys) => ofColumns[RoundUp(keys) / Least];

    public static int RoundUp(int columns) => (columns + Least - 1) / Least * Least;

    // Blocks of nearly equal size, of whole tiles.
    static int KeysOfBlock(int keys)
    {
        var blocks = Math.Max(1, (keys + MostKeys - 1) / MostKeys);
        return Math.Max(Least, Math.Min(MostKeys, RoundUp((keys + blocks - 1) / blocks)));
    }

    public AttentionHead HeadOf(int sequence)
    {
        var batch = sequence / geometry.Heads;
        return new(sequence, batch, sequence % geometry.Heads, keyLengths == null ? geometry.Keys : Math.Clamp(keyLengths[batch], 0, geometry.Keys));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint QueryAt(AttentionHead head, int i) => ((nint)head.Batch * geometry.Queries + i) * geometry.QueryStep + (nint)head.Head * geometry.Depth;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint KeyAt(AttentionHead head, int j) => ((nint)head.Batch * geometry.Keys + j) * geometry.KeyStep + geometry.KeyOffset + (nint)head.Head * geometry.Depth;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint ValueAt(AttentionHead head, int j) => ((nint)head.Batch * geometry.Keys + j) * geometry.ValueStep + geometry.ValueOffset + (nint)head.Head * geometry.ValueDepth;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint OutputAt(AttentionHead head, int i) => ((nint)head.Batch * geometry.Queries + i) * geometry.OutputStep + (nint)head.Head * geometry.ValueDepth;

    /// <summary>Copies queries, times the scale, to rows of <see cref="Depth"/>.</summary>
    public void CopyQueries(AttentionHead head, int first, int count, float* to) => CopyRows(query + QueryAt(head, first), geometry.QueryStep, count, geometry.Depth, geometry.Scale, to, Depth);

    /// <summary>Copies keys to rows of <see cref="Depth"/>.</summary>
    public void CopyKeys(AttentionHead head, int first, int count, float* to) => CopyRows(key + KeyAt(head, first), geometry.KeyStep, count, geometry.Depth, 1f, to, Depth);

    /// <summary>Copies values to rows of <see cref="ValueDepth"/>.</summary>
    public void CopyValues(AttentionHead head, int first, int count, float* to) => CopyRows(value + ValueAt(head, first), geometry.ValueStep, count, geometry.ValueDepth, 1f, to, ValueDepth);

    /// <summary>Packs keys as the right operand [depth, keys] of a product.</summary>
    public void PackKeys(AttentionHead head, int first, int count, float* to) => Pack(key + KeyAt(head, first), geometry.KeyStep, count, geometry.Depth, to);

    /// <summary>Packs values as the right operand [depth, keys] of a product.</summary>
    public void PackValues(AttentionHead head, int first, int count, float* to) => Pack(value + ValueAt(head, first), geometry.ValueStep, count, geometry.ValueDepth, to);

    /// <summary>The number of keys from <paramref name="firstKey"/> on, of a block of <paramref name="keys"/>, that a query sees.</summary>
    public int Seen(int query, int firstKey, int keys) => geometry.Causal ? Math.Clamp(query - firstKey + 1, 0, keys) : keys;

    /// <summary>Adds the mask to the scores of a query, and sets those of keys that it does not see to -infinity.</summary>
    /// <param name="head">The sequence and head.</param>
    /// <param name="i">The query.</param>
    /// <param name="firstKey">The first key of the row.</param>
    /// <param name="seen">The keys that it sees, from the first key on.</param>
    /// <param name="width">The scores of the row; those after the keys that are seen have no meaning.</param>
    /// <param name="scores">The row.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Mask(AttentionHead head, int i, int firstKey, int seen, int width, float* scores)
    {
        if (mask != null) ChannelPass.Add(mask + (nint)head.Batch * geometry.MaskOfBatch + (nint)head.Head * geometry.MaskOfHead + (nint)i * geometry.Keys + firstKey, seen, scores);
        if (seen < width) new Span<float>(scores + seen, width - seen).Fill(float.NegativeInfinity);
    }

    /// <summary>The uniform numbers of the weights of a query, from a key on.</summary>
    public float* Units(AttentionHead head, int i, int firstKey, int count, uint* memory)
    {
        var element = ((long)head.Sequence * geometry.Queries + i) * geometry.Keys + firstKey;
        var before = (int)(element % 4);
        PhiloxWords.Fill(stream, (ulong)element / 4, memory, (before + count + 3) / 4);
        return PhiloxWords.ToUnits(memory + before, count);
    }

    /// <summary>The floats that <see cref="Units"/> needs for a block of keys; a row reads whole tiles.</summary>
    public int WordsOfBlock => KeyBlock + AttentionRow.Whole + 8;

    /// <summary>y (+)= x f for all panels that have a column below <paramref name="columns"/>, where f is packed: panel after panel, each [depth, columns of the tile].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyPacked(Panel[] panels, int columns, float* f, int rows, float* x, nint xRow, int* offsets, int depth, float* y, nint yRow)
    {
        foreach (var panel in panels)
            if (panel.Column < columns) Multiply(panel with { Data = (nint)(f + (nint)panel.Column * depth), Step = panel.Tile.Columns }, rows, x, xRow, offsets, depth, y, yRow, accumulate: false);
    }

    /// <summary>y (+)= x f, where f is rows of <paramref name="fRow"/> floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyRows(Panel[] panels, float* f, nint fRow, int rows, float* x, nint xRow, int* offsets, int depth, float* y, nint yRow, bool accumulate)
    {
        foreach (var panel in panels) Multiply(panel with { Data = (nint)(f + panel.Column), Step = fRow }, rows, x, xRow, offsets, depth, y, yRow, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Multiply(in Panel panel, int rows, float* x, nint xRow, int* offsets, int depth, float* y, nint yRow, bool accumulate)
    {
        var whole = new TileOperands { X = x, XRow = xRow, XOffsets = offsets, Y = y + panel.Column, YRow = yRow };
        var blocks = new DepthBlocks(depth, panel.Tile.Columns);
        for (var block = 0; block < blocks.Count; block++)
        {
            var operands = whole;
            blocks.Restrict(block, panel, ref operands);
            operands.Accumulate |= accumulate;
            panel.Multiply(rows, operands);
        }
    }

    /// <summary>Copies rows, times a factor, and fills them up with zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyRows(float* from, nint step, int rows, int columns, float factor, float* to, int width)
    {
        for (var row = 0; row < rows; row++, from += step, to += width)
        {
            if (row < rows - RowsAhead) CacheLines.Prefetch(from + RowsAhead * step, columns);
            AttentionRow.Scale(from, factor, columns, to);
            if (columns < width) new Span<float>(to + columns, width - columns).Clear();
        }
    }

    /// <summary>Copies rows, times a factor, back to their places in a tensor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void StoreRows(float* from, int width, int rows, int columns, float factor, float* to, nint step)
    {
        for (var row = 0; row < rows; row++, from += width, to += step)
        {
            if (row < rows - RowsAhead) CacheLines.Prefetch(to + RowsAhead * step, columns);
            AttentionRow.Scale(from, factor, columns, to);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Pack(float* from, nint step, int keys, int depth, float* to)
    {
        foreach (var panel in OfKeys(keys))
        {
            int columns = panel.Tile.Columns, width = Math.Min(columns, keys - panel.Column);
            var target = to + (nint)panel.Column * depth;
            if (width < columns) new Span<float>(target, depth * columns).Clear();
            for (var c = 0; c < width; c += BlockTranspose.Size)
            {
                var rows = from + (panel.Column + c) * step;
                for (var ahead = 2 * BlockTranspose.Size - 1; ahead >= BlockTranspose.Size; ahead--)
                    if (panel.Column + c + ahead < keys) CacheLines.Prefetch(rows + ahead * step, depth);
                BlockTranspose.Large(rows, step, target + c, columns, Math.Min(BlockTranspose.Size, width - c), depth);
            }
        }
    }
}
