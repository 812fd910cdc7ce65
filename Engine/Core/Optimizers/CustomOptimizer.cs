namespace QuadEngine;

/// <summary>
/// The base of your own optimizer. The optimizer defines how one parameter is updated from its gradient. This class does the rest, also for clipping and for the guard against
/// divergence: gradients are scaled already, and a skipped step neither calls <see cref="Update"/> nor counts.
/// <code>
/// sealed class SignSgd(IEnumerable&lt;ParameterGroup&gt; groups, float learningRate) : CustomOptimizer(groups, learningRate)
/// {
///     protected override void Update(ParameterUpdate update) =>
///         update.Parameter.Assign(update.Parameter - update.LearningRate * update.Gradient.Sign());
/// }
/// </code>
/// </summary>
/// <remarks>It reads <see cref="Optimizer.GradientScale"/> if there is one. On a GPU, each step then waits for the device and is not replayed.</remarks>
public abstract class CustomOptimizer : Optimizer
{
    /// <inheritdoc cref="Optimizer(IEnumerable{ParameterGroup}, float)"/>
    protected CustomOptimizer(IEnumerable<ParameterGroup> groups, float learningRate) : base(groups, learningRate)
    {
    }

    /// <summary>The names of the tensors that are kept for each parameter; none by default. They start at 0, have the parameter's shape, and are saved in checkpoints.</summary>
    public override IReadOnlyList<string> Slots => [];

    /// <summary>Updates one parameter and its slots in place, by <see cref="Tensor.Assign(Tensor)"/>. Gradients are not recorded. Tensors made here are dropped.</summary>
    /// <param name="update">The parameter and the values that its update needs.</param>
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

/// <summary>An update of one parameter, for <see cref="CustomOptimizer"/>.</summary>
/// <param name="Parameter">The parameter, which the update overwrites.</param>
/// <param name="Gradient">The gradient, scaled already, of the parameter's shape.</param>
/// <param name="Slots">The slots, each of the parameter's shape, in the order of <see cref="Optimizer.Slots"/>. The update overwrites them.</param>
/// <param name="Group">The group of the parameter. Its weight decay is null if it does not have its own.</param>
/// <param name="LearningRate">The learning rate of this step, multiplied by the group's factor.</param>
/// <param name="Step">The number of this step of the parameter, counted from 1. Skipped steps do not count.</param>
public readonly record struct ParameterUpdate(Parameter Parameter, Tensor Gradient, IReadOnlyList<Tensor> Slots, ParameterGroup Group, float LearningRate, int Step);
