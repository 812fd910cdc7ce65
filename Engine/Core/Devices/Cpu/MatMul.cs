namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    public override void MatMul(Tensor a, Tensor b, MatMulGeometry geometry, in Epilogue epilogue, Tensor y) => throw new NotImplementedException();
}
