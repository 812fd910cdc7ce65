using System.Globalization;

namespace QuadEngine;

/// <summary>
/// A registered <see cref="Entry"/> by its name, with values for its options. A name alone converts to it:
/// <code>
/// Selection neuron = "linear";
/// Selection wide = new("quadratic", ("rank", 7), ("basis", "retracted"));
/// </code>
/// Nothing is checked until a <see cref="Registry{T}"/> is asked for it, so that files can be read that name what is not there.
/// </summary>
public sealed record Selection
{
    readonly SortedDictionary<string, string> options = new(StringComparer.Ordinal);

    /// <summary>An entry, and values for some of its options.</summary>
    /// <param name="name">Of the entry.</param>
    /// <param name="options">By name; those that are left out have their defaults.</param>
    /// <exception cref="ArgumentException">An option comes twice.</exception>
    public Selection(string name, params IEnumerable<(string Option, OptionValue Value)> options)
    {
        Name = name;
        foreach (var (option, value) in options)
            Check.That(this.options.TryAdd(option, value.Text), nameof(Selection), $"option \"{option}\" of \"{name}\" is given twice; give it once.");
    }

    /// <summary>Of the entry.</summary>
    public string Name { get; }

    /// <summary>The simple name of the assembly that registers the entry; null for the engine's own, and where it is not known.</summary>
    public string? Assembly { get; init; }

    /// <summary>Values as text, by the name of the option.</summary>
    public IReadOnlyDictionary<string, string> Options => options;

    /// <summary>The entry of a name with all its defaults.</summary>
    /// <param name="name">Of the entry.</param>
    public static implicit operator Selection(string name) => new(name);

    /// <summary>The value of an option, its default where it was not given.</summary>
    /// <param name="option">One of <see cref="Entry.Options"/>.</param>
    /// <exception cref="ArgumentException">The value is not possible; the message says what is.</exception>
    public T Get<T>(EntryOption<T> option) => options.TryGetValue(option.Name, out var text) ? option.Parse(text) : option.Default;

    /// <summary>The same with another value for an option.</summary>
    /// <param name="option">Its name.</param>
    /// <param name="value">Its value.</param>
    public Selection With(string option, OptionValue value)
    {
        var changed = new Selection(Name) { Assembly = Assembly };
        foreach (var (other, text) in options) changed.options[other] = text;
        changed.options[option] = value.Text;
        return changed;
    }

    /// <summary>Whether name, assembly and options are the same.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(Selection? other) => other is not null && Name == other.Name && Assembly == other.Assembly && options.SequenceEqual(other.options);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Assembly, options.Count);

    /// <summary>"quadratic (basis free, rank 3)".</summary>
    public override string ToString() => options.Count == 0 ? Name : $"{Name} ({string.Join(", ", options.Select(option => $"{option.Key} {option.Value}"))})";
}

/// <summary>The value of an option as text. Numbers, words and true or false convert to it.</summary>
/// <param name="Text">As a file or a command line has it: numbers with a decimal point, whatever the country.</param>
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
