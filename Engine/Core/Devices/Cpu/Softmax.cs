using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

// Floor: a row is read once from memory and stays in the L1 cache for its maximum, its sum and its result.
sealed unsafe partial class CpuKernels
{
    public override void Softmax(Operand x, bool logarithm, Operand y)
    {
        var channels = x.Shape.Channels;
        float* input = x.Pointer(), result = y.Pointer();
        ForEachJob(x.Shape.Rows, channels, row =>
        {
            var at = (nint)row * channels;
            if (logarithm) LogSoftmaxRow(input + at, channels, result + at);
            else SoftmaxRow(input + at, channels, result + at);
        });
    }

    public override void SoftmaxBackward(Operand dy, Operand y, bool logarithm, Operand dx)
    {
        var channels = y.Shape.Channels;
        float* upstream = dy.Pointer(), output = y.Pointer(), result = dx.Pointer();
        ForEachJob(y.Shape.Rows, channels, row =>
        {
            var at = (nint)row * channels;
            SoftmaxBackwardRow(upstream + at, output + at, channels, logarithm, result + at);
        });
    }

    public override void CrossEntropy(Operand logits, Operand labels, float smoothing, Operand probabilities, Operand losses)
    {
        CrossEntropyOp.CheckLabels(new(labels.Integers(), labels.Length), logits.Shape);
        var channels = logits.Shape.Channels;
        float* input = logits.Pointer(), output = probabilities.Pointer(), result = losses.Pointer();
        var label = labels.Integers();
        ForEachJob(logits.Shape.Rows, channels, row =>
        {
            var at = input + (nint)row * channels;
            var (largest, sum) = SoftmaxRow(at, channels, output + (nint)row * channels);
            var logSum = MathF.Log(sum);
            result[row] = (1f - smoothing) * (logSum - (at[label[row]] - largest));
            if (smoothing != 0f) result[row] += smoothing * (logSum - (float)RowMoments(at, channels, largest).Mean);
        });
    }

    public override void CrossEntropyBackward(Operand dLosses, Operand probabilities, Operand labels, float smoothing, Operand dLogits)
    {
        CrossEntropyOp.CheckLabels(new(labels.Integers(), labels.Length), probabilities.Shape);
        var channels = probabilities.Shape.Channels;
        float* upstream = dLosses.Pointer(), input = probabilities.Pointer(), result = dLogits.Pointer();
        var label = labels.Integers();
        ForEachJob(probabilities.Shape.Rows, channels, row =>
        {
            var at = (nint)row * channels;
            var ofLabel = upstream[row] * (input[at + label[row]] - (1f - smoothing) - smoothing / channels);
            Sweep.Rows(new ScaleKernel(input + at, smoothing / channels, upstream[row], result + at), 0, channels, channels, 0);
            result[at + label[row]] = ofLabel;
        });
    }

    // Computes y = softmax(x), and returns the largest x and the sum of exp(x - largest).
    static (float Largest, float Sum) SoftmaxRow(float* x, int channels, float* y)
    {
        var largest = RowLanes.Largest(x, channels);
        Sweep.Rows(new ExponentialKernel(x, largest, y), 0, channels, channels, 0);
        var sum = (float)RowLanes.Sum(new ValueTerms(y), channels);
        Sweep.Rows(new ScaleKernel(y, 0f, 1f / sum, y), 0, channels, channels, 0);
        return (largest, sum);
    }

    // y = (x - largest) - log sum exp(x - largest). The exponentials are computed piece by piece, because y may be x.
    [SkipLocalsInit]
    static void LogSoftmaxRow(float* x, int channels, float* y)
    {
        const int piece = 512;
        var exponentials = stackalloc float[piece];
        var largest = RowLanes.Largest(x, channels);
        var sum = 0.0;
        for (var start = 0; start < channels; start += piece)
        {
            var count = Math.Min(piece, channels - start);
            Sweep.Rows(new ExponentialKernel(x + start, largest, exponentials), 0, count, count, 0);
            sum += RowLanes.Sum(new ValueTerms(exponentials), count);
        }

        Sweep.Rows(new ShiftKernel(x, largest, (float)Math.Log(sum), y), 0, channels, channels, 0);
    }

    static void SoftmaxBackwardRow(float* dy, float* y, int channels, bool logarithm, float* dx)
    {
        var sum = logarithm ? RowLanes.Sum(new ValueTerms(dy), channels) : RowLanes.Sum(new ProductTerms(dy, y), channels);
        Sweep.Rows(new SoftmaxGradientKernel(dy, y, logarithm, (float)sum, dx), 0, channels, channels, 0);
    }
}

/// <summary>y = exp(x - shift).</summary>
readonly unsafe struct ExponentialKernel(float* x, float shift, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T> =>
        lanes.Store(y + i, VectorMath.Exp(lanes.Load(x + i) - shift));
}

/// <summary>y = scale (x - shift).</summary>
readonly unsafe struct ScaleKernel(float* x, float shift, float scale, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T> => lanes.Store(y + i, scale * (lanes.Load(x + i) - shift));
}

/// <summary>y = (x - first) - second.</summary>
readonly unsafe struct ShiftKernel(float* x, float first, float second, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T> => lanes.Store(y + i, lanes.Load(x + i) - first - second);
}

/// <summary>dx = y (dy - sum), or dy - exp(y) sum for the logarithm.</summary>
readonly unsafe struct SoftmaxGradientKernel(float* dy, float* y, bool logarithm, float sum, float* dx) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        T gradient = lanes.Load(dy + i), output = lanes.Load(y + i);
        lanes.Store(dx + i, logarithm ? gradient - VectorMath.Exp(output) * sum : output * (gradient - sum));
    }
}
