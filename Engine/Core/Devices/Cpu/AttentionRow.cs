using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>The element-wise steps of an attention on one row of scores, weights or channels.</summary>
static unsafe class AttentionRow
{
    /// <summary>y += x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* x, int length, float* y) => Sweep.Rows(new AttentionSumKernel(x, y), 0, length, length, 0);

    /// <summary>y = factor x; y may be x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float* x, float factor, int length, float* y) => Sweep.Rows(new ScaleKernel(x, Vector<float>.Zero, new(factor), y), 0, length, length, 0);

    /// <summary>The largest element; NaN if one is NaN.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Largest(float* x, int length)
    {
        var lanes = stackalloc float[RowLanes.Count];
        RowLanes.Clear<MaxOp>(lanes);
        Sweep.Rows(new FoldKernel<MaxOp>(x, lanes), 0, length, RowLanes.Count, RowLanes.Count);
        return RowLanes.Fold<MaxOp>(lanes);
    }

    /// <summary>x = exp(x - largest). Returns the sum.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Exponentials(float* x, float largest, int length)
    {
        var lanes = stackalloc float[RowLanes.Count];
        return (float)RowLanes.Sum(new ExponentialKernel(x, new(largest), x, lanes), length, lanes);
    }

    /// <summary>sum x y.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Product(float* x, float* y, int length)
    {
        var lanes = stackalloc float[RowLanes.Count];
        return (float)RowLanes.Sum(new ProductSumKernel(x, y, lanes), length, lanes);
    }

    /// <summary>x = x / (1 - p) where the word of an element is at least p, otherwise 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Drop(uint* words, float p, int length, float* x) => Sweep.Rows(new DropoutKernel(words, new(p), new(1f / (1f - p)), x, x), 0, length, length, 0);

    /// <summary>The weights w = exp(score - logSum) and the gradients of the scores, w (gradient of w - delta), both in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradients(float* scores, float logSum, float delta, int length, float* gradients) =>
        Sweep.Rows(new AttentionGradientKernel(scores, new(logSum), new(delta), gradients), 0, length, length, 0);
}

/// <summary>y += x.</summary>
readonly unsafe struct AttentionSumKernel(float* x, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TLanes>(nint i, nint t, TLanes lanes) where TLanes : struct, ILanes => lanes.Store(y + i, lanes.Load(y + i) + lanes.Load(x + i));
}

/// <summary>scores = exp(scores - logSum); gradients = scores (gradients - delta), unless gradients is null.</summary>
readonly unsafe struct AttentionGradientKernel(float* scores, Vector<float> logSum, Vector<float> delta, float* gradients) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TLanes>(nint i, nint t, TLanes lanes) where TLanes : struct, ILanes
    {
        var weight = VectorMath.Exp(lanes.Load(scores + i) - logSum);
        lanes.Store(scores + i, weight);
        if (gradients != null) lanes.Store(gradients + i, weight * (lanes.Load(gradients + i) - delta));
    }
}
