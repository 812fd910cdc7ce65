using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>
/// A batch norm, deferred until it is known whether a residual and an activation follow it. Its entry in the graph is deferred too, so all three become one
/// operation with one backward.
/// </summary>
sealed class DeferredNormalization : DeferredStep
{
    const int X = 0, Mean = 1, Variance = 2, Gamma = 3, Beta = 4, Residual = 5;

    readonly BatchNormSettings settings;
    readonly string path = NoGrad.Active ? "" : TensorScope.CurrentPath;

    DeferredNormalization(Shape shape, Device device, Input?[] inputs, in BatchNormSettings settings) : base(shape, device, inputs) => this.settings = settings;

    public Activation Activation => settings.Activation;

    public bool HasResidual => Inputs[Residual] is not null;

    bool NeedsGradient => (Inputs[X]!.Node ?? Inputs[Gamma]?.Node ?? Inputs[Beta]?.Node ?? Inputs[Residual]?.Node) is not null;

    /// <summary>The batch norm of x with given statistics.</summary>
    public static Tensor Normalize(Tensor x, Tensor mean, Tensor variance, Tensor? gamma, Tensor? beta, in BatchNormSettings settings) =>
        new DeferredNormalization(x.Shape, x.Device, Input.Of(x, mean, variance, gamma, beta, null), settings).Result();

    /// <summary>
    /// The batch norm without residual whose deferred result is y; null if there is none. It is for kernels that normalize what they read: they read the input of the batch norm
    /// (<see cref="ReadInput"/>), and the batch norm stays deferred for readers of y. The caller gets a share.
    /// </summary>
    public static DeferredNormalization? Before(Tensor y)
    {
        if (y.Storage.Deferred is not DeferredNormalization step || step.Shape != y.Shape || !step.TryRetain()) return null;
        if (!step.HasResidual) return step;
        step.Release();
        return null;
    }

    /// <summary>Makes an operand to read the input, and returns the norm to apply to it.</summary>
    public Operand ReadInput(Held held, out NormTerm<Operand> norm)
    {
        norm = new(Inputs[Mean]!.Read(held), Inputs[Variance]!.Read(held), settings.Epsilon, Inputs[Gamma]?.Read(held), Inputs[Beta]?.Read(held), Activation);
        return Inputs[X]!.Read(held);
    }

    // The place of z in the graph must belong to this step. It does not after Detach, or if z was computed under NoGrad.
    public override bool IsFree(Tensor z) => NoGrad.Active || (NeedsGradient ? z.DefersPlaceTo(this) : !z.RequiresGrad);

    public DeferredNormalization With(Next.Sum next) => new(Shape, Device, InputsWith(Residual, next.Residual), settings);

    public DeferredNormalization With(Next.Activate next) => new(Shape, Device, InputsWith(0), settings with { Activation = next.Activation });

    /// <summary>Makes the result. Its entry in the graph is made when somebody asks for it.</summary>
    public override Tensor Result()
    {
        var y = base.Result();
        if (!NoGrad.Active && NeedsGradient && TryRetain()) y.DeferPlace(this);
        return y;
    }

    /// <summary>Makes the entry in the graph of y, the result. The caller must own a share of this step.</summary>
    public Node Record(Tensor y)
    {
        Input x = Inputs[X]!, mean = Inputs[Mean]!, variance = Inputs[Variance]!;
        Input? gamma = Inputs[Gamma], beta = Inputs[Beta], residual = Inputs[Residual];
        return new Node(nameof(Tensor.BatchNorm), path,
            [x.Node, gamma?.Node, beta?.Node, residual?.Node],
            [x.Shape, gamma?.Shape ?? default, beta?.Shape ?? default, residual?.Shape ?? default],
            [x.Save(), mean.Save(), variance.Save(), gamma?.Save(), beta?.Save(), Activation.IsNone ? null : y.Detach().Keep()],
            [x.Version, mean.Version, variance.Version, gamma?.Version ?? 0, beta?.Version ?? 0, y.Storage.Version],
            null, new BatchNormBackward(settings, HasResidual).Run);
    }

    protected override bool Run(Held held, ChannelStatistics<Operand>? statistics, Operand y)
    {
        var x = ReadInput(held, out var norm);
        Device.Kernels.BatchNorm(x, norm, Inputs[Residual]?.Read(held), y);
        return false;
    }
}
