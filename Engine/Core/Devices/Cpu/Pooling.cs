namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    public override void MaxPool(Tensor x, PoolGeometry geometry, Tensor y, IntTensor indices) => throw new NotImplementedException();

    public override void MaxPoolBackward(Tensor dy, IntTensor indices, PoolGeometry geometry, Tensor dx) => throw new NotImplementedException();

    public override void AveragePool(Tensor x, PoolGeometry geometry, Tensor y) => throw new NotImplementedException();

    public override void AveragePoolBackward(Tensor dy, PoolGeometry geometry, Tensor dx) => throw new NotImplementedException();
}
