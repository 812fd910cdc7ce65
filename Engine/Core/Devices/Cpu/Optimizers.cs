namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    public override void Sgd(ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> momenta, SgdStep step) => throw new NotImplementedException();

    public override void AdamW(ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> first, ReadOnlySpan<Tensor> second, AdamStep step) => throw new NotImplementedException();
}
