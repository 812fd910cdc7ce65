namespace QuadEngine;

/// <summary>
/// The base of an optimizer of your own: it says how one parameter is updated from its gradient. All else is done here, for clipping and for the guard against
/// divergence too: gradients come scaled, a step that is left out does not come at all, and it does not count.
/// <code>
/// sealed class SignSgd(IEnumerable&lt;ParameterGroup&gt; groups, float learningRate) : CustomOptimizer(groups, learningRate)
/// {
///     protected override void Update(ParameterUpdate update) =>
///         update.Parameter.Assign(update.Parameter - update.LearningRate * update.Gradient.Sign());
/// }
/// </code>
/// </summary>
/// <remarks>It reads <see cref="Optimizer.GradientScale"/> where one is given, so that on a GPU each step waits for the device then, and is not replayed.</remarks>
public abstract class CustomOptimizer : Optimizer
{
    /// <inheritdoc cref="Optimizer(IEnumerable{ParameterGroup}, float)"/>
    protected CustomOptimizer(IEnumerable<ParameterGroup> groups, float learningRate) : base(groups, learningRate)
    {
    }

    /// <summary>Names of the tensors to be kept for each parameter, which start at 0, are of its shape, and are saved in checkpoints; none where it is not overridden.</summary>
    public override IReadOnlyList<string> Slots => [];

    /// <summary>Updates one parameter in place, by <see cref="Tensor.Assign(Tensor)"/>, and its slots likewise. Gradients are not recorded; tensors made here are dropped.</summary>
    /// <param name="update">The parameter and what its update needs.</param>
    protected abstract void Update(ParameterUpdate update);

    private protected sealed override void Apply(
        ParameterGroup group, ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, Tensor[][] slots, Func<int> step, Tensor? leftOut)
    {
        using var noGrad = new NoGrad.OnStack();
        using var scope = new TensorScope.OnStack();
        var scale = GradientScale?.Item() ?? 1f;
        if (scale == 0f || float.IsNaN(scale))
        {
            leftOut!.Assign(leftOut + 1f);
            return;
        }

        var taken = step() - (int)(leftOut?.Item() ?? 0f);
        for (var i = 0; i < parameters.Length; i++)
        {
            using var own = new TensorScope.OnStack();
            var gradient = scale == 1f ? gradients[i] : gradients[i] * scale;
            Update(new((Parameter)parameters[i], gradient, SlotsOf(i), group, LearningRate * group.LearningRateMultiplier, taken));
        }

        Tensor[] SlotsOf(int parameter) => [.. slots.Select(slot => slot[parameter])];
    }
}

/// <summary>An update of one parameter, as a <see cref="CustomOptimizer"/> makes it.</summary>
/// <param name="Parameter">To be overwritten.</param>
/// <param name="Gradient">Of its shape, scaled already.</param>
/// <param name="Slots">Of its shape each, in the order of <see cref="Optimizer.Slots"/>; to be overwritten.</param>
/// <param name="Group">With a weight decay of its own, or null for the optimizer's.</param>
/// <param name="LearningRate">Of this step, multiplied by the group's factor.</param>
/// <param name="Step">Which step of this parameter it is, counted from 1; steps that were left out do not count.</param>
public readonly record struct ParameterUpdate(Parameter Parameter, Tensor Gradient, IReadOnlyList<Tensor> Slots, ParameterGroup Group, float LearningRate, int Step);
