using System.CommandLine;
using System.Globalization;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad train</c>: starts or continues a run.</summary>
static class TrainCommand
{
    public static Command Create(Output output)
    {
        var options = new TrainOptions();
        var device = CommonOptions.DeviceName();
        var threads = CommonOptions.Threads();
        var folder = new Option<string?>("--output") { Description = "A new folder for the run. Default: runs/NAME-N.", HelpName = "DIR" };
        var resume = new Option<string?>("--resume") { Description = "Continue the run of this folder. Its results are the same, to the bit, as without a stop.", HelpName = "DIR" };
        var json = CommonOptions.Json();
        var command = new ToolCommand("train",
            "Train a network and write a run folder with metrics, curves and checkpoints. Without options: a quadratic ResNet-20 of rank 3 on images that need no download.",
            """
            quad train
            quad train --model resnet32 --neuron quadratic --rank 7 --data cifar10 --epochs 30 --output runs/a
            quad train --data photos --image-size 64
            quad train --resume runs/a
            """)
        {
            Lists =
            [
                ("--model", Networks.Registry), ("--neuron", Neurons.Registry), ("--data", Datasets.Registry), ("--optimizer", Optimizers.Registry), ("--schedule", Schedules.Registry),
                ("--augment", Augmentations.Registry),
            ],
        };
        foreach (var option in options.All.Concat([threads, device, folder, resume, json])) command.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetResult(resume) is null) return;
            var given = options.All.Append(folder).FirstOrDefault(option => result.GetResult(option) is { Implicit: false });
            if (given is not null) result.AddError($"{given.Name} cannot be changed in a run that continues; --resume takes only {threads.Name}, {device.Name} and {json.Name}");
        });

        command.SetAction(parsed =>
        {
            TrainingRun run;
            var existing = parsed.GetValue(resume);
            if (existing is not null)
            {
                if (parsed.GetValue(threads) is { } count) Device.CpuThreads = count;
                run = TrainingRun.Resume(existing, parsed.GetValue(device) is null ? null : CommonOptions.Device(parsed, device, threads).Name);
            }
            else
            {
                var configuration = options.Configuration(parsed, CommonOptions.Device(parsed, device, threads));
                if (configuration.Pictures is not null) output.Line($"reading the pictures of {configuration.Data.Name}");
                run = parsed.GetValue(folder) is { } given ? TrainingRun.Start(configuration, given) : TrainingRun.StartNumbered(configuration, "runs");      // numbers, not dates: the same commands make the same folders
            }

            return Train(run, resumed: existing is not null, output, parsed.GetValue(json));
        });
        return command;
    }

    static int Train(TrainingRun run, bool resumed, Output output, bool json)
    {
        var (trainer, folder, start) = (run.Trainer, run.Folder!, run.Trainer.State.Step);
        var cost = CostModel.Of(run.Network, run.Configuration.Network.InputShape());
        Introduce(run, resumed, cost, output);

        using var interruption = new Interruption(() => output.Error("stopping after this step; a second Ctrl-C quits without saving", prefix: "\n"));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        bool finished;
        try
        {
            finished = TrainingDisplay.For(output, trainer).Run(() => trainer.Run(interruption.Token));
        }
        catch (IOException e)
        {
            throw new IOException($"{e.Message}\nThen go on with: {Shell.Tool} train --resume {Shell.Quote(folder.Folder)}", e);
        }

        Conclude(run, finished, start, watch.Elapsed, output);
        if (json) output.Json(Report(run, cost, watch.Elapsed));
        return finished ? 0 : Interruption.ExitCode;
    }

    static void Introduce(TrainingRun run, bool resumed, CostModel cost, Output output)
    {
        output.Line("", run.Configuration.Network.Title, $": {cost.Parameters:N0} parameters, {Hardware.Count(cost.MultiplyAdds)} multiply-adds an image");
        output.Line($"{run.Configuration.Data.Name}: {run.Train.Count:N0} training and {run.Test.Count:N0} test images {run.Train.ImageShape}");
        if (run.Configuration.Pictures is { } pictures) output.Line(Describe(run, pictures));
        output.Line($"{Hardware.Describe(run.Network.Device)}; writing to {run.Folder!.Folder}");
        if (resumed && run.Trainer.State.Step == 0) output.Line("there is no checkpoint in it yet; starting at step 1");
        else if (run.Trainer.State is { Step: > 0 } state && !run.Trainer.Finished)
            output.Line($"going on at step {state.Step + 1:N0} of {(long)run.Trainer.Options.Epochs * run.Trainer.StepsPerEpoch:N0}, in epoch {state.Epoch + 1}");
        output.Line();
    }

    static string Describe(TrainingRun run, PictureOptions pictures)
    {
        var judge = run.Test.Name == run.Train.Name
            ? string.Create(CultureInfo.InvariantCulture, $"{100f * pictures.TestShare:0.#} % of each are held out as test images (seed {pictures.Seed})")
            : $"the test images are those in {run.Test.Name}";
        var place = run.Train is ImageDataset ? "" : "; the images do not fit in memory, so each use reads them from their files";
        var leftOut = PictureCommands.LeftOut(ImageFolder.Open(FolderSplits.TrainPart(run.Configuration.Data.Name))) is { } files ? $"; {files}" : "";
        return $"{run.Train.Classes} classes ({string.Join(", ", run.Train.ClassNames.Take(5))}{(run.Train.Classes > 5 ? ", ..." : "")}); {judge}{place}{leftOut}";
    }

    static void Conclude(TrainingRun run, bool finished, int start, TimeSpan elapsed, Output output)
    {
        var (state, folder) = (run.Trainer.State, run.Folder!);
        output.Line();
        if (!finished)
        {
            output.Line("Interrupted", $" at step {state.Step:N0}, and saved", $". Go on with: {Shell.Tool} train --resume {Shell.Quote(folder.Folder)}");
            return;
        }

        var (last, best) = (state.History[^1], run.Trainer.Best!);
        var took = state.Step > start ? string.Create(CultureInfo.InvariantCulture, $" in {Hardware.Time(elapsed)}") : "; the run was finished already";
        output.Line("Test accuracy ", $"{last.TestAccuracy:0.00} %", $" after {last.Epoch} {(last.Epoch == 1 ? "epoch" : "epochs")}{took} (best {best.TestAccuracy:0.00} % after epoch {best.Epoch}).");
        if (last.Epoch < run.Trainer.Options.Epochs) output.Line($"Stopped early: no epoch after {best.Epoch} had a better test {run.Trainer.BestBy}.");
        output.Line($"Curves: {folder.Curves}");
        output.Line($"Use it: {Shell.Tool} {(run.Configuration.Pictures is null ? $"eval --weights {Shell.Quote(folder.Best)}" : $"predict --weights {Shell.Quote(folder.Best)} PICTURES")}");
    }

    static Report Report(TrainingRun run, CostModel cost, TimeSpan elapsed)
    {
        var state = run.Trainer.State;
        var last = state.History.LastOrDefault();
        var speeds = state.History.Select(epoch => epoch.ExamplesPerSecond).OfType<double>().ToArray();
        return new("train")
        {
            Model = run.Configuration.Network.Title,
            Data = run.Configuration.Data.Name,
            Device = run.Network.Device.Name,
            Output = run.Folder!.Folder,
            Epochs = state.Epoch,
            Finished = run.Trainer.Finished,
            Accuracy = last?.TestAccuracy,
            Error = last is null ? null : Math.Round(100.0 - last.TestAccuracy, 10),
            Loss = Cli.Report.Finite(last?.TestLoss),
            BestAccuracy = run.Trainer.Best?.TestAccuracy,
            Parameters = cost.Parameters,
            MultiplyAdds = cost.MultiplyAdds,
            Seconds = elapsed.TotalSeconds,
            ImagesPerSecond = speeds.Length > 0 ? speeds.Average() : null,
            PeakBytes = state.History.Max(epoch => epoch.PeakBytes),
        };
    }
}
