using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// The epilogue of a projection, applied band by band to rows that have just been computed and are still in the nearest cache, so
/// that each of its passes costs a few cycles a vector, against the hundreds of the projection.
/// </summary>
sealed unsafe class EpilogueKernel
{
    readonly int channels;
    readonly float* bias, scale, shift, residual;
    readonly bool relu;
    readonly QuadraticRows? neurons;
    readonly ChannelStatistics? statistics;
    double[] moments = [];
    int[] rowsOfChunk = [];

    EpilogueKernel(in Epilogue epilogue, int channels)
    {
        this.channels = channels;
        bias = PointerOf(epilogue.Bias);
        scale = PointerOf(epilogue.Scale);
        shift = PointerOf(epilogue.Shift);
        residual = PointerOf(epilogue.Residual);
        relu = epilogue.Relu;
        neurons = epilogue.Quadratic is { } term ? new QuadraticRows(term) : null;
        statistics = epilogue.Statistics;
    }

    /// <summary>The kernel, or null where there is nothing to do.</summary>
    public static EpilogueKernel? Of(in Epilogue epilogue, int channels) => epilogue.IsEmpty ? null : new EpilogueKernel(epilogue, channels);

    /// <summary>Makes room for the statistics of so many chunks.</summary>
    public void Start(int chunks)
    {
        if (statistics is null) return;
        moments = new double[2 * chunks * channels];
        rowsOfChunk = new int[chunks];
    }

    /// <summary>Treats a band of rows of y [rows, channels]; the bands of a chunk come one after the other.</summary>
    /// <param name="chunk">The chunk that the band belongs to, for the statistics.</param>
    /// <param name="y">The band.</param>
    /// <param name="offset">Where the band begins in the whole result, and in the residual.</param>
    /// <param name="rows">Rows of the band.</param>
    public void Apply(int chunk, float* y, nint offset, int rows)
    {
        if (bias is not null) RowPass.Run(new AffinePass(null, bias, null, false), y, rows, channels);
        neurons?.Forward(y, y, rows);
        if (statistics is not null)
        {
            fixed (double* chunkMoments = &moments[2 * chunk * channels])
                RowPass.Run(new MomentsPass(chunkMoments, rowsOfChunk[chunk]), y, rows, channels);
            rowsOfChunk[chunk] += rows;
        }

        if (scale is not null || residual is not null || relu)
            RowPass.Run(new AffinePass(scale, shift, residual is null ? null : residual + offset, relu), y, rows, channels);
    }

    /// <summary>Puts the chunks' statistics together, in their order.</summary>
    public void Finish()
    {
        if (statistics is null) return;
        for (var c = 0; c < channels; c++)
        {
            double mean = 0, squares = 0;
            long rows = 0;
            for (var chunk = 0; chunk < rowsOfChunk.Length; chunk++)
            {
                var at = 2 * chunk * channels + c;
                Moments.Merge(ref mean, ref squares, rows, moments[at], moments[at + channels], rowsOfChunk[chunk]);
                rows += rowsOfChunk[chunk];
            }

            var variance = squares / Math.Max(1, rows);
            statistics.Mean.Pointer()[c] = (float)mean;
            statistics.Variance.Pointer()[c] = (float)variance;
            Update(statistics.RunningMean, c, mean);
            Update(statistics.RunningVariance, c, squares / Math.Max(1, rows - 1));
        }
    }

    void Update(Tensor? running, int channel, double value)
    {
        if (running is null) return;
        var target = running.Pointer() + channel;
        *target = (1 - statistics!.Momentum) * *target + statistics.Momentum * (float)value;
    }

    static float* PointerOf(Tensor? tensor) => tensor is null ? null : tensor.Pointer();
}
