using System.Text.Json.Serialization;

namespace QuadEngine.Cli;

/// <summary>The results of a command for scripts: one line of JSON, without the keys that do not apply.</summary>
sealed record Report(string Command)
{
    public string? Model { get; init; }

    public string? Data { get; init; }

    public string? Device { get; init; }

    /// <summary>The run folder, or the file that was written.</summary>
    public string? Output { get; init; }

    /// <summary>The size of the written file in bytes.</summary>
    public long? Bytes { get; init; }

    /// <summary>The number of finished epochs.</summary>
    public int? Epochs { get; init; }

    /// <summary>Whether all epochs are finished.</summary>
    public bool? Finished { get; init; }

    /// <summary>The accuracy on the test images, in percent.</summary>
    public double? Accuracy { get; init; }

    /// <summary>The error, 100 - accuracy, in percent.</summary>
    public double? Error { get; init; }

    /// <summary>The mean loss over the test images; left out if it is not finite.</summary>
    public double? Loss { get; init; }

    /// <summary>The highest accuracy of any epoch, in percent.</summary>
    public double? BestAccuracy { get; init; }

    public long? Parameters { get; init; }

    /// <summary>The number of multiply-adds for one image.</summary>
    public long? MultiplyAdds { get; init; }

    public double? Seconds { get; init; }

    public double? ImagesPerSecond { get; init; }

    /// <summary>The most bytes that tensors took on the device at once.</summary>
    public long? PeakBytes { get; init; }

    /// <summary>The items that a command lists, e.g. data sets or devices.</summary>
    public IReadOnlyList<ReportItem>? Items { get; init; }

    /// <summary>Returns the value if JSON can hold it, else null.</summary>
    public static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}

/// <summary>An item of a list.</summary>
/// <param name="Name">What the item describes.</param>
/// <param name="Value">What was found; null if that failed.</param>
sealed record ReportItem(string Name, string? Value)
{
    /// <summary>Classes, the most probable first.</summary>
    public IReadOnlyList<ReportClass>? Classes { get; init; }

    /// <summary>What went wrong.</summary>
    public string? Error { get; init; }
}

/// <summary>A class and its probability, from 0 to 1.</summary>
sealed record ReportClass(string Name, float Probability);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Report))]
[JsonSerializable(typeof(string[]))]
sealed partial class ReportJson : JsonSerializerContext;
