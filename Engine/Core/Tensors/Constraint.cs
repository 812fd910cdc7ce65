namespace QuadEngine;

/// <summary>
/// A set that a parameter is kept on, or drawn to, while it is learned. A parameter that has one needs no care by anybody: <see cref="Tensor.Backward"/> adds the
/// gradient of the penalty, and <see cref="Optimizer.Step"/> puts the parameter back.
/// </summary>
public abstract class Constraint
{
    /// <summary>
    /// A scalar that grows with the distance from the set; null for none. Each Backward that reaches the parameter adds the gradient of this to that of its
    /// result, once, however often the parameter was used; so does the backward of loss + penalty. The loss itself does not have it.
    /// </summary>
    /// <param name="parameter">The one to be learned. Gradients are recorded.</param>
    public virtual Tensor? Penalty(Parameter parameter) => null;

    /// <summary>Puts the parameter back on the set, in place, after each update.</summary>
    /// <param name="parameter">As the update left it. Gradients are not recorded.</param>
    public virtual void Retract(Parameter parameter)
    {
    }
}
