using System.Globalization;

namespace QuadEngine.Benchmarks;

/// <summary>Options of a verb, e.g. `--batch 128 --neuron quadratic`.</summary>
public sealed class Arguments
{
    readonly Dictionary<string, string> values = [];

    /// <summary>Reads pairs of an option and its value.</summary>
    /// <exception cref="ArgumentException">An option has no value, or is not known.</exception>
    public Arguments(IReadOnlyList<string> args, params IReadOnlyList<string> known)
    {
        for (var i = 0; i < args.Count; i += 2)
        {
            var name = args[i].TrimStart('-');
            Check.That(known.Contains(name) && i + 1 < args.Count, nameof(Arguments),
                $"\"{args[i]}\" is not an option with a value; the options are: {string.Join(", ", known.Select(option => $"--{option} VALUE"))}.");
            values[name] = args[i + 1];
        }
    }

    /// <summary>The value of an option as a whole number.</summary>
    public int Number(string option, int otherwise) => values.TryGetValue(option, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>The value of an option as text; empty if the option is absent.</summary>
    public string Text(string option) => values.GetValueOrDefault(option, "");

    /// <summary>The value of an option as one of the words; the first word if the option is absent.</summary>
    /// <exception cref="ArgumentException">The value is another word.</exception>
    public string Word(string option, params IReadOnlyList<string> words)
    {
        var word = values.GetValueOrDefault(option, words[0]);
        Check.That(words.Contains(word), nameof(Arguments), $"--{option} is \"{word}\"; use one of: {string.Join(", ", words)}.");
        return word;
    }
}
