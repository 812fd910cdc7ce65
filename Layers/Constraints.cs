namespace QuadEngine.Layers;

/// <summary>The constraints of all parameters of a network (<see cref="Parameter.Constraint"/>), to inspect them or to use after you wrote weights yourself. Training does not need these methods.</summary>
public static class Constraints
{
    /// <summary>The sum of all penalties, without a gradient, because Backward adds it; null if there are none.</summary>
    /// <param name="network">The network whose constrained parameters are used.</param>
    public static Tensor? Penalty(this ModuleBase network)
    {
        using var noGrad = new NoGrad();
        Tensor? sum = null;
        foreach (var parameter in network.Parameters())
            if (parameter.Constraint?.Penalty(parameter) is { } penalty) sum = sum is null ? penalty : sum + penalty;
        return sum;
    }

    /// <summary>Puts all constrained parameters back on their sets, as an optimizer's step does.</summary>
    /// <param name="network">The network whose constrained parameters are put back.</param>
    public static void Retract(this ModuleBase network)
    {
        using var noGrad = new NoGrad();
        foreach (var parameter in network.Parameters()) parameter.Constraint?.Retract(parameter);
    }
}
