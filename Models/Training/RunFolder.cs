using System.Globalization;
using System.Text;
using System.Text.Json;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>
/// The files of a run: <c>config.json</c>, <c>metrics.csv</c>, <c>curves.svg</c>, <c>last.safetensors</c>, from which a run resumes, and
/// <c>best.safetensors</c>, the weights of the best epoch. Each file is written under another name and then moved into place, so that after any failure it is
/// the old file or the new one. Only last.safetensors decides where a run resumes; the other files follow from it.
/// </summary>
public sealed class RunFolder
{
    readonly RunConfiguration? configuration;

    RunFolder(string folder, string title, RunConfiguration? configuration) => (Folder, Title, this.configuration) = (folder, title, configuration);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>A short description of what is trained.</summary>
    public string Title { get; }

    /// <summary>The content of config.json.</summary>
    /// <exception cref="InvalidOperationException">The run belongs to a program (<see cref="OpenOrCreate"/>), which has the configuration in its code.</exception>
    public RunConfiguration Configuration => configuration
        ?? throw new InvalidOperationException($"the run in {Folder} belongs to a program, \"{Title}\", and not to the tool. Run that program again to resume it.");

    /// <summary>The configuration of the network; null if a program built it.</summary>
    internal NetworkConfiguration? Network => configuration?.Network;

    /// <summary>The file of weights, optimizer and state.</summary>
    public string Last => Path.Combine(Folder, "last.safetensors");

    /// <summary>The file of the weights of the best epoch: <see cref="Trainer.Best"/>.</summary>
    public string Best => Path.Combine(Folder, "best.safetensors");

    /// <summary>The file of metrics, with one row for each epoch.</summary>
    public string Metrics => Path.Combine(Folder, "metrics.csv");

    /// <summary>The file with the state of the quadratic layers over the steps. It exists if <see cref="TrainerOptions.TelemetrySteps"/> is set.</summary>
    public string Telemetry => Path.Combine(Folder, "telemetry.csv");

    /// <summary>The picture of loss and metrics over the epochs.</summary>
    public string Curves => Path.Combine(Folder, "curves.svg");

    /// <summary>Creates the folder of a new run.</summary>
    /// <param name="folder">A new folder, or a folder without files that have the names of a run's files.</param>
    /// <param name="configuration">The configuration of the run.</param>
    /// <exception cref="IOException">The folder holds a run or files that a run would overwrite, or it cannot be written.</exception>
    /// <exception cref="InvalidOperationException">Another process is starting a run in the folder.</exception>
    public static RunFolder Create(string folder, RunConfiguration configuration)
    {
        Make(folder);
        using var held = FolderLock.Take(folder);
        CheckFree(folder);
        return Begin(folder, configuration);
    }

    /// <summary>
    /// Opens the folder of a run whose network and data are part of a program, or creates it if it does not exist. <see cref="Trainer.Resume"/> continues the run from its last checkpoint.
    /// <code>
    /// var trainer = new Trainer(task, options, RunFolder.OpenOrCreate("runs/rain", "rain in millimeters"));
    /// trainer.Resume();
    /// trainer.Run();
    /// </code>
    /// </summary>
    /// <param name="folder">A new folder, or the folder of a run with this title.</param>
    /// <param name="title">A short description of what is trained; the title of the curves.</param>
    /// <exception cref="ArgumentException">The title is empty.</exception>
    /// <exception cref="IOException">The folder holds another run or files that a run would overwrite, or it cannot be written.</exception>
    /// <exception cref="InvalidOperationException">Another process is starting a run in the folder.</exception>
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
            : throw new IOException($"{folder} holds a run of \"{opened.Title}\", but this run is \"{title}\". Give another folder.");
    }

    /// <summary>Creates the folder of a new run under the first free number: PARENT/TITLE-1, -2, ... Processes that call this at the same time get different folders.</summary>
    /// <param name="parent">The parent folder, which is created if it is missing.</param>
    /// <param name="configuration">The configuration of the run; the title of its network names the folder.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static RunFolder CreateNumbered(string parent, RunConfiguration configuration)
    {
        for (var number = 1; ; number++)
        {
            var folder = Path.Combine(parent, string.Create(CultureInfo.InvariantCulture, $"{configuration.Network.Title}-{number}"));
            if (Path.Exists(folder)) continue;
            Make(folder);

            // If several processes made the folder at the same time, one of them gets the lock before there is a run.
            using var held = FolderLock.TryTake(folder);
            if (held is not null && !Taken(folder).Any()) return Begin(folder, configuration);
        }
    }

    /// <summary>Throws if <see cref="Create"/> would refuse the folder, before any work is done for it.</summary>
    /// <param name="folder">The folder, which need not exist.</param>
    /// <exception cref="IOException">The folder holds a run, or files that a run would overwrite.</exception>
    public static void CheckFree(string folder)
    {
        if (Exists(folder)) throw new IOException($"{folder} holds a run already. Resume that one, or give another folder.");
        if (Taken(folder).ToArray() is { Length: > 0 } taken)
            throw new IOException($"{folder} holds {string.Join(", ", taken)}, which a run would overwrite, but no run: "
                + (taken.Contains(ConfigurationName) ? $"its {ConfigurationName} belongs to another program." : $"a {ConfigurationName} is missing.")
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
            throw new IOException($"the folder {folder} cannot be created: {e.Message.TrimEnd('.')}. Give another folder, or make its parent writable.", e);
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
    /// <param name="folder">The folder of the run, not the folder of all runs.</param>
    /// <exception cref="FileNotFoundException">The folder holds no run.</exception>
    /// <exception cref="InvalidFileException">The configuration is damaged.</exception>
    public static RunFolder Open(string folder)
    {
        if (!Exists(folder))
            throw new FileNotFoundException($"{folder} holds no run: {ConfigurationIn(folder)} is {(File.Exists(ConfigurationIn(folder)) ? "a file of another program" : "missing")}.{RunsIn(folder)}");
        try
        {
            var json = File.ReadAllBytes(ConfigurationIn(folder));
            if (HasKeys(json, ProgramKey)) return new(folder, JsonSerializer.Deserialize(json, ModelsJson.Default.ProgramConfiguration)!.Program, null);
            var configuration = JsonSerializer.Deserialize(json, ModelsJson.Default.RunConfiguration)!;
            return new(folder, configuration.Network.Title, configuration);
        }
        catch (JsonException e)
        {
            throw new InvalidFileException(ConfigurationIn(folder), $"{e.Path}, line {e.LineNumber + 1}", e.Message.TrimEnd('.'), "Repair it, or train again; a run that was started by a version before 0.2 cannot be resumed.");
        }
    }

    /// <summary>Whether a folder holds a run. A config.json alone is not enough, because other programs write files with that name.</summary>
    /// <param name="folder">The folder, which need not exist.</param>
    public static bool Exists(string folder) => File.Exists(ConfigurationIn(folder)) && IsOfRun(File.ReadAllBytes(ConfigurationIn(folder)));

    const string ProgramKey = "quadengineProgram";

    // The file of every run of the tool has its network and its training, and the file of every run of a program has its title. A file that was damaged by
    // hand is still the file of a run, and is refused as damaged when it is opened.
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

    /// <summary>Prevents others from writing to the folder, until the lock is disposed.</summary>
    /// <exception cref="InvalidOperationException">Another trainer is writing to the folder; the message names the process.</exception>
    internal FolderLock Lock() => FolderLock.Take(Folder);

    /// <summary>Throws if another trainer is writing to the folder, before any work is done for it.</summary>
    /// <inheritdoc cref="Lock" path="/exception"/>
    internal void CheckUnlocked() => FolderLock.Check(Folder);

    /// <summary>Writes metrics and curves.</summary>
    /// <param name="history">All epochs so far. Both files are rewritten.</param>
    /// <param name="metrics">The metrics of the task.</param>
    /// <exception cref="IOException">The files cannot be written; earlier files are unchanged.</exception>
    public void Write(IReadOnlyList<EpochMetrics> history, IReadOnlyList<Metric> metrics)
    {
        AtomicFile.Write(Metrics, stream => stream.Write(Encoding.UTF8.GetBytes(MetricsTable.ToCsv(history))));
        AtomicFile.Write(Curves, stream => stream.Write(Encoding.UTF8.GetBytes(TrainingCurves.ToSvg(Title, history, metrics))));
    }

    /// <summary>Appends the state of the quadratic layers in a step to the telemetry.</summary>
    internal void Append(int step, IReadOnlyList<QuadraticState> states) =>
        File.AppendAllText(Telemetry, (File.Exists(Telemetry) ? "" : TelemetryTable.Header) + TelemetryTable.Rows(step, states));

    /// <summary>Removes the telemetry of steps that will run again.</summary>
    internal void CutTelemetry(int step)
    {
        if (!File.Exists(Telemetry)) return;
        var kept = TelemetryTable.Until(File.ReadAllText(Telemetry), step);
        AtomicFile.Write(Telemetry, stream => stream.Write(Encoding.UTF8.GetBytes(kept)));
    }

    /// <summary>Adds the timings, which only metrics.csv has, to the history of a checkpoint.</summary>
    internal IReadOnlyList<EpochMetrics> WithTimings(IReadOnlyList<EpochMetrics> history) =>
        File.Exists(Metrics) ? MetricsTable.WithTimings(history, File.ReadAllText(Metrics)) : history;

    // If the user gave the folder of all runs, this text names its runs.
    static string RunsIn(string folder) =>
        Directory.Exists(folder) && Directory.EnumerateDirectories(folder).Where(Exists).Order(StringComparer.Ordinal).ToArray() is { Length: > 0 } runs
            ? $" Give one of the runs in it: {string.Join(", ", runs.Take(5))}{(runs.Length > 5 ? ", ..." : "")}."
            : "";

    const string ConfigurationName = "config.json";

    static string ConfigurationIn(string folder) => Path.Combine(folder, ConfigurationName);
}
