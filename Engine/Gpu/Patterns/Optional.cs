using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>An argument that may be absent, as gamma of a norm. Kernels have no null: another view stands in for a missing one and is not read.</summary>
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

    /// <summary>The element, or what to take in its place.</summary>
    public float Or(int i, float otherwise) => present != 0 ? view[i] : otherwise;

    /// <summary>Stores where the argument is present.</summary>
    public void Set(int i, float value)
    {
        if (present != 0) view[i] = value;
    }
}
