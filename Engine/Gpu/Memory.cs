using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void Fill(Operand y, float value) => Each(new Filling(y.View(), value), y.Length);

    public override void Copy(Operand x, Operand y) => device.CopyOnDevice(x.View(), y.View());

    public override void CopyStrided(Operand x, int xOffset, ReadOnlySpan<int> xStrides, Shape shape, int yOffset, ReadOnlySpan<int> yStrides, Operand y) =>
        Each(new StridedCopy(x.View(), xOffset, y.View(), yOffset, new Strides(shape, xStrides, yStrides, nameof(CopyStrided))), shape.Elements);
}

/// <summary>y = value. Floor: one write.</summary>
readonly struct Filling(ArrayView<float> y, float value) : IPointwise<float>
{
    public float Compute(int i) => value;

    public void Store(int i, float result) => y[i] = result;
}

/// <summary>y[yOffset + i . yStrides] = x[xOffset + i . xStrides].</summary>
readonly struct StridedCopy(ArrayView<float> x, int xOffset, ArrayView<float> y, int yOffset, Strides strides) : IPointwise<float>
{
    public float Compute(int i) => x[xOffset + strides.Of(i).A];

    public void Store(int i, float value) => y[yOffset + strides.Of(i).B] = value;
}
