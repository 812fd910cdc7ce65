using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuKernels
{
    // Floor: MultiplyAdds over the FMA peak. A chunk is a block of rows, times all columns or, if rows are few, times one panel.
    public override void MatMul(Operand a, Operand b, MatMulGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        epilogue.Statistics?.CheckRows(geometry.Batch * geometry.M);
        if (y.Length == 0) return;
        var sharedB = geometry.Batch == 1 || geometry.StrideB == 0;
        var step = geometry.TransposeB ? (1, geometry.K) : (geometry.N, 1);
        var panels = new Panels[sharedB ? 1 : geometry.Batch];
        for (var i = 0; i < panels.Length; i++)
        {
            var source = new PanelSource((nint)(b.Pointer() + (nint)i * geometry.StrideB), [0], geometry.K, step.Item1, step.Item2);
            panels[i] = MatrixProduct.PacksByColumns(geometry) ? Panels.Unpacked(source, geometry.N) : new Panels(source, geometry.N, sharedB ? (long)geometry.Batch * geometry.M : geometry.M);
        }

        new MatrixProduct(a.Pointer(), panels, geometry, y.Pointer(), EpilogueKernel.Of(epilogue, geometry.N)).Run();
        foreach (var operand in panels) operand.Dispose();
    }
}

/// <summary>y[i] = op(a[i]) b[i] over panels of b.</summary>
sealed unsafe class MatrixProduct(float* a, Panels[] operands, MatMulGeometry geometry, float* y, EpilogueKernel? epilogue)
{
    const int ChunksWanted = 32;
    const int MaxRows = 120;

    // The bytes of the rows of y that are still in a cache when their epilogue runs: the L1 cache if the sums are short; otherwise the L2 cache, whose reads take a hundredth of the time of the sums.
    int BandBytes => geometry.K < 64 ? 16 * 1024 : 256 * 1024;

    // The rows of the highest tile. Every band reads all of b, so a band of wide rows has this number of rows, even if they do not fit in the L1 cache.
    const int TileRows = 12;

    // Beside a block of a packed panel, this part of b stays in the L2 cache.
    const int CachedBytes = 512 * 1024;

    readonly int chunkRows = ChunkRows(geometry);

    int BandRows => (int)Math.Max(TileRows, BandBytes / (sizeof(float) * (long)geometry.N) / TileRows * TileRows);

    int RowChunks => (geometry.M + chunkRows - 1) / chunkRows;

    // If there are too few rows for all threads, the columns are split too, and the epilogue follows when all columns of a row have been computed.
    bool SplitsColumns => operands[0].AreUnpacked || geometry.Batch * RowChunks < ChunksWanted / 4 && operands[0].All.Length > 1;

    // The rows of a chunk that has the columns of one panel. A chunk that packs has many rows, for which it packs once.
    int PanelRows => operands[0].AreUnpacked ? Math.Max(MaxRows, (geometry.M + PanelParts - 1) / PanelParts) : chunkRows;

    int PanelParts => Math.Max(1, ChunksWanted / 2 / operands[0].All.Length);

    int PanelChunks => operands[0].All.Length * geometry.Batch * ((geometry.M + PanelRows - 1) / PanelRows);

    /// <summary>
    /// Whether each chunk has all rows of some columns, and packs them itself. Chunks of a few rows would read all of b, packed, from the L3 cache; if b is larger than the L2 cache and the rows are
    /// few, this takes longer than the multiply-adds.
    /// </summary>
    public static bool PacksByColumns(MatMulGeometry geometry) =>
        geometry.Batch == 1 && geometry.M is >= 48 and <= ChunksWanted * 48 && sizeof(float) * (long)geometry.K * geometry.N > CachedBytes;

    public void Run()
    {
        var chunks = geometry.Batch * RowChunks;
        epilogue?.Start(chunks);
        if (SplitsColumns)
        {
            ThreadTeam.Run(PanelChunks, new PanelJob(this));
            if (epilogue is not null) ThreadTeam.Run(chunks, new EpilogueJob(this));
        }
        else
        {
            ThreadTeam.Run(chunks, new RowsJob(this));
        }

        epilogue?.Finish();
    }

    // A chunk has enough work to be worth a hand-over, and the tiles of a full chunk have full height.
    static int ChunkRows(MatMulGeometry geometry)
    {
        var rows = (int)Math.Min(MaxRows, ((long)geometry.Batch * geometry.M + ChunksWanted - 1) / ChunksWanted);
        var worthwhile = (int)Math.Min(MaxRows, 1 + (64 << 10) / Math.Max(1, (long)geometry.N * geometry.K));
        return Math.Clamp((Math.Max(rows, worthwhile) + TileRows - 1) / TileRows * TileRows, TileRows, MaxRows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void RunRows(int chunk)
    {
        int batch = chunk / RowChunks, first = chunk % RowChunks * chunkRows, end = Math.Min(geometry.M, first + chunkRows);
        var bandRows = epilogue is null ? chunkRows : BandRows;
        var panels = operands[operands.Length == 1 ? 0 : batch].All;
        var left = Left(batch, first);
        if (geometry.TransposeA && panels.Length >= 4 && sizeof(float) * (end - first) * (long)geometry.K <= CachedBytes / 2) left = InRows(left, end - first);
        for (var row = first; row < end; row += bandRows)
        {
            var rows = Math.Min(bandRows, end - row);
            foreach (var panel in panels) Multiply(left.From(row - first), batch, row, rows, panel);
            ApplyEpilogue(chunk, batch, row, rows);
        }
    }

    /// <summary>Rows of the left operand: element (r, k) is at X + r RowStep + k Step.</summary>
    readonly record struct LeftRows(nint X, nint RowStep, int Step)
    {
        public LeftRows From(int row) => this with { X = X + sizeof(float) * row * RowStep };
    }

    LeftRows Left(int batch, int firstRow)
    {
        var (rowStep, step) = geometry.TransposeA ? (1, geometry.M) : (geometry.K, 1);
        return new LeftRows((nint)(a + (nint)batch * geometry.StrideA), rowStep, step).From(firstRow);
    }

    // The columns of a transposed operand are a cache line each, and lines whose distance is a power of two evict one another. So its rows are copied once for all panels.
    LeftRows InRows(LeftRows left, int rows)
    {
        var copy = ThreadScratch.Window((long)rows * geometry.K);
        BlockTranspose.Large((float*)left.X, left.Step, copy, geometry.K, geometry.K, rows);
        return new LeftRows((nint)copy, geometry.K, 1);
    }

    void RunPanel(int chunk)
    {
        int panels = operands[0].All.Length, parts = (geometry.M + PanelRows - 1) / PanelRows;
        int rowChunk = chunk / panels, batch = rowChunk / parts, first = rowChunk % parts * PanelRows;
        Multiply(Left(batch, first), batch, first, Math.Min(PanelRows, geometry.M - first), operands[operands.Length == 1 ? 0 : batch].All[chunk % panels]);
    }

    void RunEpilogue(int chunk)
    {
        int batch = chunk / RowChunks, first = chunk % RowChunks * chunkRows;
        ApplyEpilogue(chunk, batch, first, Math.Min(chunkRows, geometry.M - first));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Multiply(LeftRows left, int batch, int firstRow, int rows, in Panel panel)
    {
        var offsets = ThreadScratch.Offsets(geometry.K);
        for (var k = 0; k < geometry.K; k++) offsets[k] = k * left.Step;
        var whole = new TileOperands
        {
            X = (float*)left.X, XRow = left.RowStep, XOffsets = offsets,
            Y = y + ((nint)batch * geometry.M + firstRow) * geometry.N + panel.Column, YRow = geometry.N,
        };
        var depth = new DepthBlocks(geometry.K, panel.Tile.Columns);
        for (var block = 0; block < depth.Count; block++)
        {
            var operand = whole;
            depth.Restrict(block, panel, ref operand);
            if (operands[0].AreUnpacked) operand.F = operands[0].PackPart(panel, (int)(operand.XOffsets - offsets), operand.Depth);
            panel.Multiply(rows, operand);
        }
    }

    void ApplyEpilogue(int chunk, int batch, int firstRow, int rows)
    {
        var offset = ((nint)batch * geometry.M + firstRow) * geometry.N;
        epilogue?.Apply(chunk, y + offset, offset, rows);
    }

    readonly struct RowsJob(MatrixProduct product) : IChunkedJob
    {
        public void Run(int chunk) => product.RunRows(chunk);
    }

    readonly struct PanelJob(MatrixProduct product) : IChunkedJob
    {
        public void Run(int chunk) => product.RunPanel(chunk);
    }

    readonly struct EpilogueJob(MatrixProduct product) : IChunkedJob
    {
        public void Run(int chunk) => product.RunEpilogue(chunk);
    }
}
