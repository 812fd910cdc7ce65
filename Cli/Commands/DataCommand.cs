using System.CommandLine;
using System.Diagnostics;
using QuadEngine.Data;
using Spectre.Console;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad data</c>: lists data sets, downloads them, and shows and writes folders of pictures.</summary>
static class DataCommand
{
    public static Command Create(Output output) => new ToolCommand("data", "List the data sets, download one, look at a folder of pictures, or make one.", "quad data list\nquad data get cifar10\nquad data show photos")
    {
        List(output),
        Get(output),
        PictureCommands.Show(output),
        PictureCommands.Export(output),
    };

    /// <summary>Makes the argument that names a data set.</summary>
    public static Argument<string> Name(IEnumerable<string> known)
    {
        var name = new Argument<string>("NAME") { Description = $"One of {string.Join(", ", known)}.", HelpName = "NAME" };
        name.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && Datasets.Registry.Find(value) is null)
                result.AddError($"there is no data set \"{value}\" (known: {string.Join(", ", known)})");
        });
        return name;
    }

    static Command List(Output output)
    {
        var folder = CommonOptions.DataFolder();
        var json = CommonOptions.Json();
        var command = new ToolCommand("list", "List the data sets and where they are.", "quad data list --data-dir DIR") { folder, json };
        command.SetAction(parsed =>
        {
            var place = parsed.GetValue(folder) ?? Datasets.DefaultFolder;
            output.Table(["name", ">training", ">test", "images", ">classes", "here", "license"], Datasets.All.Select(info => (string[])
                [info.Name, $"{info.TrainCount:N0}", $"{info.TestCount:N0}", info.ImageShape.ToString(), $"{info.Classes}", Whereabouts(info, place) ?? "no", info.License]));
            if (parsed.GetValue(json))
                output.Json(new("data list") { Items = [.. Datasets.All.Select(info => new ReportItem(info.Name, Whereabouts(info, place) ?? "no"))] });
        });
        return command;
    }

    static Command Get(Output output)
    {
        var name = Name(Downloadable());
        var folder = CommonOptions.DataFolder();
        var json = CommonOptions.Json();
        var command = new ToolCommand("get", "Download the official files of a data set and check them.", "quad data get cifar10 --data-dir DIR") { name, folder, json };
        command.SetAction(parsed =>
        {
            using var interruption = new Interruption(() => output.Error("stopping; the same command goes on from here", prefix: "\n"));
            using var download = new DatasetDownload();
            var watch = Stopwatch.StartNew();
            var set = parsed.GetRequiredValue(name);
            var place = WithProgress(output, progress => download.GetAsync(set, parsed.GetValue(folder), progress, interruption.Token).GetAwaiter().GetResult());
            output.Line($"{set} is in ", place, "");
            if (parsed.GetValue(json)) output.Json(new("data get") { Data = set, Output = place, Seconds = watch.Elapsed.TotalSeconds });
        });
        return command;
    }

    static string WithProgress(Output output, Func<IProgress<DownloadProgress>, string> get)
    {
        if (output.Terminal is not { } terminal)
        {
            var lines = new LineProgress(output);
            return get(lines);
        }

        return terminal.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .Start(context => get(new BarProgress(context)));
    }

    /// <summary>Says where a data set is; null if its files are missing.</summary>
    public static string? Whereabouts(DatasetInfo info, string folder) =>
        !info.IsEmbedded ? info.FolderIn(folder) : info.Assembly == typeof(Datasets).Assembly.GetName().Name ? "in the package" : $"in {info.Assembly}";

    static IEnumerable<string> Downloadable() => Datasets.All.Where(DatasetDownload.Offers).Select(info => info.Name);

    /// <summary>Writes a line for each file that is complete.</summary>
    sealed class LineProgress(Output output) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value)
        {
            if (value.Bytes == value.Total) output.Line($"{value.File}: {Hardware.Bytes(value.Total)}");
        }
    }

    /// <summary>Shows a bar for each file.</summary>
    sealed class BarProgress(ProgressContext context) : IProgress<DownloadProgress>
    {
        readonly Dictionary<string, ProgressTask> bars = [];

        public void Report(DownloadProgress value)
        {
            if (!bars.TryGetValue(value.File, out var bar)) bars[value.File] = bar = context.AddTask(Markup.Escape(value.File), maxValue: value.Total);
            bar.Value = value.Bytes;
        }
    }
}
