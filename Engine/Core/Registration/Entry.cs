namespace QuadEngine;

/// <summary>
/// What can be asked for by name, from a configuration, a checkpoint or the tool: a network, a data set, a neuron, an optimizer, a schedule or an
/// augmentation. A <see cref="Registry{T}"/> for each kind holds them.
/// </summary>
/// <param name="name">Letters, digits, dots, dashes and underscores; it names folders too.</param>
/// <param name="help">One line, which the tool shows.</param>
public abstract class Entry(string name, string help)
{
    /// <summary>The name that configurations and the tool use.</summary>
    public string Name { get; } = name;

    /// <summary>One line about it.</summary>
    public string Help { get; } = help;

    /// <summary>What can be chosen about it. Values are read with <see cref="Selection.Get"/>.</summary>
    public virtual IReadOnlyList<EntryOption> Options => [];

    /// <summary>The simple name of the assembly that it comes from.</summary>
    public string Assembly => GetType().Assembly.GetName().Name!;

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Help}";
}

/// <summary>
/// The registration of an assembly outside the engine. The tool makes each public class that implements this, by its constructor without arguments,
/// when it is given the assembly (<c>quad --plugin mine.dll train --model mine</c>); a program calls <see cref="Register"/> itself, once.
/// </summary>
public interface IPlugin
{
    /// <summary>Adds what the assembly has to the registries of networks, data sets, neurons, optimizers, schedules and augmentations.</summary>
    void Register();
}
