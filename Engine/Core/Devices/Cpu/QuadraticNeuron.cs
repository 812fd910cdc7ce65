namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    public override void Quadratic(Tensor z, QuadraticTerm term, Tensor y) => throw new NotImplementedException();

    public override void QuadraticBackward(Tensor dy, Tensor y, QuadraticTerm term, bool detached, Tensor? dz, Tensor? dLambda) => throw new NotImplementedException();
}
