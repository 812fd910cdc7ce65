using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// The element-wise steps of an attention on one row of scores, weights or channels. Rows of scores have whole vectors: their length is a multiple of <see cref="Whole"/>.
/// </summary>
/// <remarks>A row is short, so these are plain loops: to hand a kernel over to <see cref="Sweep"/> would take as long as the row.</remarks>
static unsafe class AttentionRow
{
    /// <summary>A multiple of the elements of any vector.</summary>
    public const int Whole = 16;

    static int Count => Vector<float>.Count;

    /// <summary>The number of elements after which a row of scores ends.</summary>
    public static int RoundUp(int length) => (length + Whole - 1) / Whole * Whole;

    /// <summary>The largest score, and exp(score - largest) in place of the scores.</summary>
    /// <param name="scores">The row.</param>
    /// <param name="length">Whole vectors.</param>
    /// <param name="largest">The largest score of the row or of the blocks before; -infinity if all keys are hidden. A NaN may be passed over: it is in the sum.</param>
    /// <returns>The sum of the exponentials.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Exponentials(float* scores, int length, ref float largest)
    {
        Vector<float> largest0 = new(largest), largest1 = largest0;
        for (var i = 0; i < length; i += Whole)
            for (var j = 0; j < Whole; j += 2 * Count)
            {
                largest0 = Vector.MaxNative(largest0, Vector.Load(scores + i + j));
                if (Count < Whole) largest1 = Vector.MaxNative(largest1, Vector.Load(scores + i + j + Count));
            }

        largest = Largest(Vector.MaxNative(largest0, largest1));
        var shift = new Vector<float>(largest == float.NegativeInfinity ? 0f : largest);
        Vector<float> sum0 = default, sum1 = default;
        for (var i = 0; i < length; i += Whole)
            for (var j = 0; j < Whole; j += 2 * Count)
            {
                var first = VectorMath.Exp(Vector.Load(scores + i + j) - shift);
                sum0 += first;
                first.Store(scores + i + j);
                if (Count == Whole) continue;
                var second = VectorMath.Exp(Vector.Load(scores + i + j + Count) - shift);
                sum1 += second;
                second.Store(scores + i + j + Count);
            }

        return Vector.Sum(sum0 + sum1);
    }

    /// <summary>The weights exp(score - logSum), and the gradients of the scores, weight (gradient of the weight - delta), both in place.</summary>
    /// <param name="scores">The row.</param>
    /// <param name="logSum">The logarithm of the query's sum of exponentials.</param>
    /// <param name="delta">The product of the query's result and its gradient.</param>
    /// <param name="length">Whole vectors.</param>
    /// <param name="gradients">A row of gradients of weights, or null.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradients(float* scores, float logSum, float delta, int length, float* gradients)
    {
        Vector<float> shift = new(logSum), center = new(delta);
        for (var i = 0; i < length; i += Count)
        {
            var weight = VectorMath.Exp(Vector.Load(scores + i) - shift);
            weight.Store(scores + i);
            if (gradients != null) (weight * (Vector.Load(gradients + i) - center)).Store(gradients + i);
        }
    }

    /// <summary>y = factor x; y may be x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float* x, float factor, int length, float* y)
    {
        var factors = new Vector<float>(factor);
        var i = 0;
        for (; i <= length - Count; i += Count) (factors * Vector.Load(x + i)).Store(y + i);
        for (; i < length; i++) y[i] = factor * x[i];
    }

    /// <summary>y += x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* x, int length, float* y)
    {
        var i = 0;
        for (; i <= length - Count; i += Count) (Vector.Load(y + i) + Vector.Load(x + i)).Store(y + i);
        for (; i < length; i++) y[i] += x[i];
    }

    /// <summary>sum x y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Product(float* x, float* y, int length)
    {
        Vector<float> sum0 = default, sum1 = default;
        var i = 0;
        for (; i <= length - 2 * Count; i += 2 * Count)
        {
            sum0 = Vector.MultiplyAddEstimate(Vector.Load(x + i), Vector.Load(y + i), sum0);
            sum1 = Vector.MultiplyAddEstimate(Vector.Load(x + i + Count), Vector.Load(y + i + Count), sum1);
        }

        var rest = 0f;
        for (; i < length; i++) rest += x[i] * y[i];
        return Vector.Sum(sum0 + sum1) + rest;
    }

    /// <summary>x = x / (1 - p) where the word of an element is at least p, otherwise 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Drop(uint* words, float p, int length, float* x) => Sweep.Rows(new DropoutKernel(words, new(p), new(1f / (1f - p)), x, x), 0, length, length, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static float Largest(Vector<float> lanes)
    {
        var largest = lanes[0];
        for (var lane = 1; lane < Count; lane++) largest = lanes[lane] > largest ? lanes[lane] : largest;
        return largest;
    }
}
