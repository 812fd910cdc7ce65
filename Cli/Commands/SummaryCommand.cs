using System.CommandLine;
using System.Globalization;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad summary</c>: prints what each layer of a network costs.</summary>
static class SummaryCommand
{
    public static Command Create(Output output)
    {
        var usual = new NetworkConfiguration();
        var network = new NetworkOptions(usual);
        var entries = new EntryFlags(otherwise: null, Networks.Registry, Neurons.Registry, Datasets.Registry);
        var data = CommonOptions.Data("none");
        var classes = CommonOptions.Number<int>("--classes", "The number of classes. Default: that of the data, else 10, or 1000 for a network for photographs", 1, 1 << 20);
        var size = CommonOptions.Number<int>("--image-size", "Height and width of the images. Default: those of the data, else 32, or 224 for a network for photographs", 1, 1 << 14);
        size.Aliases.Add("--size");
        var channels = CommonOptions.Number<int>("--channels", "Channels of the images. Default: those of the data, else 3", 1, 1 << 14);
        var json = CommonOptions.Json();
        var command = new ToolCommand("summary",
            "Print each layer's output shape, parameters and multiply-adds for one image.",
            """
            quad summary --model resnet56 --neuron quadratic --rank 7
            quad summary --model resnet18 --data photos
            """);
        foreach (var option in network.All.Concat([.. entries.All, data, classes, size, channels, json])) command.Add(option);

        command.SetAction(parsed =>
        {
            var configuration = network.Configuration(parsed, usual);
            var images = CommonOptions.Data(parsed, data);
            if (images is null) configuration = entries.Apply(parsed, configuration);
            else (configuration, images) = entries.Apply(parsed, configuration, images);
            var (shape, count) = Task(images, configuration.Model, parsed.GetValue(size));
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

    static (Shape Images, int Classes) Task(Selection? data, Selection model, int? size)
    {
        var form = Networks.Registry.Get(model).Input;
        if (data is null) return ([form.Side, form.Side, 3], form.Classes);
        var (shape, images) = TrainedNetwork.Describe(data, model, size, channels: null);
        return (shape, images.Classes.Count);
    }

    static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
