using ILGPU;
using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void Reduce<TOp>(Operand x, int outer, int n, int inner, Operand y) =>
        Fold<Reduction<TOp>, float>(new Reduction<TOp>(x.View(), y.View()), outer, n, inner);

    public override void ArgMax(Operand x, int outer, int n, int inner, Operand y) =>
        Fold<LargestOf, Candidate>(new LargestOf(x.View(), y.Integers()), outer, n, inner);

    public override void Norm(ReadOnlySpan<Operand> tensors, Operand y)
    {
        var groups = 0;
        foreach (var tensor in tensors) groups += Groups(tensor.Length, SquaresOfMany.PerGroup);
        using var memory = Scratch<Squares>(Math.Max(1, groups));
        var partials = Elements<Squares>(memory);
        var first = 0;
        for (var start = 0; start < tensors.Length; start += ViewList.Capacity)
        {
            var views = new ViewList(tensors[start..Math.Min(tensors.Length, start + ViewList.Capacity)], SquaresOfMany.PerGroup);
            device.Launch(new SquaresOfMany(views, partials, first), views.Groups);
            first += views.Groups;
        }

        Fold<RootOfSquares, Squares>(new RootOfSquares(partials, y.View()), 1, groups, 1);
    }
}

/// <summary>The fold of any <see cref="IReduction{TSelf}"/>.</summary>
readonly struct Reduction<TOp>(ArrayView<float> x, ArrayView<float> y) : IFold<float> where TOp : struct, IReduction<TOp>
{
    public static float Identity => TOp.Identity;

    public static float Combine(float a, float b) => TOp.Combine(a, b);

    public float Of(int row, int index, int column) => x[index];

    public void Store(int column, float total) => y[column] = total;
}

/// <summary>A value and its index.</summary>
readonly struct Candidate(float value, int index)
{
    public readonly float Value = value;

    public readonly int Index = index;
}

/// <summary>The first index of the largest value; NaN counts as largest.</summary>
readonly struct LargestOf(ArrayView<float> x, ArrayView<int> y) : IFold<Candidate>
{
    public static Candidate Identity => new(float.NegativeInfinity, int.MaxValue);

    public static Candidate Combine(Candidate a, Candidate b)
    {
        bool aIsNaN = float.IsNaN(a.Value), bIsNaN = float.IsNaN(b.Value);
        var same = aIsNaN == bIsNaN && (aIsNaN || a.Value == b.Value);
        var first = same ? a.Index < b.Index : aIsNaN || !bIsNaN && a.Value > b.Value;
        return first ? a : b;
    }

    public Candidate Of(int row, int index, int column) => new(x[index], row);

    public void Store(int column, Candidate total) => y[column] = total.Index;
}

/// <summary>
/// A sum of squares that neither overflows nor underflows (Blue 1978). It has three parts: numbers of 2^40 and above are divided by 2^84, numbers below 2^-40 are multiplied by 2^84, and the
/// other numbers are not scaled.
/// </summary>
readonly struct Squares(float large, float middle, float small) : ICombine<Squares>
{
    const float Large = 1099511627776f, Scale = 1.9342813113834067e25f;        // 2^40, 2^84

    readonly float large = large, middle = middle, small = small;

    public static Squares Identity => new(0f, 0f, 0f);

    public static Squares Combine(Squares a, Squares b) => new(a.large + b.large, a.middle + b.middle, a.small + b.small);

    public static Squares Of(float x)
    {
        var size = MathF.Abs(x);
        if (size < 1f / Large) return new Squares(0f, 0f, x * Scale * (x * Scale));
        if (size < Large) return new Squares(0f, x * x, 0f);
        return new Squares(x / Scale * (x / Scale), 0f, 0f);        // for NaN too
    }

    /// <summary>The square root of the whole sum. A part next to a larger part is divided in two steps, because the square of the scale is not a float.</summary>
    public float Root => large != 0f ? MathF.Sqrt(large + middle / Scale / Scale) * Scale
        : middle != 0f ? MathF.Sqrt(middle + small / Scale / Scale)
        : MathF.Sqrt(small) / Scale;
}

/// <summary>The square root of the sum of partial sums of squares.</summary>
readonly struct RootOfSquares(ArrayView<Squares> partials, ArrayView<float> y) : IFold<Squares>
{
    public static Squares Identity => Squares.Identity;

    public static Squares Combine(Squares a, Squares b) => Squares.Combine(a, b);

    public Squares Of(int row, int index, int column) => partials[index];

    public void Store(int column, Squares total) => y[column] = total.Root;
}

/// <summary>The sum of the squares of a block of elements of one of many tensors.</summary>
readonly struct SquaresOfMany(ViewList tensors, ArrayView<Squares> partials, int first) : IKernel
{
    public const int PerGroup = 16 * IKernel.DefaultThreads;

    public void Run()
    {
        var part = tensors.Part(Grid.IdxX, PerGroup);
        var x = tensors[part.Tensor];
        var sum = Squares.Identity;
        for (var i = part.Start + Group.IdxX; i < part.End; i += IKernel.DefaultThreads) sum = Squares.Combine(sum, Squares.Of(x[i]));
        sum = GroupFold.Across<Squares, Squares>(sum, 1, IKernel.DefaultThreads / 2);
        if (Group.IdxX == 0) partials[first + Grid.IdxX] = sum;
    }
}
