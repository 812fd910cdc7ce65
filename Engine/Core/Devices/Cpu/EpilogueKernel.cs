using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// The epilogue of a projection. It is applied band by band to rows that have just been computed and are still in the L1 cache, so
/// each of its passes costs a few cycles per vector, while the projection costs hundreds.
/// </summary>
sealed unsafe class EpilogueKernel
{
    const int Sample = 8;

    readonly int channels;
    readonly float* bias, scale, shift, residual;
    readonly Activation activation;
    // The highest result of an activation that clamps to [0, ceiling]; null for other functions.
    readonly float? ceiling;
    readonly QuadraticRows? neurons;
    readonly ChannelStatistics<Operand>? statistics;
    // For each chunk: the number of its rows so far, the mean of the first few rows, and the sums of the deviations from this mean and of their squares.
    int[] rowsOfChunk = [];
    float[] centers = [];
    double[] sums = [];

    EpilogueKernel(in Epilogue<Operand> epilogue, int channels)
    {
        this.channels = channels;
        bias = epilogue.Bias.PointerOrNull();
        scale = epilogue.Scale.PointerOrNull();
        shift = epilogue.Shift.PointerOrNull();
        residual = epilogue.Residual.PointerOrNull();
        activation = epilogue.Activation;
        ceiling = activation == Activation.Relu ? float.PositiveInfinity : activation == Activation.Relu6 ? 6f : null;
        neurons = epilogue.Quadratic is { } term ? new QuadraticRows(term) : null;
        statistics = epilogue.Statistics;
    }

    /// <summary>The kernel, or null if there is nothing to do.</summary>
    public static EpilogueKernel? Of(in Epilogue<Operand> epilogue, int channels) => epilogue.IsEmpty ? null : new EpilogueKernel(epilogue, channels);

    /// <summary>Allocates the statistics of the given number of chunks.</summary>
    public void Start(int chunks)
    {
        if (statistics is null) return;
        rowsOfChunk = new int[chunks];
        centers = new float[chunks * channels];
        sums = new double[2 * chunks * channels];
    }

    /// <summary>Applies the epilogue to a band of rows of y [rows, channels]. The bands of a chunk come one after the other.</summary>
    /// <param name="chunk">The chunk that the band belongs to, for the statistics.</param>
    /// <param name="y">The band.</param>
    /// <param name="offset">The position at which the band begins in the whole result and in the residual.</param>
    /// <param name="rows">Rows of the band.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply(int chunk, float* y, nint offset, int rows)
    {
        if (bias is not null) RowPass.Run(new AffinePass(null, bias, null, null), y, rows, channels);
        neurons?.Forward(y, y, rows);
        if (statistics is not null) Gather(chunk, y, rows);
        if (scale is not null || residual is not null || ceiling is not null)
            RowPass.Run(new AffinePass(scale, shift, residual is null ? null : residual + offset, ceiling), y, rows, channels);

        // The pass above clamps, in two instructions. Another function takes a pass of its own over the band, which is in the L1 cache.
        if (ceiling is null) activation.Accept(new ActivationPass(y, (nint)rows * channels));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Gather(int chunk, float* y, int rows)
    {
        fixed (float* center = &centers[chunk * channels])
        fixed (double* sum = &sums[2 * chunk * channels])
        {
            if (rowsOfChunk[chunk] == 0)
                for (var c = 0; c < channels; c++) center[c] = MeanOfFirst(Math.Min(rows, Sample), y + c);
            RowPass.Run(new DeviationsPass(center, sum), y, rows, channels);
        }

        rowsOfChunk[chunk] += rows;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    float MeanOfFirst(int rows, float* column)
    {
        var sum = 0.0;
        for (var row = 0; row < rows; row++) sum += column[row * channels];
        return (float)(sum / rows);
    }

    /// <summary>Combines the statistics of the chunks, in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Finish()
    {
        if (statistics is null) return;
        for (var chunk = 0; chunk < rowsOfChunk.Length; chunk++)
        {
            for (var c = 0; c < channels; c++)
            {
                ref double mean = ref sums[2 * chunk * channels + c], squares = ref sums[(2 * chunk + 1) * channels + c];
                squares -= mean * mean / rowsOfChunk[chunk];
                mean = centers[chunk * channels + c] + mean / rowsOfChunk[chunk];
            }
        }

        fixed (double* moments = sums) ChannelMoments.Combine(moments, rowsOfChunk, statistics);
    }
}

/// <summary>y = act(y) of a band.</summary>
readonly unsafe struct ActivationPass(float* y, nint length) : IActivationVisitor
{
    public void Visit<TOp>() where TOp : struct, IUnaryOp<TOp> => Sweep.Rows(Mapped.Of(default(UnaryFunction<TOp>), y, y), 0, length, length, 0);
}
