namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuKernels
{
    public override void Fill(Operand y, float value)
    {
        var p = y.Pointer();
        Sweep.All(y.Length, (start, count) => new Span<float>(p + start, count).Fill(value));
    }

    public override void Copy(Operand x, Operand y)
    {
        float* source = x.Pointer(), target = y.Pointer();
        Sweep.All(x.Length, (start, count) => new ReadOnlySpan<float>(source + start, count).CopyTo(new(target + start, count)));
    }

    public override void CopyStrided(Operand x, int xOffset, ReadOnlySpan<int> xStrides, Shape shape, int yOffset, ReadOnlySpan<int> yStrides, Operand y)
    {
        if (shape.Elements > 0) new StridedCopy(shape.AsSpan(), xStrides, yStrides).All(x.Pointer() + xOffset, y.Pointer() + yOffset);
    }
}
