namespace QuadEngine.Layers;

/// <summary>A layer whose parameters are drawn to, or kept on, a set.</summary>
public interface IConstrained
{
    /// <summary>A scalar that the loss gains, or null.</summary>
    Tensor? Penalty();

    /// <summary>Puts parameters back on their set, where they have one.</summary>
    void Retract();
}

/// <summary>The constraints of all layers of a network, as a training step needs them.</summary>
public static class Constraints
{
    /// <summary>The sum of all penalties, to be added to the loss; null where there are none.</summary>
    /// <param name="network">Every <see cref="IConstrained"/> layer in it is asked.</param>
    public static Tensor? Penalty(this Module network)
    {
        Tensor? sum = null;
        foreach (var layer in network.Modules().Select(entry => entry.Module).OfType<IConstrained>())
            if (layer.Penalty() is { } penalty) sum = sum is null ? penalty : sum + penalty;
        return sum;
    }

    /// <summary>Puts all constrained parameters back on their sets: call it after the optimizer's step.</summary>
    /// <param name="network">Every <see cref="IConstrained"/> layer in it is put back.</param>
    public static void Retract(this Module network)
    {
        foreach (var layer in network.Modules().Select(entry => entry.Module).OfType<IConstrained>()) layer.Retract();
    }
}
