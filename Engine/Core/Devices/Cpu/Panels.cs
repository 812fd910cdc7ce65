using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>The columns of the right operand that one tile covers. The last panel may be narrower than its tile; then it is filled up with zeros.</summary>
unsafe readonly record struct Panel(Tile Tile, int Column, int Width, nint Data, nint Step)
{
    /// <summary>
    /// Computes all <paramref name="rows"/> of the result in these columns, in tiles of nearly equal height. The operands are those of the
    /// first row; f and its step are the panel's.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Multiply(int rows, TileOperands operands)
    {
        if (Width < Tile.Columns)
        {
            MultiplyNarrow(rows, operands);
            return;
        }

        int tiles = (rows + Tile.MaxRows - 1) / Tile.MaxRows, height = rows / tiles, taller = rows - tiles * height;
        if (taller > 0)
        {
            Tile.Multiply(height + 1, taller, operands);
            operands.X += taller * (height + 1) * operands.XRow;
            operands.Y += taller * (height + 1) * operands.YRow;
        }

        Tile.Multiply(height, tiles - taller, operands);
    }

    // A tile writes all its columns. So it writes to a buffer first, and then the columns that exist are copied.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void MultiplyNarrow(int rows, TileOperands operands)
    {
        float* beside = stackalloc float[Tile.MaxRows * Tile.Columns];
        for (var product = 0; product <= operands.Following; product++)
        {
            var single = operands with { X = operands.X + product * operands.XNext, F = operands.F + product * operands.FNext, Y = beside, YRow = Tile.Columns, Following = 0 };
            float* y = operands.Y + product * operands.YNext;
            for (var row = 0; row < rows; row += Tile.MaxRows)
            {
                var count = Math.Min(Tile.MaxRows, rows - row);
                if (operands.Accumulate)
                    for (var r = 0; r < count; r++) new ReadOnlySpan<float>(y + r * operands.YRow, Width).CopyTo(new Span<float>(beside + r * Tile.Columns, Width));
                Tile.Multiply(count, 1, single);
                for (var r = 0; r < count; r++) new ReadOnlySpan<float>(beside + r * Tile.Columns, Width).CopyTo(new Span<float>(y + r * operands.YRow, Width));
                single.X += count * operands.XRow;
                y += count * operands.YRow;
            }
        }
    }
}

/// <summary>The location of the right operand [depth, columns]: element (s, k, c) is at Data + Segments[s] + k Step + c ColumnStep.</summary>
unsafe readonly record struct PanelSource(nint Data, nint[] Segments, int Length, nint Step, nint ColumnStep)
{
    public int Depth => Segments.Length * Length;
}

/// <summary>The right operand of a product, a filter or a matrix. It is cut into <see cref="Panel"/>s and packed if that pays.</summary>
sealed unsafe class Panels : IDisposable
{
    // Rows of a wide matrix are pages apart, so they are fetched ahead.
    const int RowsAhead = 12;

    // Packing does not pay for fewer rows.
    const int RowsWorthPacking = 64;

    readonly Storage? packed;
    readonly PanelSource? unpacked;

    /// <param name="source">The operand.</param>
    /// <param name="columns">The columns of the operand.</param>
    /// <param name="rows">The rows of the left operand; each row reads the whole right operand.</param>
    /// <param name="tiles">The tiles that cover the columns; those of dense products if null.</param>
    public Panels(PanelSource source, int columns, long rows, Tile[]? tiles = null)
    {
        Depth = source.Depth;
        All = Cut(columns, tiles);
        var inOrder = source.Depth > 0 && source.ColumnStep == 1 && All.All(panel => panel.Width == panel.Tile.Columns) && IsUniform(source);
        if (inOrder && (All.Length == 1 || rows < RowsWorthPacking))
        {
            for (var i = 0; i < All.Length; i++)
                All[i] = All[i] with { Data = source.Data + sizeof(float) * (source.Segments[0] + All[i].Column), Step = source.Step };
            return;
        }

        packed = Packed(source, columns, tiles);
        Place();
    }

    /// <summary>Panels over memory that the caller has written or will write: row k of a panel at Data + k Step.</summary>
    /// <param name="depth">The rows of the panels.</param>
    /// <param name="columns">The columns of the panels.</param>
    /// <param name="memory">Memory from <see cref="Allocate"/>; the panels take over the caller's share.</param>
    /// <param name="tiles">The tiles that cover the columns; those of dense products if null.</param>
    public Panels(int depth, int columns, Storage memory, Tile[]? tiles = null)
    {
        Depth = depth;
        All = Cut(columns, tiles);
        packed = memory;
        Place();
    }

    // Panels that are not packed yet.
    Panels(PanelSource source, int columns)
    {
        Depth = source.Depth;
        All = [.. Cut(columns).Select(panel => panel with { Step = panel.Tile.Columns })];
        unpacked = source;
    }

    /// <summary>Panels of a matrix whose users pack the part that they need, by <see cref="PackPart"/>.</summary>
    public static Panels Unpacked(PanelSource source, int columns) => new(source, columns);

    /// <summary>Whether the panels have no data until a user packs them.</summary>
    public bool AreUnpacked => unpacked is not null;

    /// <summary>Packs some rows of a panel into memory of the calling thread.</summary>
    /// <param name="panel">One of <see cref="All"/>.</param>
    /// <param name="from">The first row.</param>
    /// <param name="rows">The number of rows.</param>
    public float* PackPart(in Panel panel, int from, int rows)
    {
        var source = unpacked!.Value;
        var part = source with { Data = source.Data + sizeof(float) * from * source.Step, Length = rows };
        var memory = ThreadScratch.Operand((long)rows * panel.Tile.Columns);
        Pack(part, 0, panel, memory);
        return memory;
    }

    /// <summary>Allocates the panels of an operand.</summary>
    /// <exception cref="ArgumentException">The panels need more elements than a storage can hold.</exception>
    public static Storage Allocate(int depth, int columns, Tile[]? tiles = null)
    {
        var elements = (long)depth * Cut(columns, tiles).Sum(panel => panel.Tile.Columns);
        Check.That(elements <= int.MaxValue, "MatMul", $"the right operand of {depth} rows and {columns} columns takes {elements} elements in panels, expected 2^31 - 1 at most; split the sum over its rows.");
        return new(Device.Cpu, (int)elements);
    }

    /// <summary>Writes an operand into panels.</summary>
    public static Storage Packed(PanelSource source, int columns, Tile[]? tiles = null)
    {
        var memory = Allocate(source.Depth, columns, tiles);
        using var panels = new Panels(source.Depth, columns, memory.Retain(), tiles);
        ThreadTeam.Run(panels.All.Length * source.Segments.Length, new PackJob(source, panels.All));
        return memory;
    }

    public Panel[] All { get; }

    /// <summary>The number of rows of the operand: the length of the sum.</summary>
    public int Depth { get; }

    public void Dispose() => packed?.Release();

    void Place()
    {
        var target = packed!.Pointer();
        for (var i = 0; i < All.Length; i++)
        {
            All[i] = All[i] with { Data = (nint)target, Step = All[i].Tile.Columns };
            target += (long)Depth * All[i].Tile.Columns;
        }
    }

    /// <summary>Covers columns with tiles, the widest first.</summary>
    public static Panel[] Cut(int columns, Tile[]? tiles = null)
    {
        tiles ??= Tile.All;
        var count = 0;
        for (var left = columns; left > 0; left -= WidestWithin(left, tiles).Columns) count++;
        var panels = new Panel[count];
        for (int i = 0, column = 0; i < count; column += panels[i++].Width)
        {
            var tile = WidestWithin(columns - column, tiles);
            panels[i] = new Panel(tile, column, Math.Min(columns - column, tile.Columns), 0, 0);
        }

        return panels;
    }

    static Tile WidestWithin(int columns, Tile[] tiles)
    {
        foreach (var tile in tiles)
            if (tile.Columns <= columns) return tile;
        return tiles[^1];
    }

    static bool IsUniform(PanelSource source)
    {
        for (var s = 1; s < source.Segments.Length; s++)
            if (source.Segments[s] - source.Segments[s - 1] != source.Length * source.Step) return false;
        return true;
    }

    // Writes the rows of a segment, for the columns of a panel.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Pack(PanelSource source, int segment, in Panel panel, float* to)
    {
        int width = panel.Width, columns = panel.Tile.Columns, length = source.Length;
        float* from = (float*)source.Data + source.Segments[segment] + panel.Column * source.ColumnStep;
        if (width < columns) new Span<float>(to, length * columns).Clear();

        if (source.ColumnStep == 1)
        {
            for (var k = 0; k < length; k++)
            {
                CacheLines.Prefetch(from + (k + RowsAhead) * source.Step, width);
                new ReadOnlySpan<float>(from + k * source.Step, width).CopyTo(new Span<float>(to + k * columns, width));
            }

            return;
        }

        if (source.Step == 1)
        {
            BlockTranspose.Large(from, source.ColumnStep, to, columns, width, length);
            return;
        }

        for (var c = 0; c < width; c++)
            for (var k = 0; k < length; k++) to[k * columns + c] = from[k * source.Step + c * source.ColumnStep];
    }

    readonly struct PackJob(PanelSource source, Panel[] panels) : IChunkedJob
    {
        public void Run(int chunk)
        {
            var panel = panels[chunk / source.Segments.Length];
            var segment = chunk % source.Segments.Length;
            Pack(source, segment, panel, (float*)panel.Data + (long)segment * source.Length * panel.Tile.Columns);
        }
    }
}

/// <summary>
/// Cuts a long sum into blocks. The part of a panel that a block needs stays in the L2 cache while all rows of a band pass over it. The blocks are short enough
/// for their sums to lose only a few units in the last place. The sums of the blocks are added up.
/// </summary>
readonly struct DepthBlocks(int depth, int columns)
{
    const int PanelBytes = 80 * 1024;

    const int LongestSum = 640;

    public int Count { get; } = Math.Max(1, (depth + Longest(columns) - 1) / Longest(columns));

    static int Longest(int columns) => Math.Clamp(PanelBytes / (sizeof(float) * columns), 1, LongestSum);

    /// <summary>Restricts operands that describe the whole sum to one block of it.</summary>
    public unsafe void Restrict(int block, in Panel panel, ref TileOperands operands)
    {
        int from = (int)((long)depth * block / Count), to = (int)((long)depth * (block + 1) / Count);
        operands.XOffsets += from;
        operands.Depth = to - from;
        operands.F = (float*)panel.Data + from * panel.Step;
        operands.FStep = panel.Step;
        operands.Accumulate = block > 0;
    }
}
