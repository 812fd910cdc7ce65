using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Models.Onnx;

// Kernels of training, and those whose results a network in inference does not pass on.
sealed partial class TracingBackend
{
    static NotSupportedException Training => Trace.Unsupported("a kernel of training");

    public override void GatherImages(ImageBytes set, IntTensor order, int first, RandomWindows windows, Tensor images, IntTensor labels) => throw Trace.Unsupported("reading a data set");

    public override void UnaryBackward<TOp>(Tensor dy, Tensor? x, Tensor? y, Tensor dx) => throw Training;

    public override void BinaryBackward<TOp>(Tensor dy, Tensor? a, Tensor? b, Tensor? y, Tensor? da, Tensor? db) => throw Training;

    public override void BinaryScalarBackward<TOp>(Tensor dy, Tensor? x, float b, Tensor? y, Tensor dx) => throw Training;

    public override void AddScaled(float alpha, Tensor x, float beta, Tensor y) => throw Training;

    public override void ArgMax(Tensor x, int outer, int n, int inner, IntTensor y) => throw Trace.Unsupported("ArgMax");

    public override void SumOfSquares(ReadOnlySpan<Tensor> tensors, Tensor y) => throw Training;

    public override void Conv2dInputGradient(Tensor dy, Tensor filter, ConvGeometry geometry, Tensor dx) => throw Training;

    public override void Conv2dFilterGradient(Tensor x, Tensor dy, ConvGeometry geometry, Tensor dFilter) => throw Training;

    public override void QuadraticBackward(Tensor dy, Tensor y, QuadraticTerm term, bool detached, Tensor? dz, Tensor? dLambda) => throw Training;

    public override void GatherStatistics(Tensor x, ChannelStatistics statistics) => throw Training;

    public override void BatchNormBackward(Tensor dy, Tensor x, Tensor? y, Tensor mean, Tensor variance, float epsilon, Tensor? gamma, bool batchStatistics,
        Tensor? dx, Tensor? dGamma, Tensor? dBeta, Tensor? dResidual) => throw Training;

    public override void LayerNormBackward(Tensor dy, Tensor x, Tensor mean, Tensor rstd, Tensor? gamma, Tensor? dx, Tensor? dGamma, Tensor? dBeta) => throw Training;

    public override void SoftmaxBackward(Tensor dy, Tensor y, bool logarithm, Tensor dx) => throw Training;

    public override void CrossEntropy(Tensor logits, IntTensor labels, float smoothing, Tensor probabilities, Tensor losses) => throw Training;

    public override void CrossEntropyBackward(Tensor dLosses, Tensor probabilities, IntTensor labels, float smoothing, Tensor dLogits) => throw Training;

    public override void MaxPoolBackward(Tensor dy, IntTensor indices, PoolGeometry geometry, Tensor dx) => throw Training;

    public override void AveragePoolBackward(Tensor dy, PoolGeometry geometry, Tensor dx) => throw Training;

    public override void Uniform(Tensor y, RandomStream stream, float low, float high) => throw Trace.Unsupported("random numbers");

    public override void Normal(Tensor y, RandomStream stream, float mean, float deviation) => throw Trace.Unsupported("random numbers");

    public override void Dropout(Tensor x, RandomStream stream, float p, Tensor y) => throw Training;

    public override void Sgd(ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> momenta, SgdStep step) => throw Training;

    public override void AdamW(ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> first, ReadOnlySpan<Tensor> second, AdamStep step) => throw Training;
}
