using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>The progress of an experiment.</summary>
/// <param name="Done">The number of cells that have their rows.</param>
/// <param name="Total">The number of all cells.</param>
/// <param name="Cell">The cell that was just finished; null before the first.</param>
/// <param name="Left">The time left at the pace of this run; null before its first cell ends.</param>
public readonly record struct ExperimentProgress(int Done, int Total, Cell? Cell, TimeSpan? Left);

/// <summary>
/// Runs an experiment and writes a folder: rows.csv after every cell, then figure.svg and README.md from the rows. If it is started again, it continues after
/// the last finished cell.
/// </summary>
/// <param name="experiment">The experiment.</param>
/// <param name="scale">The protocol.</param>
/// <param name="folder">The folder for the files. It is made if it is missing.</param>
public sealed class ExperimentRun(Experiment experiment, ExperimentScale scale, string folder)
{
    string RowsFile => Path.Combine(folder, "rows.csv");

    string ProtocolFile => Path.Combine(folder, "protocol.txt");

    string PageFile => Path.Combine(folder, "README.md");

    string FigureFile => Path.Combine(folder, "figure.svg");

    /// <summary>Runs the missing cells and writes the page.</summary>
    /// <param name="data">The images.</param>
    /// <param name="progress">Called before the first cell and after each cell.</param>
    /// <param name="cancellation">Stops within a cell, which is then not recorded. The page is written from the rows of the finished cells.</param>
    /// <returns>Whether all cells are done.</returns>
    /// <exception cref="IOException">The folder holds an experiment of another protocol or other files that would be overwritten, or cannot be written.</exception>
    /// <exception cref="InvalidOperationException">Another process is writing to the folder.</exception>
    public bool Run(ExperimentData data, Action<ExperimentProgress>? progress = null, CancellationToken cancellation = default)
    {
        Directory.CreateDirectory(folder);
        using var held = FolderLock.Take(folder);
        var protocol = scale.Describe(data);
        CheckProtocol(protocol);
        var rows = File.Exists(RowsFile) ? ExperimentRows.FromCsv(RowsFile) : new ExperimentRows();
        var cells = experiment.Cells(scale, data).ToArray();
        var todo = cells.Where(cell => !rows.Has(cell)).ToArray();
        var (done, watch) = (cells.Length - todo.Length, Stopwatch.StartNew());
        progress?.Invoke(new(done, cells.Length, null, null));
        try
        {
            for (var i = 0; i < todo.Length; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                rows.Add(todo[i].Run(cancellation).Select(result => new ExperimentRow(todo[i].Name, result.Setting, todo[i].Seed, result.Values)));
                Write(RowsFile, rows.ToCsv());
                done++;
                progress?.Invoke(new(done, cells.Length, todo[i], watch.Elapsed / (i + 1) * (todo.Length - i - 1)));
            }
        }
        catch (OperationCanceledException)
        {
            // The page below says how many cells are done.
        }

        WritePage(rows, protocol, done, cells.Length);
        return done == cells.Length;
    }

    void CheckProtocol(IReadOnlyList<(string Name, string Value)> protocol)
    {
        // Without the seeds, so that rows of more seeds can be added.
        var text = string.Concat(protocol.Where(line => line.Name != "seeds").Select(line => $"{line.Name}: {line.Value}\n").Prepend($"{experiment.Name}\n"));
        var taken = new[] { RowsFile, PageFile, FigureFile }.Where(Path.Exists).Select(path => Path.GetFileName(path)).ToArray();
        if (!File.Exists(ProtocolFile) && taken.Length > 0)
            throw new IOException($"{folder} holds {string.Join(", ", taken)}, which an experiment would overwrite, but it is not the folder of an experiment: {ProtocolFile} is missing. Give another folder, or move these files away.");
        if (File.Exists(ProtocolFile) && File.ReadAllText(ProtocolFile) != text)
            throw new IOException($"{folder} holds an experiment of another protocol (see {ProtocolFile}); its rows cannot be joined with these. Give another folder, or delete that one.");
        Write(ProtocolFile, text);
    }

    void WritePage(ExperimentRows rows, IReadOnlyList<(string Name, string Value)> protocol, int done, int total)
    {
        var page = new ExperimentPage();
        rows = rows.Of(scale.Seeds);
        if (rows.All.Count > 0) experiment.Report(page, rows, scale);
        if (page.Charts.Count > 0) Write(FigureFile, SvgFigure.Draw(experiment.Question, page.Charts));
        var options = Options();
        var note = (done < total, scale.Size) switch
        {
            (true, _) => $"Unfinished: {done} of {total} cells were run. Settings that are missing were not run.",
            _ when options.Length > 0 => $"This run has its own protocol (see the table below): the {scale.Size.ToString().ToLowerInvariant()} size with{options}.",
            (_, ExperimentSize.Smoke) => "A smoke test: it shows only that the experiment runs. Its numbers mean nothing.",
            (_, ExperimentSize.Small) => "The small size: a small network on few images for a few epochs. What holds here need not hold at full size.",
            (_, ExperimentSize.Medium) => "The medium size: CIFAR-10, but a small network, a part of the images and a few epochs, far from convergence. What holds here need not hold at full size.",
            _ => null,
        };
        IReadOnlyList<(string, string)> run =
        [
            ("device", $"{scale.Device}, {Processor()}, {(ReferenceEquals(scale.Device, Device.Cpu) ? $"{Device.CpuThreads} of {Environment.ProcessorCount} threads, " : "")}{RuntimeInformation.OSDescription}, .NET {Environment.Version}"),
            ("date", DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
            ("command", $"quad experiment {experiment.Name} --size {scale.Size.ToString().ToLowerInvariant()}{options}"),
            ("cells", $"{done} of {total}"),
        ];
        Write(PageFile, page.Write(experiment, protocol, run, note));
    }

    // The options of the tool that change the protocol of the size into this protocol.
    string Options()
    {
        var usual = experiment.Scale(scale.Size);
        (string Name, object Value, object Usual)[] options =
        [
            ("data", scale.Data, usual.Data), ("depth", scale.Depth, usual.Depth), ("width", scale.Width, usual.Width), ("seeds", scale.Seeds.Count, usual.Seeds.Count),
            ("epochs", scale.Training.Epochs, usual.Training.Epochs), ("images", scale.TrainImages, usual.TrainImages),
        ];
        return string.Concat(options.Where(option => !option.Value.Equals(option.Usual)).Select(option => string.Create(CultureInfo.InvariantCulture, $" --{option.Name} {option.Value}")));
    }

    static void Write(string path, string text) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    static string Processor()
    {
        const string Info = "/proc/cpuinfo";
        var model = File.Exists(Info) ? File.ReadLines(Info).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) : null;
        return model?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
