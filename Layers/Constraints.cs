namespace QuadEngine.Layers;

/// <summary>The constraints of all parameters of a network (<see cref="Parameter.Constraint"/>), for who wants to look at them or writes weights by hand; training needs neither.</summary>
public static class Constraints
{
    /// <summary>The sum of all penalties, without a gradient, since Backward adds that; null where there are none.</summary>
    /// <param name="network">Every constrained parameter in it is asked.</param>
    public static Tensor? Penalty(this ModuleBase network)
    {
        using var noGrad = new NoGrad();
        Tensor? sum = null;
        foreach (var parameter in network.Parameters())
            if (parameter.Constraint?.Penalty(parameter) is { } penalty) sum = sum is null ? penalty : sum + penalty;
        return sum;
    }

    /// <summary>Puts all constrained parameters back on their sets, as an optimizer's step does.</summary>
    /// <param name="network">Every constrained parameter in it is put back.</param>
    public static void Retract(this ModuleBase network)
    {
        using var noGrad = new NoGrad();
        foreach (var parameter in network.Parameters()) parameter.Constraint?.Retract(parameter);
    }
}
