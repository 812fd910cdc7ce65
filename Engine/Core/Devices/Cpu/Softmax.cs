namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    public override void Softmax(Tensor x, bool logarithm, Tensor y) => throw new NotImplementedException();

    public override void SoftmaxBackward(Tensor dy, Tensor y, bool logarithm, Tensor dx) => throw new NotImplementedException();

    public override void CrossEntropy(Tensor logits, IntTensor labels, float smoothing, Tensor probabilities, Tensor losses) => throw new NotImplementedException();

    public override void CrossEntropyBackward(Tensor dLosses, Tensor probabilities, IntTensor labels, float smoothing, Tensor dLogits) => throw new NotImplementedException();
}
