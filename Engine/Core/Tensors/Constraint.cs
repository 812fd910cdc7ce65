namespace QuadEngine;

/// <summary>
/// A set that a parameter is kept on, or drawn to, while it is learned. Callers need not handle it: <see cref="Tensor.Backward"/> adds the
/// gradient of the penalty, and <see cref="Optimizer.Step"/> puts the parameter back on the set.
/// </summary>
public abstract class Constraint
{
    /// <summary>
    /// A scalar that grows with the distance from the set; null for none. Each Backward that reaches the parameter adds the gradient of this scalar once,
    /// no matter how many times the parameter was used. So Backward on the loss gives the gradient of loss + penalty. The value of the loss does not include the penalty.
    /// </summary>
    /// <param name="parameter">The parameter. Gradients are recorded.</param>
    public virtual Tensor? Penalty(Parameter parameter) => null;

    /// <summary>Puts the parameter back on the set, in place, after each update.</summary>
    /// <param name="parameter">The parameter after the update. Gradients are not recorded.</param>
    public virtual void Retract(Parameter parameter)
    {
    }
}
