using System.Text;
using System.Text.Json;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>
/// What a run leaves: <c>config.json</c>, <c>metrics.csv</c>, <c>curves.svg</c>, <c>last.safetensors</c> to go on from and
/// <c>best.safetensors</c>, the weights of the best epoch. Each is written aside and moved into place, so that whatever happens a file is
/// the old one or the new one; only last.safetensors decides where a run goes on, and the others follow from it.
/// </summary>
public sealed class RunFolder
{
    RunFolder(string folder, RunConfiguration configuration) => (Folder, Configuration) = (folder, configuration);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>What config.json says.</summary>
    public RunConfiguration Configuration { get; }

    /// <summary>Weights, optimizer and state.</summary>
    public string Last => Path.Combine(Folder, "last.safetensors");

    /// <summary>Weights of the epoch of the highest test accuracy.</summary>
    public string Best => Path.Combine(Folder, "best.safetensors");

    /// <summary>A row an epoch.</summary>
    public string Metrics => Path.Combine(Folder, "metrics.csv");

    /// <summary>The quadratic layers over the steps, where <see cref="TrainerOptions.TelemetrySteps"/> asks for it.</summary>
    public string Telemetry => Path.Combine(Folder, "telemetry.csv");

    /// <summary>Loss and accuracy over the epochs.</summary>
    public string Curves => Path.Combine(Folder, "curves.svg");

    /// <summary>Starts a folder for a new run.</summary>
    /// <exception cref="IOException">There is a run in it, or it cannot be written.</exception>
    public static RunFolder Create(string folder, RunConfiguration configuration)
    {
        if (Exists(folder))
            throw new IOException($"{folder} holds a run already. Resume that one, or give another folder.");
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"the folder {folder} cannot be made: {e.Message.TrimEnd('.')}. Give another, or see that it may be written.", e);
        }

        AtomicFile.Write(ConfigurationIn(folder), stream => JsonSerializer.Serialize(stream, configuration, ModelsJson.Default.RunConfiguration));
        return new(folder, configuration);
    }

    /// <summary>Opens the folder of a run that was started before.</summary>
    /// <exception cref="FileNotFoundException">There is no run in it.</exception>
    /// <exception cref="InvalidFileException">Its configuration is damaged.</exception>
    public static RunFolder Open(string folder)
    {
        if (!Exists(folder))
            throw new FileNotFoundException($"{folder} holds no run: {ConfigurationIn(folder)} is missing.{RunsIn(folder)}");
        try
        {
            using var stream = File.OpenRead(ConfigurationIn(folder));
            return new(folder, JsonSerializer.Deserialize(stream, ModelsJson.Default.RunConfiguration)!);
        }
        catch (JsonException e)
        {
            throw new InvalidFileException(ConfigurationIn(folder), $"{e.Path}, line {e.LineNumber + 1}", e.Message.TrimEnd('.'), "Mend it, or train again.");
        }
    }

    /// <summary>Whether there is a run in a folder.</summary>
    public static bool Exists(string folder) => File.Exists(ConfigurationIn(folder));

    /// <summary>Writes metrics and curves.</summary>
    /// <exception cref="IOException">They cannot be written; earlier ones are untouched.</exception>
    public void Write(IReadOnlyList<EpochMetrics> history)
    {
        AtomicFile.Write(Metrics, stream => stream.Write(Encoding.UTF8.GetBytes(MetricsTable.ToCsv(history))));
        AtomicFile.Write(Curves, stream => stream.Write(Encoding.UTF8.GetBytes(TrainingCurves.ToSvg(Configuration.Network.Title, history))));
    }

    /// <summary>Adds the quadratic layers of a step to the telemetry.</summary>
    internal void Append(int step, IReadOnlyList<QuadraticState> states) =>
        File.AppendAllText(Telemetry, (File.Exists(Telemetry) ? "" : TelemetryTable.Header) + TelemetryTable.Rows(step, states));

    /// <summary>Takes out the telemetry of steps that are done again.</summary>
    internal void CutTelemetry(int step)
    {
        if (!File.Exists(Telemetry)) return;
        var kept = TelemetryTable.Until(File.ReadAllText(Telemetry), step);
        AtomicFile.Write(Telemetry, stream => stream.Write(Encoding.UTF8.GetBytes(kept)));
    }

    /// <summary>Adds to a history out of a checkpoint the timings, which only metrics.csv has.</summary>
    internal IReadOnlyList<EpochMetrics> WithTimings(IReadOnlyList<EpochMetrics> history) =>
        File.Exists(Metrics) ? MetricsTable.WithTimings(history, File.ReadAllText(Metrics)) : history;

    // Whoever gives the folder of all runs finds its run here.
    static string RunsIn(string folder) =>
        Directory.Exists(folder) && Directory.EnumerateDirectories(folder).Where(Exists).Order(StringComparer.Ordinal).ToArray() is { Length: > 0 } runs
            ? $" Give one of the runs in it: {string.Join(", ", runs.Take(5))}{(runs.Length > 5 ? ", ..." : "")}."
            : "";

    static string ConfigurationIn(string folder) => Path.Combine(folder, "config.json");
}
