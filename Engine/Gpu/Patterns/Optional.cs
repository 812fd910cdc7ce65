using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>An argument that may be absent, e.g. gamma of a norm. Kernels have no null, so another view is the placeholder for a missing one; it is not read.</summary>
readonly struct Optional
{
    readonly ArrayView<float> view;
    readonly int present;

    public Optional(Operand? tensor, ArrayView<float> standIn)
    {
        present = tensor is null ? 0 : 1;
        view = tensor is null ? standIn : tensor.View();
    }

    public bool IsPresent => present != 0;

    /// <summary>The element, or the given value if the argument is absent.</summary>
    public float Or(int i, float otherwise) => present != 0 ? view[i] : otherwise;

    /// <summary>Stores the value if the argument is present.</summary>
    public void Set(int i, float value)
    {
        if (present != 0) view[i] = value;
    }
}
