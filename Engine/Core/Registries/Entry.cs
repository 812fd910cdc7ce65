namespace QuadEngine;

/// <summary>
/// Something that configurations, checkpoints and the tool know by a name: a network, a data set, a neuron, an optimizer, a schedule or an augmentation.
/// Each kind has a <see cref="Registry{T}"/>, which holds its entries.
/// </summary>
/// <param name="name">Letters, digits, dots, dashes and underscores; it names folders too.</param>
/// <param name="help">One line, which the tool shows.</param>
public abstract class Entry(string name, string help)
{
    /// <summary>The name that configurations and the tool use.</summary>
    public string Name { get; } = name;

    /// <summary>One line about it.</summary>
    public string Help { get; } = help;

    /// <summary>What a user can choose about it. <see cref="Selection.Get"/> reads the values.</summary>
    public virtual IReadOnlyList<EntryOption> Options => [];

    /// <summary>The simple name of the assembly that has its class.</summary>
    public string Assembly => GetType().Assembly.GetName().Name!;

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Help}";
}

/// <summary>
/// Registers the entries of an assembly outside the engine. With <c>quad --plugin mine.dll train --model mine</c> the tool loads the assembly, constructs each
/// public class that implements this interface, and calls <see cref="Register"/>. A program calls <see cref="Register"/> itself, once.
/// </summary>
public interface IPlugin
{
    /// <summary>Adds the assembly's entries to the registries of networks, data sets, neurons, optimizers, schedules and augmentations.</summary>
    void Register();
}
