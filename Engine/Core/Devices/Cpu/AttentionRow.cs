using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// The element-wise steps of an attention on one row of scores, weights or channels. Rows of scores have whole vectors: their length is a multiple of <see cref="Whole"/>.
/// </summary>
/// <remarks>A row is short, so these are plain loops: to hand a kernel over to <see cref="Sweep"/> would take as long as the row.</remarks>
static unsafe class AttentionRow
{
    /// <summary>A multiple of the elements of any register.</summary>
    public const int Whole = 16;

    /// <summary>The number of elements after which a row of scores ends.</summary>
    public static int RoundUp(int length) => (length + Whole - 1) / Whole * Whole;

    /// <summary>exp(score - largest) in place of the scores, where the largest score of the row and of the blocks before it is found first.</summary>
    /// <param name="scores">The row.</param>
    /// <param name="length">Whole vectors.</param>
    /// <param name="largest">The largest score so far; -infinity if all keys are hidden. A NaN may be passed over: it is in the sum.</param>
    /// <returns>The sum of the exponentials.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Exponentials(float* scores, int length, ref float largest) =>
        Vector512.IsHardwareAccelerated ? Exponentials<Register512>(scores, length, ref largest)
        : Vector256.IsHardwareAccelerated ? Exponentials<Register256>(scores, length, ref largest)
        : Exponentials<Register128>(scores, length, ref largest);

    /// <summary>The weights exp(score - logSum), and the gradients of the scores, weight (gradient of the weight - delta), both in place.</summary>
    /// <param name="scores">The row.</param>
    /// <param name="logSum">The logarithm of the query's sum of exponentials.</param>
    /// <param name="delta">The product of the query's result and its gradient.</param>
    /// <param name="length">Whole vectors.</param>
    /// <param name="gradients">A row of gradients of weights, or null.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Gradients(float* scores, float logSum, float delta, int length, float* gradients)
    {
        if (Vector512.IsHardwareAccelerated) Gradients<Register512>(scores, logSum, delta, length, gradients);
        else if (Vector256.IsHardwareAccelerated) Gradients<Register256>(scores, logSum, delta, length, gradients);
        else Gradients<Register128>(scores, logSum, delta, length, gradients);
    }

    /// <summary>y = factor x; y may be x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scale(float* x, float factor, int length, float* y)
    {
        if (Vector512.IsHardwareAccelerated) Scale<Register512>(x, factor, length, y);
        else if (Vector256.IsHardwareAccelerated) Scale<Register256>(x, factor, length, y);
        else Scale<Register128>(x, factor, length, y);
    }

    /// <summary>sum x y.</summary>
    public static float Product(float* x, float* y, int length) => (float)RowLanes.Sum(new ProductTerms(x, y), length);

    /// <summary>x = x / (1 - p) where the uniform number of an element is at least p, otherwise 0.</summary>
    /// <param name="units">Uniform numbers.</param>
    /// <param name="p">The probability of 0.</param>
    /// <param name="length">Elements.</param>
    /// <param name="x">The row.</param>
    public static void Drop(float* units, float p, int length, float* x) => Sweep.Rows(new DropoutKernel(units, p, 1f / (1f - p), x, x), 0, length, length, 0);

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    static float Exponentials<T>(float* scores, int length, ref float largest) where T : struct, IRegister<T>
    {
        T largest0 = T.Broadcast(largest), largest1 = largest0;
        var i = 0;
        for (; i <= length - 2 * T.Count; i += 2 * T.Count)
        {
            largest0 = T.Max(largest0, T.Load(scores + i));
            largest1 = T.Max(largest1, T.Load(scores + i + T.Count));
        }

        if (i < length) largest0 = T.Max(largest0, T.Load(scores + i));
        largest = T.Max(largest0, largest1).Fold<MaxOp>();
        T shift = T.Broadcast(largest == float.NegativeInfinity ? 0f : largest), sum0 = default, sum1 = default;
        for (i = 0; i <= length - 2 * T.Count; i += 2 * T.Count)
        {
            T first = VectorMath.Exp(T.Load(scores + i) - shift), second = VectorMath.Exp(T.Load(scores + i + T.Count) - shift);
            sum0 += first;
            sum1 += second;
            first.Store(scores + i);
            second.Store(scores + i + T.Count);
        }

        if (i < length)
        {
            var last = VectorMath.Exp(T.Load(scores + i) - shift);
            sum0 += last;
            last.Store(scores + i);
        }

        return (sum0 + sum1).Sum();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    static void Gradients<T>(float* scores, float logSum, float delta, int length, float* gradients) where T : struct, IRegister<T>
    {
        T shift = T.Broadcast(logSum), center = T.Broadcast(delta);
        for (var i = 0; i < length; i += T.Count)
        {
            var weight = VectorMath.Exp(T.Load(scores + i) - shift);
            weight.Store(scores + i);
            if (gradients != null) (weight * (T.Load(gradients + i) - center)).Store(gradients + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    static void Scale<T>(float* x, float factor, int length, float* y) where T : struct, IRegister<T>
    {
        var factors = T.Broadcast(factor);
        var i = 0;
        for (; i <= length - T.Count; i += T.Count) (factors * T.Load(x + i)).Store(y + i);
        if (i < length) (factors * T.LoadFirst(x + i, length - i)).StoreFirst(y + i, length - i);
    }
}
