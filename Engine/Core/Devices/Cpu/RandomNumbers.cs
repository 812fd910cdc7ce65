namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    public override void Uniform(Tensor y, RandomStream stream, float low, float high) => throw new NotImplementedException();

    public override void Normal(Tensor y, RandomStream stream, float mean, float deviation) => throw new NotImplementedException();

    public override void Dropout(Tensor x, RandomStream stream, float p, Tensor y) => throw new NotImplementedException();
}
