namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    public override void Fill(Tensor y, float value) => throw new NotImplementedException();

    public override void Copy(Tensor x, Tensor y) => throw new NotImplementedException();

    public override void CopyStrided(Tensor x, int xOffset, ReadOnlySpan<int> xStrides, Shape shape, int yOffset, ReadOnlySpan<int> yStrides, Tensor y) => throw new NotImplementedException();
}
