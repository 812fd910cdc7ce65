namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    public override void Unary<TOp>(Tensor x, Tensor y) => throw new NotImplementedException();

    public override void UnaryBackward<TOp>(Tensor dy, Tensor? x, Tensor? y, Tensor dx) => throw new NotImplementedException();

    public override void Binary<TOp>(Tensor a, Tensor b, Tensor y) => throw new NotImplementedException();

    public override void BinaryBackward<TOp>(Tensor dy, Tensor? a, Tensor? b, Tensor? y, Tensor? da, Tensor? db) => throw new NotImplementedException();

    public override void BinaryScalar<TOp>(Tensor x, float b, Tensor y) => throw new NotImplementedException();

    public override void BinaryScalarBackward<TOp>(Tensor dy, Tensor? x, float b, Tensor? y, Tensor dx) => throw new NotImplementedException();

    public override void AddScaled(float alpha, Tensor x, float beta, Tensor y) => throw new NotImplementedException();
}
