namespace QuadEngine.Devices.Cpu;

// Floors: forward and backward are one pass each over their operands; inside a projection the forward needs no pass.
sealed unsafe partial class CpuKernels
{
    public override void Quadratic(Operand z, QuadraticTerm<Operand> term, Operand y) => new QuadraticPass(term, z.Shape.Rows).Forward(z.Pointer(), y.Pointer());

    public override void QuadraticBackward(Operand dy, Operand y, QuadraticGradient<Operand> neurons, Operand? dz) =>
        new QuadraticPass(neurons.Term, y.Shape.Rows).Backward(dy.Pointer(), y.Pointer(), neurons, dz.PointerOrNull());
}

/// <summary>The quadratic neurons of all rows. A chunk is a block of rows.</summary>
sealed unsafe class QuadraticPass(QuadraticTerm<Operand> term, int rows)
{
    const int ElementsOfChunk = 16 * 1024;

    readonly QuadraticRows neurons = new(term);
    readonly int chunkRows = Math.Max(1, ElementsOfChunk / term.Layout.Channels);

    int Chunks => (rows + chunkRows - 1) / chunkRows;

    int Channels => term.Layout.Channels;

    public void Forward(float* z, float* y) => ThreadTeam.Run(Chunks, chunk =>
    {
        nint start = (nint)chunk * chunkRows * Channels;
        neurons.Forward(z + start, y + start, RowsOf(chunk));
    });

    /// <param name="d">May be dz.</param>
    /// <param name="y">[y, f]</param>
    /// <param name="gradient">The neurons, whether f is detached, and the output dLambda.</param>
    /// <param name="dz">The output, or null.</param>
    /// <param name="write">Computes d for a block of rows (arguments: the first row and the number of rows); it is called just before the block is read. Null if d is computed already.</param>
    public void Backward(float* d, float* y, QuadraticGradient<Operand> gradient, float* dz, Action<int, int>? write = null)
    {
        // The sums over the rows of each chunk; they are added up in order at the end.
        var dLambda = gradient.DLambda.PointerOrNull();
        var sums = dLambda is null ? [] : new float[Chunks * Channels];
        ThreadTeam.Run(Chunks, chunk =>
        {
            fixed (float* sum = sums)
            {
                int end = chunk * chunkRows + RowsOf(chunk), blockRows = neurons.BackwardBlockRows;
                for (var row = chunk * chunkRows; row < end; row += blockRows)
                {
                    var rows = Math.Min(blockRows, end - row);
                    write?.Invoke(row, rows);
                    nint start = (nint)row * Channels;
                    neurons.Backward(d + start, y + start, dz is null ? null : dz + start, sum is null ? null : sum + chunk * Channels, gradient.Detached, rows);
                }
            }
        });
        if (dLambda is null) return;

        for (var i = 0; i < term.Layout.Coefficients; i++)
        {
            var channel = term.Layout.ChannelOf(i);
            double sum = 0;
            for (var chunk = 0; chunk < Chunks; chunk++) sum += sums[chunk * Channels + channel];
            dLambda[i] = (float)(sum * term.Layout.ScaleOf(channel / term.Layout.Stride, term.Normalized));
        }
    }

    int RowsOf(int chunk) => Math.Min(chunkRows, rows - chunk * chunkRows);
}
