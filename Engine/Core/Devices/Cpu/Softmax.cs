using System.Numerics;
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
            Sweep.Rows(new ScaleKernel(input + at, new(smoothing / channels), new(upstream[row]), result + at), 0, channels, channels, 0);
            result[at + label[row]] = ofLabel;
        });
    }

    // Computes y = softmax(x), and returns the largest x and the sum of exp(x - largest).
    [SkipLocalsInit]
    static (float Largest, float Sum) SoftmaxRow(float* x, int channels, float* y)
    {
        var sums = stackalloc float[RowLanes.Count];
        var largest = Largest(x, channels);
        var sum = (float)RowLanes.Sum(new ExponentialKernel(x, new(largest), y, sums), channels, sums);
        Sweep.Rows(new ScaleKernel(y, Vector<float>.Zero, new(1f / sum), y), 0, channels, channels, 0);
        return (largest, sum);
    }

    // y = (x - largest) - log sum exp(x - largest); the exponentials are not kept.
    [SkipLocalsInit]
    static void LogSoftmaxRow(float* x, int channels, float* y)
    {
        var sums = stackalloc float[RowLanes.Count];
        var largest = Largest(x, channels);
        var sum = RowLanes.Sum(new ExponentialKernel(x, new(largest), null, sums), channels, sums);
        Sweep.Rows(new ShiftKernel(x, new(largest), new((float)Math.Log(sum)), y), 0, channels, channels, 0);
    }

    [SkipLocalsInit]
    static void SoftmaxBackwardRow(float* dy, float* y, int channels, bool logarithm, float* dx)
    {
        var sums = stackalloc float[RowLanes.Count];
        var sum = RowLanes.Sum(new ProductSumKernel(dy, logarithm ? null : y, sums), channels, sums);
        Sweep.Rows(new SoftmaxGradientKernel(dy, y, logarithm, new((float)sum), dx), 0, channels, channels, 0);
    }

    [SkipLocalsInit]
    static float Largest(float* x, int channels)
    {
        var lanes = stackalloc float[RowLanes.Count];
        RowLanes.Clear<MaxOp>(lanes);
        Sweep.Rows(new FoldKernel<MaxOp>(x, lanes), 0, channels, RowLanes.Count, RowLanes.Count);
        return RowLanes.Fold<MaxOp>(lanes);
    }
}

/// <summary>y = exp(x - largest), unless y is null, and sums[t] += exp(x - largest).</summary>
readonly unsafe struct ExponentialKernel(float* x, Vector<float> largest, float* y, float* sums) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TLanes>(nint i, nint t, TLanes lanes) where TLanes : struct, ILanes
    {
        var value = VectorMath.Exp(lanes.Load(x + i) - largest);
        lanes.Store(sums + t, lanes.Load(sums + t) + value);
        if (y != null) lanes.Store(y + i, value);
    }
}

/// <summary>y = scale (x - shift).</summary>
readonly unsafe struct ScaleKernel(float* x, Vector<float> shift, Vector<float> scale, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TLanes>(nint i, nint t, TLanes lanes) where TLanes : struct, ILanes => lanes.Store(y + i, scale * (lanes.Load(x + i) - shift));
}

/// <summary>y = (x - first) - second.</summary>
readonly unsafe struct ShiftKernel(float* x, Vector<float> first, Vector<float> second, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TLanes>(nint i, nint t, TLanes lanes) where TLanes : struct, ILanes => lanes.Store(y + i, lanes.Load(x + i) - first - second);
}

/// <summary>sums[t] += dy y, or sums[t] += dy if y is null.</summary>
readonly unsafe struct ProductSumKernel(float* dy, float* y, float* sums) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TLanes>(nint i, nint t, TLanes lanes) where TLanes : struct, ILanes
    {
        var value = lanes.Load(dy + i);
        if (y != null) value *= lanes.Load(y + i);
        lanes.Store(sums + t, lanes.Load(sums + t) + value);
    }
}

/// <summary>dx = y (dy - sum), or dy - exp(y) sum for the logarithm.</summary>
readonly unsafe struct SoftmaxGradientKernel(float* dy, float* y, bool logarithm, Vector<float> sum, float* dx) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TLanes>(nint i, nint t, TLanes lanes) where TLanes : struct, ILanes
    {
        Vector<float> gradient = lanes.Load(dy + i), output = lanes.Load(y + i);
        lanes.Store(dx + i, logarithm ? gradient - VectorMath.Exp(output) * sum : output * (gradient - sum));
    }
}
