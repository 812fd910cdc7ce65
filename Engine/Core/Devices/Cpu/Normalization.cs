namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    public override void GatherStatistics(Tensor x, ChannelStatistics statistics) => throw new NotImplementedException();

    public override void BatchNorm(Tensor x, Tensor mean, Tensor variance, float epsilon, Tensor? gamma, Tensor? beta, Tensor? residual, bool relu, Tensor y) => throw new NotImplementedException();

    public override void BatchNormBackward(Tensor dy, Tensor x, Tensor? y, Tensor mean, Tensor variance, float epsilon, Tensor? gamma, bool batchStatistics, Tensor? dx, Tensor? dGamma, Tensor? dBeta, Tensor? dResidual) => throw new NotImplementedException();

    public override void LayerNorm(Tensor x, float epsilon, Tensor? gamma, Tensor? beta, Tensor y, Tensor mean, Tensor rstd) => throw new NotImplementedException();

    public override void LayerNormBackward(Tensor dy, Tensor x, Tensor mean, Tensor rstd, Tensor? gamma, Tensor? dx, Tensor? dGamma, Tensor? dBeta) => throw new NotImplementedException();
}
