using System.Text.Json.Serialization;

namespace QuadEngine.Cli;

/// <summary>What a command found, for scripts: one line of JSON, without the keys that do not apply.</summary>
sealed record Report(string Command)
{
    public string? Model { get; init; }

    public string? Data { get; init; }

    public string? Device { get; init; }

    /// <summary>The run folder, or the file that was written.</summary>
    public string? Output { get; init; }

    /// <summary>Size of that file.</summary>
    public long? Bytes { get; init; }

    /// <summary>Epochs done.</summary>
    public int? Epochs { get; init; }

    /// <summary>All epochs are done.</summary>
    public bool? Finished { get; init; }

    /// <summary>Of the test images, in percent.</summary>
    public double? Accuracy { get; init; }

    /// <summary>100 - accuracy.</summary>
    public double? Error { get; init; }

    /// <summary>Mean over the test images; left out where it is not a number.</summary>
    public double? Loss { get; init; }

    /// <summary>The highest accuracy of any epoch, in percent.</summary>
    public double? BestAccuracy { get; init; }

    public long? Parameters { get; init; }

    /// <summary>For one image.</summary>
    public long? MultiplyAdds { get; init; }

    public double? Seconds { get; init; }

    public double? ImagesPerSecond { get; init; }

    /// <summary>The most bytes that tensors took on the device at once.</summary>
    public long? PeakBytes { get; init; }

    /// <summary>Whatever a command lists: data sets, devices.</summary>
    public IReadOnlyList<ReportItem>? Items { get; init; }

    /// <summary>A number that JSON can hold, or null.</summary>
    public static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}

/// <summary>An entry of a list.</summary>
/// <param name="Name">What it is of.</param>
/// <param name="Value">What was found; null where that failed.</param>
sealed record ReportItem(string Name, string? Value)
{
    /// <summary>Classes, the most probable first.</summary>
    public IReadOnlyList<ReportClass>? Classes { get; init; }

    /// <summary>What went wrong.</summary>
    public string? Error { get; init; }
}

/// <summary>A class and how probable it is, from 0 to 1.</summary>
sealed record ReportClass(string Name, float Probability);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Report))]
[JsonSerializable(typeof(string[]))]
sealed partial class ReportJson : JsonSerializerContext;
