using System.Globalization;
using System.Numerics;

namespace QuadEngine;

/// <summary>An option of an <see cref="Entry"/>: its name, its allowed values and its default. Values are text, as in files and on command lines.</summary>
public abstract class EntryOption
{
    private protected EntryOption(string name, string help, string expected) => (Name, Help, Expected) = (name, help, expected);

    /// <summary>Lower-case letters, digits and dashes, e.g. "weight-decay", which is --weight-decay on a command line.</summary>
    public string Name { get; }

    /// <summary>One sentence, without its full stop.</summary>
    public string Help { get; }

    /// <summary>The allowed values in words, e.g. "a whole number from 1 to 1024".</summary>
    public string Expected { get; }

    /// <summary>The allowed words if the option is a choice of words; else empty.</summary>
    public IReadOnlyList<string> Words { get; private init; } = [];

    /// <summary>The option is on or off. On a command line its name alone turns it on.</summary>
    public bool IsFlag { get; private init; }

    /// <summary>The default as text; null if the option has none and stays unset.</summary>
    public abstract string? DefaultText { get; }

    /// <summary>The default in words: the help shows it.</summary>
    public string Otherwise { get => field ?? DefaultText ?? ""; private init; }

    /// <summary>Says what is wrong with a value and what to give instead; null if the value is allowed.</summary>
    /// <param name="text">The value.</param>
    public abstract string? Refusal(string text);

    /// <summary>Makes an option that is a number in a range. Integer types take whole numbers only.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    /// <param name="otherwise">The default.</param>
    /// <param name="least">The smallest allowed number.</param>
    /// <param name="most">The largest allowed number.</param>
    public static EntryOption<T> Number<T>(string name, string help, T otherwise, T least, T most) where T : struct, INumber<T> =>
        new(name, help, Range(least, most), otherwise, Text(otherwise), text => Parse(text, least, most) is { } number ? (true, number) : default, text => NumberRefusal(text, least, most));

    /// <summary>Makes an option that is a number in a range, or unset.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    /// <param name="otherwise">What happens if it is unset, in words.</param>
    /// <param name="least">The smallest allowed number.</param>
    /// <param name="most">The largest allowed number.</param>
    public static EntryOption<T?> OptionalNumber<T>(string name, string help, string otherwise, T least, T most) where T : struct, INumber<T> =>
        new(name, help, Range(least, most), null, null, text => (Parse(text, least, most) is not null, Parse(text, least, most)), text => NumberRefusal(text, least, most)) { Otherwise = otherwise };

    /// <summary>Makes an option that is on or off, and off by default.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    public static EntryOption<bool> Flag(string name, string help) =>
        new(name, help, "true or false", false, "false", text => (bool.TryParse(text, out var on), on), text => $"\"{text}\" is not possible; give true or false") { IsFlag = true };

    /// <summary>Makes an option that is one of several words. Upper and lower case are the same.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    /// <param name="otherwise">The default, one of the words.</param>
    /// <param name="words">The words.</param>
    public static EntryOption<string> Word(string name, string help, string otherwise, params string[] words) =>
        Word(name, help, otherwise, words, words);

    /// <summary>Makes an option that is a value of an enumeration. Its words are the names of the values in lower case.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    /// <param name="otherwise">The default.</param>
    public static EntryOption<T> Word<T>(string name, string help, T otherwise) where T : struct, Enum =>
        Word(name, help, otherwise, [.. Enum.GetNames<T>().Select(word => word.ToLowerInvariant())], Enum.GetValues<T>());

    /// <summary>Makes an option that is any text.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    /// <param name="otherwise">The default.</param>
    public static EntryOption<string> AnyText(string name, string help, string otherwise) => new(name, help, "any text", otherwise, otherwise, text => (true, text), _ => "");

    static EntryOption<T> Word<T>(string name, string help, T otherwise, string[] words, T[] values)
    {
        return new(name, help, $"one of {string.Join(", ", words)}", otherwise, words[Array.IndexOf(values, otherwise)], Read, text => $"there is no \"{text}\" (known: {string.Join(", ", words)})") { Words = words };

        (bool, T) Read(string text) => Array.FindIndex(words, word => word.Equals(text, StringComparison.OrdinalIgnoreCase)) is >= 0 and var found ? (true, values[found]) : default;
    }

    static T? Parse<T>(string text, T least, T most) where T : struct, INumber<T> =>
        T.TryParse(text, Digits<T>(), CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null;

    // A comma means different things in different countries, so it is refused.
    static string NumberRefusal<T>(string text, T least, T most) where T : struct, INumber<T>
    {
        var meant = new[] { text.Replace(',', '.'), text.Replace(",", "", StringComparison.Ordinal) }.FirstOrDefault(other => other != text && Parse(other, least, most) is not null);
        return $"\"{text}\" is not possible; give {(meant is null ? "" : $"{meant}, written without a comma: ")}{Range(least, most)}";
    }

    static string Range<T>(T least, T most) where T : struct, INumber<T> => string.Create(CultureInfo.InvariantCulture, $"{(IsWhole<T>() ? "a whole number" : "a number")} from {least} to {most}");

    static string Text<T>(T number) where T : struct, INumber<T> => number.ToString(null, CultureInfo.InvariantCulture);

    // No spaces, no thousands: what is not a number as a program writes it is a mistake.
    static NumberStyles Digits<T>() where T : INumber<T> =>
        IsWhole<T>() ? NumberStyles.AllowLeadingSign : NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    // Half of a whole number is a whole number only in integer division.
    static bool IsWhole<T>() where T : INumber<T> => T.IsZero(T.One / (T.One + T.One));
}

/// <summary>An option and the type of its values.</summary>
/// <remarks>Made by the methods of <see cref="EntryOption"/>; <see cref="Selection.Get"/> reads it.</remarks>
public sealed class EntryOption<T> : EntryOption
{
    readonly Func<string, (bool Valid, T Value)> read;
    readonly Func<string, string> refusal;

    internal EntryOption(string name, string help, string expected, T otherwise, string? text, Func<string, (bool, T)> read, Func<string, string> refusal) : base(name, help, expected) =>
        (Default, DefaultText, this.read, this.refusal) = (otherwise, text, read, refusal);

    /// <summary>The default.</summary>
    public T Default { get; }

    /// <inheritdoc/>
    public override string? DefaultText { get; }

    /// <inheritdoc/>
    public override string? Refusal(string text) => read(text).Valid ? null : refusal(text);

    /// <summary>Reads a value.</summary>
    /// <param name="text">The value.</param>
    /// <exception cref="ArgumentException">The value is not allowed; the message says which are.</exception>
    public T Parse(string text) => read(text) is (true, var value) ? value : throw new ArgumentException($"{Name}: {refusal(text)}");
}
