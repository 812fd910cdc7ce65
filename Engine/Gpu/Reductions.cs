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

    public override void SumOfSquares(ReadOnlySpan<Operand> tensors, Operand y)
    {
        var groups = 0;
        foreach (var tensor in tensors) groups += Groups(tensor.Length, SquaresOfMany.PerGroup);
        using var memory = Scratch<float>(Math.Max(1, groups));
        var partials = memory.View();
        var first = 0;
        for (var start = 0; start < tensors.Length; start += ViewList.Capacity)
        {
            var views = new ViewList(tensors[start..Math.Min(tensors.Length, start + ViewList.Capacity)], SquaresOfMany.PerGroup);
            device.Launch(new SquaresOfMany(views, partials, first), views.Groups);
            first += views.Groups;
        }

        Fold<Reduction<Sum>, float>(new Reduction<Sum>(partials, y.View()), 1, groups, 1);
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

/// <summary>A value and where it stands.</summary>
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

/// <summary>The sum of the squares of a block of elements of one of many tensors.</summary>
readonly struct SquaresOfMany(ViewList tensors, ArrayView<float> partials, int first) : IKernel
{
    public const int PerGroup = 16 * IKernel.DefaultThreads;

    public void Run()
    {
        var part = tensors.Part(Grid.IdxX, PerGroup);
        var x = tensors[part.Tensor];
        var sum = 0f;
        for (var i = part.Start + Group.IdxX; i < part.End; i += IKernel.DefaultThreads) sum += x[i] * x[i];
        sum = GroupFold.Across<float, Addition>(sum, 1, IKernel.DefaultThreads / 2);
        if (Group.IdxX == 0) partials[first + Grid.IdxX] = sum;
    }
}
