using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>Eight values as a kernel argument, because kernels have no arrays.</summary>
readonly struct Eight<T>(ReadOnlySpan<T> values) where T : struct
{
    readonly T v0 = values[0], v1 = values[1], v2 = values[2], v3 = values[3], v4 = values[4], v5 = values[5], v6 = values[6], v7 = values[7];

    public T this[int i] => i switch { 0 => v0, 1 => v1, 2 => v2, 3 => v3, 4 => v4, 5 => v5, 6 => v6, _ => v7 };
}

/// <summary>Thirty-two values.</summary>
readonly struct ThirtyTwo<T>(ReadOnlySpan<T> values) where T : struct
{
    readonly Eight<T> e0 = new(values[..8]), e1 = new(values[8..16]), e2 = new(values[16..24]), e3 = new(values[24..]);

    public T this[int i] => (i >> 3) switch { 0 => e0[i & 7], 1 => e1[i & 7], 2 => e2[i & 7], _ => e3[i & 7] };
}

/// <summary>
/// Up to 32 tensors as one kernel argument, so that one launch serves many small tensors. Groups are assigned to one tensor after
/// another, as many as the length of each tensor needs.
/// </summary>
readonly struct ViewList
{
    /// <summary>The largest number of tensors. Four lists, as AdamW needs, fit into the 4 KiB that the arguments of a launch may take.</summary>
    public const int Capacity = 32;

    readonly ThirtyTwo<ArrayView<float>> views;

    // For each tensor, the first group after its groups.
    readonly ThirtyTwo<int> ends;

    public ViewList(ReadOnlySpan<Operand> tensors, int perGroup)
    {
        Span<int> ends = stackalloc int[Capacity];
        var views = new ArrayView<float>[Capacity];
        for (var i = 0; i < Capacity; i++)
        {
            var tensor = tensors[Math.Min(i, tensors.Length - 1)];
            views[i] = tensor.View();
            ends[i] = (i > 0 ? ends[i - 1] : 0) + (i < tensors.Length ? (tensor.Length + perGroup - 1) / perGroup : 0);
        }

        (this.views, this.ends) = (new(views), new(ends));
    }

    /// <summary>The number of groups of all tensors together.</summary>
    public int Groups => ends[Capacity - 1];

    public ArrayView<float> this[int i] => views[i];

    /// <summary>The tensor that a group works on, and its elements.</summary>
    public Part Part(int group, int perGroup)
    {
        int tensor = 0, first = 0;
        while (tensor < Capacity - 1 && group >= ends[tensor]) first = ends[tensor++];
        var start = (group - first) * perGroup;
        return new Part(tensor, start, (int)Math.Min(this[tensor].Length, start + perGroup));
    }
}

/// <summary>Elements of one of many tensors.</summary>
readonly struct Part(int tensor, int start, int end)
{
    public readonly int Tensor = tensor, Start = start, End = end;
}
