using System.CommandLine;
using QuadEngine.Data;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad eval</c>: loss and error of weights on a test set.</summary>
static class EvalCommand
{
    const int DefaultBatch = 256;

    public static Command Create(Output output)
    {
        var weights = new Option<string>("--weights") { Description = "A file of weights (safetensors, or a PyTorch checkpoint), or a run folder for its best.", HelpName = "FILE", Required = true };
        var network = new NetworkOptions();
        Option<string?> data = CommonOptions.Data(), dataFolder = CommonOptions.DataFolder(), device = CommonOptions.DeviceName();
        Option<int?> batch = CommonOptions.Batch(), threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new ToolCommand("eval",
            "Judge weights by the test images of a data set. Files of this tool know their network, and run folders their data; say both for others.",
            """
            quad eval --weights runs/a
            quad eval --model resnet20 --weights resnet20.th --data cifar10 --data-dir DIR
            """);
        foreach (var option in new Option[] { weights }.Concat(network.All).Concat([data, dataFolder, batch, threads, device, json])) command.Add(option);

        command.SetAction(parsed =>
        {
            var place = CommonOptions.Device(parsed, device, threads);
            var (file, run) = TrainedNetwork.Find(parsed.GetRequiredValue(weights));
            var name = parsed.GetValue(data)?.ToLowerInvariant() ?? run?.Data
                ?? throw new ArgumentException($"{file} does not say on which data; add --data NAME (known: {string.Join(", ", Datasets.Names)})");
            TrainedNetwork.CheckData(file, Datasets.Get(name));
            var configuration = network.Configuration(parsed, Checkpoint.ReadNetwork(file));
            var images = Datasets.Load(name, parsed.GetValue(dataFolder) ?? run?.DataFolder).Test;
            configuration = configuration with { Height = images.Height, Width = images.Width, Channels = images.Channels, Classes = images.Classes };

            var module = configuration.Build();
            Checkpoint.LoadWeights(file, module);
            module.MoveTo(place);
            var cost = CostModel.Of(module, configuration.InputShape());
            using var interruption = new Interruption(() => { });
            var result = Evaluation.Run(module, images, parsed.GetValue(batch) ?? DefaultBatch, cancellation: interruption.Token);

            output.Line($"{configuration.Title} from {file} on the {result.Images:N0} test images of {name}, {Hardware.Describe(place)}");
            output.Line("Accuracy ", $"{result.Accuracy:0.00} %", $" (error {result.Error:0.00} %), loss {result.Loss:0.0000}, in {result.Elapsed.TotalSeconds:0.0} s ({result.ImagesPerSecond:0} images/s)");
            if (parsed.GetValue(json))
                output.Json(new("eval")
                {
                    Model = configuration.Title,
                    Data = name,
                    Device = place.Name,
                    Accuracy = result.Accuracy,
                    Error = result.Error,
                    Loss = Report.Finite(result.Loss),
                    Parameters = cost.Parameters,
                    MultiplyAdds = cost.MultiplyAdds,
                    Seconds = result.Elapsed.TotalSeconds,
                    ImagesPerSecond = result.ImagesPerSecond,
                });
            return 0;
        });
        return command;
    }
}
