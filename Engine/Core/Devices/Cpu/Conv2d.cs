namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    public override void Conv2d(Tensor x, Tensor filter, ConvGeometry geometry, in Epilogue epilogue, Tensor y) => throw new NotImplementedException();

    public override void Conv2dInputGradient(Tensor dy, Tensor filter, ConvGeometry geometry, Tensor dx) => throw new NotImplementedException();

    public override void Conv2dFilterGradient(Tensor x, Tensor dy, ConvGeometry geometry, Tensor dFilter) => throw new NotImplementedException();
}
