using System.CommandLine;
using System.Globalization;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad summary</c>: what each layer of a network costs.</summary>
static class SummaryCommand
{
    public static Command Create(Output output)
    {
        var network = new NetworkOptions(new());
        var data = CommonOptions.Data("none");
        var classes = CommonOptions.Number<int>("--classes", "Classes to tell apart. Default: those of the data, else 10, or 1000 in the ImageNet form", 1, 1 << 20);
        var size = CommonOptions.Number<int>("--image-size", "Height and width of the images. Default: those of the data, else 32, or 224 in the ImageNet form", 1, 1 << 14);
        size.Aliases.Add("--size");
        var channels = CommonOptions.Number<int>("--channels", "Channels of the images. Default: those of the data, else 3", 1, 1 << 14);
        var json = CommonOptions.Json();
        var command = new ToolCommand("summary",
            "Print each layer's output shape, parameters and multiply-adds for one image.",
            """
            quad summary --model resnet56 --neuron quadratic --rank 7
            quad summary --model resnet18 --data photos
            """);
        foreach (var option in network.All.Concat([data, classes, size, channels, json])) command.Add(option);

        command.SetAction(parsed =>
        {
            var configuration = network.Configuration(parsed, known: null);
            var (shape, count) = Task(CommonOptions.Data(parsed, data), configuration.Model, parsed.GetValue(size));
            configuration = configuration with
            {
                Height = parsed.GetValue(size) ?? shape[0],
                Width = parsed.GetValue(size) ?? shape[1],
                Channels = parsed.GetValue(channels) ?? shape[2],
                Classes = parsed.GetValue(classes) ?? count,
            };

            var cost = CostModel.Of(configuration.Build(), configuration.InputShape());
            output.Table(["layer", "", "output", ">parameters", ">multiply-adds"], cost.Layers.Where(layer => layer.Parameters > 0)
                .Select(layer => (string[])[layer.Path, layer.Layer, layer.Output.ToString(), Number(layer.Parameters), Number(layer.MultiplyAdds)])
                .Append([configuration.Title, "", "", Number(cost.Parameters), Number(cost.MultiplyAdds)]));
            if (parsed.GetValue(json))
                output.Json(new("summary") { Model = configuration.Title, Parameters = cost.Parameters, MultiplyAdds = cost.MultiplyAdds });
        });
        return command;
    }

    static (Shape Images, int Classes) Task(string? data, string model, int? size)
    {
        if (data is null) return Networks.IsImageNetForm(model) ? ([224, 224, 3], 1000) : ([32, 32, 3], 10);
        var (shape, images) = TrainedNetwork.Describe(data, model, size, channels: null);
        return (shape, images.Classes.Count);
    }

    static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
