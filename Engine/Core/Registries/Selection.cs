using System.Globalization;
using System.Text.Json.Serialization;

namespace QuadEngine;

/// <summary>
/// Selects an <see cref="Entry"/> by its name, with values for its options. A name alone converts to a selection:
/// <code>
/// Selection neuron = "linear";
/// Selection wide = new("quadratic", ("rank", 7), ("basis", "retracted"));
/// </code>
/// Only a <see cref="Registry{T}"/> checks it, so a file can be read even if it names an entry that is not registered.
/// </summary>
[JsonConverter(typeof(SelectionJson))]
public sealed record Selection
{
    readonly SortedDictionary<string, string> options = new(StringComparer.Ordinal);

    /// <summary>Selects an entry and gives values for some of its options.</summary>
    /// <param name="name">The name of the entry.</param>
    /// <param name="options">Names and values. All other options have their defaults.</param>
    /// <exception cref="ArgumentException">An option is given twice.</exception>
    public Selection(string name, params IEnumerable<(string Option, OptionValue Value)> options)
    {
        Name = name;
        foreach (var (option, value) in options)
            Check.That(this.options.TryAdd(option, value.Text), nameof(Selection), $"option \"{option}\" of \"{name}\" is given twice; give it once.");
    }

    /// <summary>The name of the entry.</summary>
    public string Name { get; }

    /// <summary>The simple name of the assembly that has the entry; null for the engine's own entries, and if it is not known.</summary>
    public string? Assembly { get; init; }

    /// <summary>The values as text, by the names of the options.</summary>
    public IReadOnlyDictionary<string, string> Options => options;

    /// <summary>Selects an entry with all its defaults.</summary>
    /// <param name="name">The name of the entry.</param>
    public static implicit operator Selection(string name) => new(name);

    /// <summary>Gives the value of an option, or its default if no value was given.</summary>
    /// <param name="option">One of <see cref="Entry.Options"/>.</param>
    /// <exception cref="ArgumentException">The value is not allowed; the message says which are.</exception>
    public T Get<T>(EntryOption<T> option) => options.TryGetValue(option.Name, out var text) ? option.Parse(text) : option.Default;

    /// <summary>Gives the same selection with another value for one option.</summary>
    /// <param name="option">Its name.</param>
    /// <param name="value">Its value.</param>
    public Selection With(string option, OptionValue value)
    {
        var changed = new Selection(Name) { Assembly = Assembly };
        foreach (var (other, text) in options) changed.options[other] = text;
        changed.options[option] = value.Text;
        return changed;
    }

    /// <summary>True if name, assembly and options are the same.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(Selection? other) => other is not null && Name == other.Name && Assembly == other.Assembly && options.SequenceEqual(other.options);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Assembly, options.Count);

    /// <summary>"quadratic (basis free, rank 3)".</summary>
    public override string ToString() => options.Count == 0 ? Name : $"{Name} ({string.Join(", ", options.Select(option => $"{option.Key} {option.Value}"))})";
}

/// <summary>The value of an option as text. Numbers, words, true and false convert to it.</summary>
/// <param name="Text">As in a file or on a command line. Numbers have a decimal point in every country.</param>
public readonly record struct OptionValue(string Text)
{
    /// <summary>A word, or any value as text.</summary>
    /// <param name="text">The value.</param>
    public static implicit operator OptionValue(string text) => new(text);

    /// <summary>A whole number.</summary>
    /// <param name="number">The value.</param>
    public static implicit operator OptionValue(int number) => new(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A number.</summary>
    /// <param name="number">The value.</param>
    public static implicit operator OptionValue(float number) => new(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>On or off.</summary>
    /// <param name="on">The value.</param>
    public static implicit operator OptionValue(bool on) => new(on ? "true" : "false");

    /// <inheritdoc/>
    public override string ToString() => Text;
}
