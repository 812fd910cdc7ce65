using System.CommandLine;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad eval</c>: computes the loss and the error of a trained network on test images.</summary>
static class EvalCommand
{
    const int DefaultBatch = 256;

    public static Command Create(Output output)
    {
        var network = new TrainedNetwork(output);
        var device = CommonOptions.DeviceName();
        Option<int?> batch = CommonOptions.Batch(), threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new ToolCommand("eval",
            "Evaluate weights on the test images of a data set, or on a folder of pictures: on its test or val folder, else on the pictures that training held out, else on all of them. "
            + "Files of this tool name their network and classes, and run folders also name their data. For other files, give what is missing.",
            """
            quad eval --weights runs/a
            quad eval --weights runs/a --data new-photos
            quad eval --model resnet20 --weights resnet20.th --data cifar10 --data-dir DIR
            """);
        foreach (var option in network.AllWithImages.Concat([batch, threads, device, json])) command.Add(option);

        command.SetAction(parsed =>
        {
            var place = CommonOptions.Device(parsed, device, threads);
            var (classifier, images, source) = network.ForJudging(parsed);
            var configuration = classifier.Configuration;
            classifier.Network.MoveTo(place);
            var cost = CostModel.Of(classifier.Network, configuration.InputShape());
            using var interruption = new Interruption(() => { });
            var result = Evaluation.Run(classifier.Network, images, parsed.GetValue(batch) ?? DefaultBatch, cancellation: interruption.Token);

            output.Line($"{configuration.Title} from {network.File(parsed)} on {source}, {Hardware.Describe(place)}");
            output.Line("Accuracy ", $"{result.Accuracy:0.00} %", $" (error {result.Error:0.00} %), loss {result.Loss:0.0000}, in {result.Elapsed.TotalSeconds:0.0} s ({result.ImagesPerSecond:0} images/s)");
            if (parsed.GetValue(json))
                output.Json(new("eval")
                {
                    Model = configuration.Title,
                    Data = images.Name,
                    Device = place.Name,
                    Accuracy = result.Accuracy,
                    Error = result.Error,
                    Loss = Report.Finite(result.Loss),
                    Parameters = cost.Parameters,
                    MultiplyAdds = cost.MultiplyAdds,
                    Seconds = result.Elapsed.TotalSeconds,
                    ImagesPerSecond = result.ImagesPerSecond,
                });
            if (!double.IsFinite(result.Loss))
                throw new InvalidOperationException("the network's outputs are not finite for some images, so loss and accuracy say nothing; use weights of an earlier epoch, or train again with a smaller learning rate");
            return 0;
        });
        return command;
    }
}
