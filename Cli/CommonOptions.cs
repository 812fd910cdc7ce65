using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli;

/// <summary>Options that several commands have, and the makers of all options: a wrong value is answered by what may be given.</summary>
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

    /// <summary>A data set's name, or the full path of a folder of pictures; null where none was given.</summary>
    public static string? Data(ParseResult parsed, Option<string?> data) =>
        parsed.GetValue(data) is not { } value ? null : IsNamed(value) ? value.ToLowerInvariant() : Path.TrimEndingDirectorySeparator(Path.GetFullPath(value));

    /// <summary>Whether it is the name of a data set, and no folder.</summary>
    public static bool IsNamed(string data) => Datasets.Names.Contains(data, StringComparer.OrdinalIgnoreCase);

    public static Option<int?> ImageSize() => Number<int>("--image-size", "Height and width of the pictures of a folder as the network sees them. Default: their own, at most 64, or 224 in the ImageNet form", 8, 4096);

    public static Option<string?> DataFolder() => new("--data-dir") { Description = $"The folder with the data set's files. Default: {Datasets.DefaultFolder}.", HelpName = "DIR" };

    public static Option<int?> Batch() => Number<int>("--batch", "Images at once", 1, 1 << 20);

    public static Option<int?> Threads() => Number<int>("--threads", $"CPU threads; the results do not depend on it. Default: {Environment.ProcessorCount}", 1, 4096);

    public static Option<string?> DeviceName() => new("--device") { Description = "cpu, cuda:0, opencl:0, simulator, or best: CUDA where it works, else the CPU. cuda:0/tf32 and cuda:0/bf16 multiply on tensor cores. Default: best.", HelpName = "DEVICE" };

    /// <summary>One word of a list.</summary>
    /// <param name="name">Of the option.</param>
    /// <param name="description">What is chosen.</param>
    /// <param name="allowed">The words.</param>
    /// <param name="otherwise">What is taken where the option is not given.</param>
    /// <param name="listed">The words as the help has them, where all of them are too many.</param>
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

    /// <summary>A number of a range.</summary>
    public static Option<T?> Number<T>(string name, string description, T least, T most) where T : struct, INumber<T> => new(name)
    {
        Description = $"{description}.",
        HelpName = "N",
        CustomParser = result =>
        {
            var value = result.Tokens[0].Value;
            if (Read(value) is { } number) return number;

            // What a comma means differs between countries; here it means nothing.
            var meant = new[] { value.Replace(',', '.'), value.Replace(",", "", StringComparison.Ordinal) }.FirstOrDefault(text => text != value && Read(text) is not null);
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name}: \"{value}\" is not possible; give {(meant is null ? "" : $"{meant}, written without a comma: ")}{Kind<T>()} from {least} to {most}"));
            return null;

            T? Read(string text) => T.TryParse(text, Digits<T>(), CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null;
        },
    };

    // No spaces, no thousands: what is not a number as a program writes it is a mistake.
    static NumberStyles Digits<T>() where T : INumber<T> =>
        IsWhole<T>() ? NumberStyles.AllowLeadingSign : NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>The device asked for, with as many threads.</summary>
    public static Device Device(ParseResult parsed, Option<string?> device, Option<int?> threads)
    {
        if (parsed.GetValue(threads) is { } count) QuadEngine.Device.CpuThreads = count;
        return parsed.GetValue(device) is { } name and not "best" ? QuadEngine.Device.Get(name) : QuadEngine.Device.Best;
    }

    static string Kind<T>() where T : INumber<T> => IsWhole<T>() ? "a whole number" : "a number";

    // Half of a whole number is a whole number only in integer division.
    static bool IsWhole<T>() where T : INumber<T> => T.IsZero(T.One / (T.One + T.One));
}
