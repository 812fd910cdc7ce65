using System.Globalization;
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
    readonly RunConfiguration? configuration;

    RunFolder(string folder, string title, RunConfiguration? configuration) => (Folder, Title, this.configuration) = (folder, title, configuration);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>What is trained, in a few words.</summary>
    public string Title { get; }

    /// <summary>What config.json says.</summary>
    /// <exception cref="InvalidOperationException">The run is a program's (<see cref="OpenOrCreate"/>), which has its configuration in its code.</exception>
    public RunConfiguration Configuration => configuration
        ?? throw new InvalidOperationException($"the run in {Folder} is that of a program, \"{Title}\", and not of the tool. Run that program again to go on.");

    /// <summary>The network in words; null where a program built it.</summary>
    internal NetworkConfiguration? Network => configuration?.Network;

    /// <summary>Weights, optimizer and state.</summary>
    public string Last => Path.Combine(Folder, "last.safetensors");

    /// <summary>Weights of the best epoch: <see cref="Trainer.Best"/>.</summary>
    public string Best => Path.Combine(Folder, "best.safetensors");

    /// <summary>A row an epoch.</summary>
    public string Metrics => Path.Combine(Folder, "metrics.csv");

    /// <summary>The quadratic layers over the steps, where <see cref="TrainerOptions.TelemetrySteps"/> asks for it.</summary>
    public string Telemetry => Path.Combine(Folder, "telemetry.csv");

    /// <summary>Loss and metrics over the epochs.</summary>
    public string Curves => Path.Combine(Folder, "curves.svg");

    /// <summary>Starts a folder for a new run.</summary>
    /// <param name="folder">A new folder, or one that has no file of a run's names.</param>
    /// <param name="configuration">Of the run.</param>
    /// <exception cref="IOException">There is a run in it, or files that a run would overwrite, or it cannot be written.</exception>
    /// <exception cref="InvalidOperationException">Another process is starting a run in it.</exception>
    public static RunFolder Create(string folder, RunConfiguration configuration)
    {
        Make(folder);
        using var held = FolderLock.Take(folder);
        CheckFree(folder);
        return Begin(folder, configuration);
    }

    /// <summary>
    /// The folder of a run whose network and data are in a program: a new one at the first time, later the same. <see cref="Trainer.Resume"/> goes on where it stands.
    /// <code>
    /// var trainer = new Trainer(task, options, RunFolder.OpenOrCreate("runs/rain", "rain in millimeters"));
    /// trainer.Resume();
    /// trainer.Run();
    /// </code>
    /// </summary>
    /// <param name="folder">A new folder, or that of a run of this title.</param>
    /// <param name="title">What is trained, in a few words; it stands above the curves.</param>
    /// <exception cref="ArgumentException">The title is empty.</exception>
    /// <exception cref="IOException">There is another run in it, or files that a run would overwrite, or it cannot be written.</exception>
    /// <exception cref="InvalidOperationException">Another process is starting a run in it.</exception>
    public static RunFolder OpenOrCreate(string folder, string title)
    {
        Check.That(!string.IsNullOrWhiteSpace(title), nameof(RunFolder), $"the title is empty, expected a few words that say what is trained.");
        Make(folder);
        using var held = FolderLock.Take(folder);
        if (!Exists(folder))
        {
            CheckFree(folder);
            AtomicFile.Write(ConfigurationIn(folder), stream => JsonSerializer.Serialize(stream, new ProgramConfiguration(title), ModelsJson.Default.ProgramConfiguration));
        }

        var opened = Open(folder);
        return opened.configuration is null && opened.Title == title ? opened
            : throw new IOException($"{folder} holds a run of \"{opened.Title}\", and this is \"{title}\". Give another folder.");
    }

    /// <summary>Starts a folder for a new run under the first number that is free: PARENT/TITLE-1, -2, ... Processes that do so at once get a folder each.</summary>
    /// <param name="parent">Made where it is missing.</param>
    /// <param name="configuration">Of the run; its network's title names the folder.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static RunFolder CreateNumbered(string parent, RunConfiguration configuration)
    {
        for (var number = 1; ; number++)
        {
            var folder = Path.Combine(parent, string.Create(CultureInfo.InvariantCulture, $"{configuration.Network.Title}-{number}"));
            if (Path.Exists(folder)) continue;
            Make(folder);

            // Of several that made it at once, one gets the lock before there is a run.
            using var held = FolderLock.TryTake(folder);
            if (held is not null && !Taken(folder).Any()) return Begin(folder, configuration);
        }
    }

    /// <summary>Refuses a folder in which <see cref="Create"/> would find something, before any work is done for it.</summary>
    /// <param name="folder">It need not exist.</param>
    /// <exception cref="IOException">There is a run in it, or files that a run would overwrite.</exception>
    public static void CheckFree(string folder)
    {
        if (Exists(folder)) throw new IOException($"{folder} holds a run already. Resume that one, or give another folder.");
        if (Taken(folder).ToArray() is { Length: > 0 } taken)
            throw new IOException($"{folder} holds {string.Join(", ", taken)}, which a run would overwrite, and no run: "
                + (taken.Contains(ConfigurationName) ? $"its {ConfigurationName} is of another program." : $"a {ConfigurationName} is missing.")
                + " Give another folder, or move these files away.");
    }

    static void Make(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"the folder {folder} cannot be made: {e.Message.TrimEnd('.')}. Give another, or see that it may be written.", e);
        }
    }

    static RunFolder Begin(string folder, RunConfiguration configuration)
    {
        AtomicFile.Write(ConfigurationIn(folder), stream => JsonSerializer.Serialize(stream, configuration, ModelsJson.Default.RunConfiguration));
        return new(folder, configuration.Network.Title, configuration);
    }

    static IEnumerable<string> Taken(string folder)
    {
        var files = new RunFolder(folder, "", null);
        return new[] { ConfigurationIn(folder), files.Last, files.Best, files.Metrics, files.Telemetry, files.Curves }.Where(Path.Exists).Select(path => Path.GetFileName(path));
    }

    /// <summary>Opens the folder of a run that was started before.</summary>
    /// <param name="folder">That of the run itself, not the one of all runs.</param>
    /// <exception cref="FileNotFoundException">There is no run in it.</exception>
    /// <exception cref="InvalidFileException">Its configuration is damaged.</exception>
    public static RunFolder Open(string folder)
    {
        if (!Exists(folder))
            throw new FileNotFoundException($"{folder} holds no run: {ConfigurationIn(folder)} is {(File.Exists(ConfigurationIn(folder)) ? "of another program" : "missing")}.{RunsIn(folder)}");
        try
        {
            var json = File.ReadAllBytes(ConfigurationIn(folder));
            if (HasKeys(json, ProgramKey)) return new(folder, JsonSerializer.Deserialize(json, ModelsJson.Default.ProgramConfiguration)!.Program, null);
            var configuration = JsonSerializer.Deserialize(json, ModelsJson.Default.RunConfiguration)!;
            return new(folder, configuration.Network.Title, configuration);
        }
        catch (JsonException e)
        {
            throw new InvalidFileException(ConfigurationIn(folder), $"{e.Path}, line {e.LineNumber + 1}", e.Message.TrimEnd('.'), "Mend it, or train again; a run that a version before 0.2 began cannot go on.");
        }
    }

    /// <summary>Whether there is a run in a folder. A config.json alone does not make one: other programs write files of that name.</summary>
    /// <param name="folder">It need not exist.</param>
    public static bool Exists(string folder) => File.Exists(ConfigurationIn(folder)) && IsOfRun(File.ReadAllBytes(ConfigurationIn(folder)));

    const string ProgramKey = "quadengineProgram";

    // Every run of the tool says what its network is and how it is trained, and every run of a program what that is called. One that was damaged by hand is
    // still one, and is refused as damaged when it is opened.
    static bool IsOfRun(byte[] json) => HasKeys(json, "network", "training") || HasKeys(json, ProgramKey);

    static bool HasKeys(byte[] json, params ReadOnlySpan<string> keys)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new() { CommentHandling = JsonCommentHandling.Skip });
            foreach (var key in keys)
                if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty(key, out var value) || value.ValueKind != (key == ProgramKey ? JsonValueKind.String : JsonValueKind.Object)) return false;
        }
        catch (JsonException)
        {
            foreach (var key in keys)
                if (json.AsSpan().IndexOf(Encoding.UTF8.GetBytes($"\"{key}\"")) < 0) return false;
        }

        return true;
    }

    /// <summary>Keeps all others from writing to the folder, until disposed.</summary>
    /// <exception cref="InvalidOperationException">Somebody else writes to it just now; the message names the process.</exception>
    internal FolderLock Lock() => FolderLock.Take(Folder);

    /// <summary>Refuses a folder that somebody writes to just now, before any work is done for it.</summary>
    /// <inheritdoc cref="Lock" path="/exception"/>
    internal void CheckUnlocked() => FolderLock.Check(Folder);

    /// <summary>Writes metrics and curves.</summary>
    /// <param name="history">All epochs so far; both files are written anew.</param>
    /// <param name="metrics">Those of the task.</param>
    /// <exception cref="IOException">They cannot be written; earlier ones are untouched.</exception>
    public void Write(IReadOnlyList<EpochMetrics> history, IReadOnlyList<Metric> metrics)
    {
        AtomicFile.Write(Metrics, stream => stream.Write(Encoding.UTF8.GetBytes(MetricsTable.ToCsv(history))));
        AtomicFile.Write(Curves, stream => stream.Write(Encoding.UTF8.GetBytes(TrainingCurves.ToSvg(Title, history, metrics))));
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

    const string ConfigurationName = "config.json";

    static string ConfigurationIn(string folder) => Path.Combine(folder, ConfigurationName);
}
