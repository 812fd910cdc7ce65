using System.CommandLine;
using System.Diagnostics;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad predict</c>: classifies image files with a trained network.</summary>
static class PredictCommand
{
    const int Shown = 3;

    public static Command Create(Output output)
    {
        var network = new TrainedNetwork(output);
        var files = new Argument<string[]>("FILE") { Description = "Images (png, jpg, bmp), or files ending in .f32 of normalized float32 values [N, H, W, C].", Arity = ArgumentArity.OneOrMore };
        var top = CommonOptions.Number<int>("--top", $"The number of classes to print. Default: {Shown}", 1, 1 << 20);
        Option<string?> device = CommonOptions.DeviceName();
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new ToolCommand("predict", "Print the most probable classes of images.", "quad predict --weights runs/a shoe.png bag.jpg");
        command.Add(files);
        foreach (var option in network.All.Concat([top, device, threads, json])) command.Add(option);

        command.SetAction(parsed =>
        {
            var place = CommonOptions.Device(parsed, device, threads);
            var classifier = network.Classifier(parsed);
            classifier.Network.To(place);
            var found = new List<ReportItem>();
            var watch = Stopwatch.StartNew();
            var failed = 0;
            foreach (var file in parsed.GetRequiredValue(files))
            {
                try
                {
                    if (Directory.Exists(file)) throw new IOException($"{file} is a folder; give the images in it, e.g. {Path.Combine(file, "*.png")}");
                    foreach (var input in classifier.Inputs(file))
                    {
                        var predictions = classifier.Rank(classifier.Logits(input));
                        output.Line($"{file}: ", predictions[0].ToString(), string.Concat(predictions.Skip(1).Take((parsed.GetValue(top) ?? Shown) - 1).Select(other => $", {other}")));
                        found.Add(new(file, predictions[0].Class) { Classes = [.. predictions.Take(parsed.GetValue(top) ?? predictions.Count).Select(other => new ReportClass(other.Class, other.Probability))] });
                    }
                }
                catch (Exception e) when (e is InvalidFileException or IOException or UnauthorizedAccessException)
                {
                    Fail(file, e.Message);
                }
                catch (InvalidOperationException e)
                {
                    // The network's outputs are not finite.
                    Fail(file, $"{file}: {e.Message}");
                }
            }

            var seconds = watch.Elapsed.TotalSeconds;
            if (parsed.GetValue(json)) output.Json(new("predict") { Model = classifier.Configuration.Title, Device = place.Name, Seconds = seconds, ImagesPerSecond = (found.Count - failed) / seconds, Items = found });
            return failed > 0 ? 1 : 0;

            void Fail(string file, string message)
            {
                output.Error(message);
                found.Add(new(file, null) { Error = message });
                failed++;
            }
        });
        return command;
    }
}
