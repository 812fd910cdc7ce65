using System.CommandLine;
using System.Globalization;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad summary</c>: what each layer of a network costs.</summary>
static class SummaryCommand
{
    public static Command Create(Output output)
    {
        var network = new NetworkOptions();
        var classes = CommonOptions.Number<int>("--classes", "Classes to tell apart. Default: 10, or 1000 in the ImageNet form", 1, 1 << 20);
        var size = CommonOptions.Number<int>("--size", "Height and width of the images. Default: 32, or 224 in the ImageNet form", 1, 1 << 14);
        var channels = CommonOptions.Number<int>("--channels", "Channels of the images. Default: 3", 1, 1 << 14);
        var json = CommonOptions.Json();
        var command = new ToolCommand("summary",
            "Print each layer's output shape, parameters and multiply-adds for one image.",
            "quad summary --model resnet56 --neuron quadratic --rank 7");
        foreach (var option in network.All.Concat([classes, size, channels, json])) command.Add(option);

        command.SetAction(parsed =>
        {
            var configuration = network.Configuration(parsed, known: null);
            var large = Networks.IsImageNetForm(configuration.Model);
            var side = parsed.GetValue(size) ?? (large ? 224 : 32);
            configuration = configuration with
            {
                Height = side,
                Width = side,
                Channels = parsed.GetValue(channels) ?? 3,
                Classes = parsed.GetValue(classes) ?? (large ? 1000 : 10),
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

    static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
