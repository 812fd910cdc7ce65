using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// Describes a sweep over a matrix [rows, channels]: in chunks of rows, each a sequence of tiles that hold one or several rows side by side.
/// Parameters of the channels are repeated to the width of a tile. Sums of the channels are collected in one tile and folded at the
/// end. So vectors are full for any number of channels, and long sums are split over many lanes.
/// </summary>
/// <remarks>Everything here depends on the shape alone, and not on threads or on the width of vectors.</remarks>
readonly unsafe struct ChannelTile
{
    const int WidestVector = 16, LeastWidth = 256, GreatestWidth = 2048, FewestRows = 16;

    /// <param name="rows">Rows of the matrix, at least 1.</param>
    /// <param name="channels">Channels, at least 1.</param>
    public ChannelTile(int rows, int channels)
    {
        Rows = rows;
        Channels = channels;
        var copies = 1;
        while (copies < WidestVector && copies * channels % WidestVector != 0) copies *= 2;
        if (copies * channels > GreatestWidth) copies = 1;
        copies *= Math.Max(1, LeastWidth / (copies * channels));
        Copies = Math.Min(copies, rows);
        RowsPerChunk = Math.Min(rows, Math.Max(FewestRows, Sweep.Chunk / channels));
    }

    public int Rows { get; }

    public int Channels { get; }

    /// <summary>The number of rows that lie side by side in a tile.</summary>
    public int Copies { get; }

    /// <summary>The number of elements in a tile.</summary>
    public int Width => Copies * Channels;

    public int RowsPerChunk { get; }

    public int Chunks => (Rows + RowsPerChunk - 1) / RowsPerChunk;

    /// <summary>The number of rows in a chunk; the last chunk may have fewer.</summary>
    public int RowsOf(int chunk) => Math.Min(RowsPerChunk, Rows - chunk * RowsPerChunk);

    /// <summary>Sweeps one chunk of the matrix.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void SweepChunk<TKernel>(TKernel kernel, int chunk) where TKernel : struct, IVectorKernel =>
        SweepRows(kernel, chunk * RowsPerChunk, RowsOf(chunk));

    /// <summary>Sweeps some rows of the matrix.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void SweepRows<TKernel>(TKernel kernel, int first, int rows) where TKernel : struct, IVectorKernel =>
        Sweep.Rows(kernel, (nint)first * Channels, (nint)rows * Channels, Width, Width);

    /// <summary>Sweeps the whole matrix on all cores, for kernels whose elements do not depend on one another.</summary>
    public void SweepAll<TKernel>(TKernel kernel) where TKernel : struct, IVectorKernel
    {
        var tile = this;
        ThreadTeam.Run(Chunks, chunk => tile.SweepChunk(kernel, chunk));
    }

    /// <summary>Repeats the parameters at the start of a tile over the rest of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Repeat(float* tile)
    {
        for (var i = Channels; i < Width; i++) tile[i] = tile[i - Channels];
    }

    /// <summary>The sum over the copies of one channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public double Fold(float* tile, int channel)
    {
        var sum = 0.0;
        for (var i = channel; i < Width; i += Channels) sum += tile[i];
        return sum;
    }
}
