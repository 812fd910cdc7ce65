using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>
/// A batch norm that waits for the residual and the ReLU behind it. Its entry in the graph waits too: what comes out is one operation
/// with one backward for all three.
/// </summary>
sealed class DeferredNormalization : Deferred
{
    readonly Tensor x, mean, variance;
    readonly Tensor? gamma, beta, residual;
    readonly float epsilon;
    readonly bool batchStatistics, relu;
    readonly int[] versions;
    readonly string path = NoGrad.Active ? "" : TensorScope.CurrentPath;

    public DeferredNormalization(Tensor x, Tensor mean, Tensor variance, Tensor? gamma, Tensor? beta, float epsilon, bool batchStatistics,
        Tensor? residual = null, bool relu = false, DeferredNormalization? origin = null) : base(x.Shape, x.Device, origin)
    {
        this.x = Share(x, origin?.x)!;
        this.mean = Share(mean, origin?.mean)!;
        this.variance = Share(variance, origin?.variance)!;
        this.gamma = Share(gamma, origin?.gamma);
        this.beta = Share(beta, origin?.beta);
        this.residual = Share(residual, origin?.residual);
        (this.epsilon, this.batchStatistics, this.relu) = (epsilon, batchStatistics, relu);
        versions = Node.VersionsOf([this.x, this.mean, this.variance, this.gamma]);
    }

    /// <summary>y + residual, still waiting; null where y is no waiting batch norm, or the residual too, and so is to be written anyway.</summary>
    public static Tensor? Add(Tensor y, Tensor residual) =>
        Of(y) is { residual: null, relu: false } n && y.Shape == residual.Shape && y.Storage != residual.Storage ? n.With(residual, relu: false) : null;

    /// <summary>max(y, 0), still waiting; null where y is no waiting batch norm.</summary>
    public static Tensor? Relu(Tensor y) => Of(y) is { relu: false } n ? n.With(n.residual, relu: true) : null;

    public override bool Compute(Tensor y, ChannelStatistics? statistics)
    {
        Device.Backend.BatchNorm(x, mean, variance, epsilon, gamma, beta, residual, relu, y);
        return false;
    }

    /// <summary>The result, and its entry in the graph when somebody asks for it.</summary>
    public Tensor Wait()
    {
        var y = Result();
        if (!NoGrad.Active && NeedsGradient)
        {
            Retain();
            y.RecordLater(this);
        }

        return y;
    }

    /// <summary>The entry in the graph of the operation as it now is.</summary>
    public Node Record(Tensor y)
    {
        var (epsilon, batchStatistics) = (this.epsilon, this.batchStatistics);
        return new Node(nameof(BatchNorm), path, [x, gamma, beta, residual], [x, mean, variance, gamma, relu ? y : null], versions, null, (dy, saved) =>
        {
            var (x, mean, variance) = saved;
            Tensor? dx = saved.IfNeeded(0, () => Tensor.Over(dy)), dGamma = saved.IfNeeded(1, () => Tensor.Like(mean));
            Tensor? dBeta = saved.IfNeeded(2, () => Tensor.Like(mean)), dResidual = saved.IfNeeded(3, () => Tensor.Like(dy));
            dy.Device.Backend.BatchNormBackward(dy, x, saved.Optional(4), mean, variance, epsilon, saved.Optional(3), batchStatistics, dx, dGamma, dBeta, dResidual);
            return [dx, dGamma, dBeta, dResidual];
        });
    }

    // Only where y's place in the graph is this operation's: not behind Detach, nor where y was computed under NoGrad.
    static DeferredNormalization? Of(Tensor y) =>
        Behind(y) is DeferredNormalization n && (NoGrad.Active || (n.NeedsGradient ? y.IsRecordedLaterBy(n) : !y.RequiresGrad)) ? n : null;

    bool NeedsGradient => x.RequiresGrad || gamma is { RequiresGrad: true } || beta is { RequiresGrad: true } || residual is { RequiresGrad: true };

    Tensor With(Tensor? residual, bool relu) => new DeferredNormalization(x, mean, variance, gamma, beta, epsilon, batchStatistics, residual, relu, origin: this).Wait();
}
