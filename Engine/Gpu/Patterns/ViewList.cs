using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// Up to 16 tensors as one argument of a kernel, so that one launch serves many small ones: groups are dealt out tensor after
/// tensor, as many to each as its length needs.
/// </summary>
readonly struct ViewList
{
    public const int Capacity = 16;

    readonly ArrayView<float> v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15;

    // Ends: the first group after those of each tensor.
    readonly int e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11, e12, e13, e14, e15;

    public ViewList(ReadOnlySpan<Tensor> tensors, int perGroup)
    {
        Span<int> ends = stackalloc int[Capacity];
        var views = new ArrayView<float>[Capacity];
        for (var i = 0; i < Capacity; i++)
        {
            var tensor = tensors[Math.Min(i, tensors.Length - 1)];
            views[i] = tensor.View();
            ends[i] = (i > 0 ? ends[i - 1] : 0) + (i < tensors.Length ? (tensor.Length + perGroup - 1) / perGroup : 0);
        }

        (v0, v1, v2, v3, v4, v5, v6, v7) = (views[0], views[1], views[2], views[3], views[4], views[5], views[6], views[7]);
        (v8, v9, v10, v11, v12, v13, v14, v15) = (views[8], views[9], views[10], views[11], views[12], views[13], views[14], views[15]);
        (e0, e1, e2, e3, e4, e5, e6, e7) = (ends[0], ends[1], ends[2], ends[3], ends[4], ends[5], ends[6], ends[7]);
        (e8, e9, e10, e11, e12, e13, e14, e15) = (ends[8], ends[9], ends[10], ends[11], ends[12], ends[13], ends[14], ends[15]);
    }

    /// <summary>Groups of all tensors together.</summary>
    public int Groups => e15;

    public ArrayView<float> this[int i] => i switch
    {
        0 => v0, 1 => v1, 2 => v2, 3 => v3, 4 => v4, 5 => v5, 6 => v6, 7 => v7,
        8 => v8, 9 => v9, 10 => v10, 11 => v11, 12 => v12, 13 => v13, 14 => v14, _ => v15,
    };

    /// <summary>The tensor that a group works on, and its elements.</summary>
    public Part Part(int group, int perGroup)
    {
        int tensor = 0, first = 0;
        while (tensor < Capacity - 1 && group >= End(tensor)) first = End(tensor++);
        var start = (group - first) * perGroup;
        return new Part(tensor, start, (int)Math.Min(this[tensor].Length, start + perGroup));
    }

    int End(int i) => i switch
    {
        0 => e0, 1 => e1, 2 => e2, 3 => e3, 4 => e4, 5 => e5, 6 => e6, 7 => e7,
        8 => e8, 9 => e9, 10 => e10, 11 => e11, 12 => e12, 13 => e13, 14 => e14, _ => e15,
    };
}

/// <summary>Elements of one of many tensors.</summary>
readonly struct Part(int tensor, int start, int end)
{
    public readonly int Tensor = tensor, Start = start, End = end;
}
