using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Models.Onnx;

// Kernels of training, and kernels whose results a network in inference mode does not pass on.
sealed partial class TracingKernels
{
    static NotSupportedException Training => Trace.Unsupported("a kernel of training");

    public override void GatherImages(Operand pixels, Operand classes, Operand levels, Operand order, int first, RandomWindows windows, Operand images, Operand labels) => throw Trace.Unsupported("reading a data set");

    public override void UnaryBackward<TOp>(Operand dy, Operand? x, Operand? y, Operand dx) => throw Training;

    public override void BinaryBackward<TOp>(Operand dy, Operand? a, Operand? b, Operand? y, Operand? da, Operand? db) => throw Training;

    public override void BinaryScalarBackward<TOp>(Operand dy, Operand? x, float b, Operand? y, Operand dx) => throw Training;

    public override void AddScaled(float alpha, Operand x, float beta, Operand y) => throw Training;

    public override void ArgMax(Operand x, int outer, int n, int inner, Operand y) => throw Trace.Unsupported("ArgMax");

    public override void Norm(ReadOnlySpan<Operand> tensors, Operand y) => throw Training;

    public override void Conv2dInputGradient(Operand dy, Operand filter, ConvGeometry geometry, Operand dx) => throw Training;

    public override void Conv2dFilterGradient(Operand x, Operand dy, ConvGeometry geometry, Operand dFilter) => throw Training;

    public override void QuadraticBackward(Operand dy, Operand y, QuadraticGradient<Operand> neurons, Operand? dz) => throw Training;

    public override void GatherStatistics(Operand x, ChannelStatistics<Operand> statistics) => throw Training;

    public override void BatchNormBackward(Operand dy, Operand x, Operand? y, NormTerm<Operand> norm, bool batchStatistics, QuadraticGradient<Operand>? neurons, Operand? dx, Operand? dGamma, Operand? dBeta, Operand? dResidual) => throw Training;

    public override void BatchNormInputGradient(Operand g, Operand x, NormTerm<Operand> norm, Operand dGamma, Operand dBeta, QuadraticGradient<Operand>? neurons, Operand dx) => throw Training;

    public override void LayerNormBackward(Operand dy, Operand x, Operand mean, Operand rstd, Operand? gamma, Operand? dx, Operand? dGamma, Operand? dBeta) => throw Training;

    public override void SoftmaxBackward(Operand dy, Operand y, bool logarithm, Operand dx) => throw Training;

    public override void CrossEntropy(Operand logits, Operand labels, float smoothing, Operand probabilities, Operand losses) => throw Training;

    public override void CrossEntropyBackward(Operand dLosses, Operand probabilities, Operand labels, float smoothing, Operand dLogits) => throw Training;

    public override void AttentionBackward(Operand dy, Operand query, Operand key, Operand value, AttentionGeometry geometry, Operand? keyLengths, Operand? mask, RandomStream stream, Operand y, Operand logSums, Operand? dQuery, Operand? dKey, Operand? dValue) => throw Training;

    public override void MaxPoolBackward(Operand dy, Operand indices, PoolGeometry geometry, Operand dx) => throw Training;

    public override void AveragePoolBackward(Operand dy, PoolGeometry geometry, Operand dx) => throw Training;

    public override void Uniform(Operand y, RandomStream stream, float low, float high) => throw Trace.Unsupported("random numbers");

    public override void Normal(Operand y, RandomStream stream, float mean, float deviation) => throw Trace.Unsupported("random numbers");

    public override void Dropout(Operand x, RandomStream stream, float p, Operand y) => throw Training;

    public override void Sgd(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> momenta, SgdStep step, Operand? gradientScale, Operand? leftOut) => throw Training;

    public override void AdamW(ReadOnlySpan<Operand> parameters, ReadOnlySpan<Operand> gradients, ReadOnlySpan<Operand> first, ReadOnlySpan<Operand> second, AdamStep step, Operand? gradientScale, Operand? leftOut) => throw Training;
}
