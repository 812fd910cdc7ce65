using System.CommandLine;
using System.CommandLine.Parsing;
using System.Numerics;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli;

/// <summary>Options that several commands have, and methods that make options. The error for a wrong value names the allowed values.</summary>
static class CommonOptions
{
    public static Option<bool> Debug { get; } = new("--debug") { Description = "Show where an error came from.", Recursive = true };

    public static Option<bool> Json() => new("--json") { Description = "End with one line of JSON." };

    public static Option<string?> Data(string otherwise)
    {
        var option = new Option<string?>("--data") { Description = $"The data set: {string.Join(", ", Datasets.Names)}; or a folder of pictures with a sub-folder for each class. Default: {otherwise}.", HelpName = "NAME|DIR" };
        option.CompletionSources.Add([.. Datasets.Names]);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && !IsNamed(value) && !Directory.Exists(value))
                result.AddError($"--data: there is no data set \"{value}\" (known: {string.Join(", ", Datasets.Names)}), and no folder of pictures at {Path.GetFullPath(value)}");
        });
        return option;
    }

    public static Option<string?> NamedData(string otherwise) => Choice("--data", "The data set", Datasets.Names, otherwise);

    /// <summary>Returns a data set, or the full path of a folder of pictures; null if none was given.</summary>
    public static Selection? Data(ParseResult parsed, Option<string?> data) =>
        parsed.GetValue(data) is { } value ? new Selection(Datasets.Registry.Find(value)?.Name ?? Path.TrimEndingDirectorySeparator(Path.GetFullPath(value))) : null;

    /// <summary>Whether the data are a registered data set, not a folder.</summary>
    public static bool IsNamed(Selection data) => Datasets.Registry.Find(data.Name) is not null;

    public static Option<int?> ImageSize() =>
        Number<int>("--image-size", $"Height and width of the pictures of a folder as the network sees them. Default: their own, at most {InputForm.Small.LargestSide}, or {InputForm.Large.LargestSide} for a network for photographs", 8, 4096);

    public static Option<string?> DataFolder() => new("--data-dir") { Description = $"The folder with the data set's files. Default: {Datasets.DefaultFolder}.", HelpName = "DIR" };

    public static Option<int?> Batch() => Number<int>("--batch", "Images at once", 1, 1 << 20);

    public static Option<int?> Threads() => Number<int>("--threads", $"CPU threads; the results do not depend on it. Default: {Environment.ProcessorCount}", 1, 4096);

    public static Option<string?> DeviceName() => new("--device") { Description = "cpu, cuda:0, opencl:0, simulator, or best: CUDA if it works, else the CPU. cuda:0/tf32 and cuda:0/bf16 multiply on tensor cores. Default: best.", HelpName = "DEVICE" };

    /// <summary>Makes an option whose value is one word of a list.</summary>
    /// <param name="name">The name of the option.</param>
    /// <param name="description">What the option chooses.</param>
    /// <param name="allowed">The allowed words.</param>
    /// <param name="otherwise">The default, as the help shows it.</param>
    /// <param name="listed">The words as the help shows them, if they are too many to show all.</param>
    public static Option<string?> Choice(string name, string description, IReadOnlyList<string> allowed, string? otherwise = null, string? listed = null)
    {
        var option = new Option<string?>(name) { Description = $"{description} ({listed ?? string.Join(", ", allowed)}).{(otherwise is null ? "" : $" Default: {otherwise}.")}", HelpName = "NAME" };
        option.CompletionSources.Add([.. allowed]);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && !allowed.Contains(value, StringComparer.OrdinalIgnoreCase))
                result.AddError($"{name}: there is no \"{value}\" (known: {string.Join(", ", allowed)})");
        });
        return option;
    }

    /// <summary>Makes an option whose value is one entry of a registry.</summary>
    /// <inheritdoc cref="Choice(string, string, IReadOnlyList{string}, string, string)"/>
    public static Option<string?> Choice(string name, string description, Registry registry, string otherwise) => Choice(name, description, registry.Names, otherwise, EntryFlags.Listed(registry));

    /// <summary>Returns the chosen entry of a registry. If it is the default, returns the default with its options.</summary>
    public static Selection Chosen(ParseResult parsed, Option<string?> option, Registry registry, Selection otherwise) =>
        parsed.GetValue(option) is not { } name || name.Equals(otherwise.Name, StringComparison.OrdinalIgnoreCase) ? otherwise : registry.Require(name).Name;

    /// <summary>Makes an option whose value is a number in a range.</summary>
    public static Option<T?> Number<T>(string name, string description, T least, T most) where T : struct, INumber<T>
    {
        var number = EntryOption.OptionalNumber(name, description, "", least, most);
        return new(name)
        {
            Description = $"{description}.",
            HelpName = "N",
            CustomParser = result =>
            {
                var value = result.Tokens[0].Value;
                if (number.Refusal(value) is not { } refusal) return number.Parse(value);
                result.AddError($"{name}: {refusal}");
                return null;
            },
        };
    }

    /// <summary>Sets the number of CPU threads if it is given, and returns the chosen device.</summary>
    public static Device Device(ParseResult parsed, Option<string?> device, Option<int?> threads)
    {
        if (parsed.GetValue(threads) is { } count) QuadEngine.Device.CpuThreads = count;
        return parsed.GetValue(device) is { } name and not "best" ? QuadEngine.Device.Get(name) : QuadEngine.Device.Best;
    }
}
