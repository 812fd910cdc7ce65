using System.CommandLine;
using System.Diagnostics;
using QuadEngine.Experiments;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad experiment</c>: runs an experiment and writes a folder with its rows, a figure and a page. If it is started again, it continues.</summary>
static class ExperimentCommand
{
    public static Command Create(Output output)
    {
        var name = new Argument<string?>("NAME") { Description = $"One of: {string.Join(", ", Experiment.Names)}. Without a name, all of them run, one after the other.", HelpName = "NAME", Arity = ArgumentArity.ZeroOrOne };
        name.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && !Experiment.Names.Contains(value))
                result.AddError($"there is no experiment \"{value}\" (known: {string.Join(", ", Experiment.Names)})");
        });
        name.CompletionSources.Add([.. Experiment.Names]);
        var size = CommonOptions.Choice("--size", "The amount of work: seconds, minutes on two cores, ten minutes of CIFAR-10 on a CPU, or the CIFAR-10 protocol for a GPU", ["smoke", "small", "medium", "full"], "small");
        var dataSet = CommonOptions.NamedData("set by --size");
        var depth = CommonOptions.Number<int>("--depth", "The depth of the network, 6n + 2, if the experiment does not vary it. Default: set by --size", 8, 1 << 10);
        var width = CommonOptions.Number<int>("--width", "The channels of the network's first stage, if the experiment does not vary them. Default: set by --size", 1, 1 << 10);
        var seeds = CommonOptions.Number<int>("--seeds", "The number of repetitions. Default: set by --size", 1, 1000);
        var epochs = CommonOptions.Number<int>("--epochs", "The epochs of every training. Default: set by --size", 1, 100_000);
        var images = CommonOptions.Number<int>("--images", "The number of training images; the number of test images is half of it. Default: set by --size", 2, int.MaxValue);
        var folder = new Option<string?>("--output", "-o") { Description = "The folder that gets the folder of the experiment. Default: experiments.", HelpName = "DIR" };
        Option<string?> dataFolder = CommonOptions.DataFolder(), device = CommonOptions.DeviceName();
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new ToolCommand("experiment", "Train networks to answer a question about quadratic neurons, and write the results. Continues where it was stopped.",
            """
            quad experiment rank-sweep
            quad experiment neurons --size medium --data cifar100
            quad experiment ablation --size full --device cuda:0
            quad experiment --size smoke -o smoke
            """) { name };
        foreach (var option in new Option[] { size, dataSet, depth, width, seeds, epochs, images, folder, dataFolder, device, threads, json }) command.Add(option);

        command.SetAction(parsed =>
        {
            var place = CommonOptions.Device(parsed, device, threads);
            var chosen = parsed.GetValue(name) is { } one ? [Experiment.Get(one)] : Experiment.All;
            var effort = Enum.Parse<ExperimentSize>(parsed.GetValue(size) ?? "small", ignoreCase: true);
            using var interruption = new Interruption(() => output.Error("stopping; the same command goes on from here", prefix: "\n"));
            var watch = Stopwatch.StartNew();
            var (pages, allFinished) = (new List<ReportItem>(), true);
            foreach (var experiment in chosen)
            {
                var scale = Adapt(experiment.Scale(effort)) with { Device = place };
                var to = Path.Combine(parsed.GetValue(folder) ?? "experiments", experiment.Name);
                output.Line($"{experiment.Name}: {experiment.Question}");
                var finished = new ExperimentRun(experiment, scale, to).Run(ExperimentData.Load(scale, parsed.GetValue(dataFolder)), progress => Show(output, progress), interruption.Token);
                output.Line("", Path.Combine(to, "README.md"), finished ? "" : " (unfinished)");
                pages.Add(new(experiment.Name, Path.Combine(to, "README.md")));
                if (allFinished &= finished) continue;
                break;
            }

            if (parsed.GetValue(json)) output.Json(new("experiment") { Device = place.Name, Finished = allFinished, Seconds = watch.Elapsed.TotalSeconds, Items = pages });
            return allFinished ? 0 : Interruption.ExitCode;

            ExperimentScale Adapt(ExperimentScale scale) => scale with
            {
                Data = parsed.GetValue(dataSet) ?? scale.Data,
                Depth = parsed.GetValue(depth) ?? scale.Depth,
                Width = parsed.GetValue(width) ?? scale.Width,
                Seeds = parsed.GetValue(seeds) is { } count ? [.. Enumerable.Range(1, count).Select(seed => (ulong)seed)] : scale.Seeds,
                Training = scale.Training with { Epochs = parsed.GetValue(epochs) ?? scale.Training.Epochs },
                TrainImages = parsed.GetValue(images) ?? scale.TrainImages,
                TestImages = parsed.GetValue(images) / 2 ?? scale.TestImages,
            };
        });
        return command;
    }

    static void Show(Output output, ExperimentProgress progress)
    {
        var left = progress.Left is { } time ? $"  {Hardware.Time(time)} left" : "";
        output.Line(progress.Cell is { } cell ? $"  {progress.Done}/{progress.Total}  {cell.Name}, seed {cell.Seed}{left}" : $"  {progress.Done} of {progress.Total} cells are done");
        output.Text.Flush();
    }
}
