using System.Globalization;
using System.Numerics;

namespace QuadEngine;

/// <summary>An option of a registered <see cref="Entry"/>: its name, what may be given, and what is taken otherwise. Values are text, as files and command lines have them.</summary>
public abstract class EntryOption
{
    private protected EntryOption(string name, string help, string expected) => (Name, Help, Expected) = (name, help, expected);

    /// <summary>Small letters, digits and dashes, e.g. "weight-decay"; the tool shows it as --weight-decay.</summary>
    public string Name { get; }

    /// <summary>One sentence, without its full stop.</summary>
    public string Help { get; }

    /// <summary>What may be given, e.g. "a whole number from 1 to 1024".</summary>
    public string Expected { get; }

    /// <summary>The words that may be given, where the option is a choice; else empty.</summary>
    public IReadOnlyList<string> Words { get; private init; } = [];

    /// <summary>It is on or off: the tool takes its name alone for on.</summary>
    public bool IsFlag { get; private init; }

    /// <summary>What is taken where the option is not given, as text; null where it is then unset.</summary>
    public abstract string? DefaultText { get; }

    /// <summary>What holds where the option is not given, in words.</summary>
    public string Otherwise { get => field ?? DefaultText ?? ""; private init; }

    /// <summary>What is wrong with a value, and what to give instead; null where the value is right.</summary>
    /// <param name="text">The value.</param>
    public abstract string? Refusal(string text);

    /// <summary>A number of a range. Whole for integer types.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    /// <param name="otherwise">Taken where the option is not given.</param>
    /// <param name="least">The smallest number that may be given.</param>
    /// <param name="most">The largest number that may be given.</param>
    public static EntryOption<T> Number<T>(string name, string help, T otherwise, T least, T most) where T : struct, INumber<T> =>
        new(name, help, Range(least, most), otherwise, Text(otherwise), text => Parse(text, least, most) is { } number ? (true, number) : default, text => NumberRefusal(text, least, most));

    /// <summary>A number of a range, unset where it is not given.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    /// <param name="otherwise">What holds where it is not given, in words.</param>
    /// <param name="least">The smallest number that may be given.</param>
    /// <param name="most">The largest number that may be given.</param>
    public static EntryOption<T?> OptionalNumber<T>(string name, string help, string otherwise, T least, T most) where T : struct, INumber<T> =>
        new(name, help, Range(least, most), null, null, text => (Parse(text, least, most) is not null, Parse(text, least, most)), text => NumberRefusal(text, least, most)) { Otherwise = otherwise };

    /// <summary>On or off; off where it is not given.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    public static EntryOption<bool> Flag(string name, string help) =>
        new(name, help, "true or false", false, "false", text => (bool.TryParse(text, out var on), on), text => $"\"{text}\" is not possible; give true or false") { IsFlag = true };

    /// <summary>One of a few words, in any case.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    /// <param name="otherwise">Taken where the option is not given; one of the words.</param>
    /// <param name="words">The words.</param>
    public static EntryOption<string> Word(string name, string help, string otherwise, params string[] words) =>
        Word(name, help, otherwise, words, words);

    /// <summary>One of the values of an enumeration, by its name in small letters.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    /// <param name="otherwise">Taken where the option is not given.</param>
    public static EntryOption<T> Word<T>(string name, string help, T otherwise) where T : struct, Enum =>
        Word(name, help, otherwise, [.. Enum.GetNames<T>().Select(word => word.ToLowerInvariant())], Enum.GetValues<T>());

    /// <summary>Any text.</summary>
    /// <param name="name">See <see cref="Name"/>.</param>
    /// <param name="help">See <see cref="Help"/>.</param>
    /// <param name="otherwise">Taken where the option is not given.</param>
    public static EntryOption<string> AnyText(string name, string help, string otherwise) => new(name, help, "any text", otherwise, otherwise, text => (true, text), _ => "");

    static EntryOption<T> Word<T>(string name, string help, T otherwise, string[] words, T[] values)
    {
        return new(name, help, $"one of {string.Join(", ", words)}", otherwise, words[Array.IndexOf(values, otherwise)], Read, text => $"there is no \"{text}\" (known: {string.Join(", ", words)})") { Words = words };

        (bool, T) Read(string text) => Array.FindIndex(words, word => word.Equals(text, StringComparison.OrdinalIgnoreCase)) is >= 0 and var found ? (true, values[found]) : default;
    }

    static T? Parse<T>(string text, T least, T most) where T : struct, INumber<T> =>
        T.TryParse(text, Digits<T>(), CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null;

    // What a comma means differs between countries; here it means nothing.
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

/// <summary>An option whose values are read as a type.</summary>
/// <remarks>Made by the methods of <see cref="EntryOption"/>; <see cref="Selection.Get"/> reads it.</remarks>
public sealed class EntryOption<T> : EntryOption
{
    readonly Func<string, (bool Valid, T Value)> read;
    readonly Func<string, string> refusal;

    internal EntryOption(string name, string help, string expected, T otherwise, string? text, Func<string, (bool, T)> read, Func<string, string> refusal) : base(name, help, expected) =>
        (Default, DefaultText, this.read, this.refusal) = (otherwise, text, read, refusal);

    /// <summary>What is taken where the option is not given.</summary>
    public T Default { get; }

    /// <inheritdoc/>
    public override string? DefaultText { get; }

    /// <inheritdoc/>
    public override string? Refusal(string text) => read(text).Valid ? null : refusal(text);

    /// <summary>Reads a value.</summary>
    /// <param name="text">The value.</param>
    /// <exception cref="ArgumentException">It is not possible; the message says what is.</exception>
    public T Parse(string text) => read(text) is (true, var value) ? value : throw new ArgumentException($"{Name}: {refusal(text)}");
}
