using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using QuadEngine.Cli.Export;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad export</c>: writes a trained network for other programs, or as a program.</summary>
static class ExportCommand
{
    static readonly string[] Formats = ["onnx", "native", "safetensors"];

    public static Command Create(Output output)
    {
        var network = new TrainedNetwork(output);
        var format = CommonOptions.Choice("--format", "onnx for other runtimes, native for a stand-alone program, safetensors for the weights with only what `quad predict` needs", Formats);
        format.Required = true;
        var file = new Option<string?>("--output") { Description = "The file to write. Default: the weights' name with the format's ending.", HelpName = "FILE" };
        var fold = new Option<bool>("--fold") { Description = "ONNX: multiply batch norms into the convolutions before them." };
        var instructions = new Option<string?>("--cpu") { Description = "Native: the processor to compile for, x86-64-v3 (the default), x86-64-v4, native for this one, ...", HelpName = "NAME" };
        var project = new Option<string?>("--project") { Description = "Native: keep the project of the program in this folder.", HelpName = "DIR" };
        var json = CommonOptions.Json();
        var command = new ToolCommand("export",
            "Write a trained network as ONNX, as one native program with the weights inside, or as weights with the description of their network.",
            """
            quad export --weights runs/a --format onnx --fold
            quad export --weights runs/a --format native --output classify
            quad export --weights resnet20.th --model resnet20 --data cifar10 --format safetensors
            """);
        foreach (var option in network.All.Concat([format, file, fold, instructions, project, json])) command.Add(option);

        command.SetAction(parsed =>
        {
            var watch = Stopwatch.StartNew();
            var kind = parsed.GetRequiredValue(format)!.ToLowerInvariant();
            var classifier = network.Classifier(parsed);
            var (weights, given) = (network.File(parsed), parsed.GetValue(file));
            var target = Path.GetFullPath(given ?? DefaultName(weights, kind));
            CheckTarget(target, weights, kind, named: given is not null);
            if (Directory.Exists(target)) throw new IOException($"{target} is a folder; --output takes the name of a file.");
            if (!Directory.Exists(Path.GetDirectoryName(target))) throw new IOException($"there is no folder {Path.GetDirectoryName(target)} to write {Path.GetFileName(target)} to.");
            switch (kind)
            {
                case "onnx":
                    WriteOnnx(target, classifier, parsed.GetValue(fold));
                    break;
                case "native":
                    BuildProgram(output, target, classifier, parsed.GetValue(instructions), parsed.GetValue(project));
                    break;
                case "safetensors":
                    classifier.Save(target);
                    break;
                default:
                    throw Unknown(kind);
            }

            var bytes = new FileInfo(target).Length;
            var cost = CostModel.Of(classifier.Network, classifier.Configuration.InputShape());
            output.Line($"{classifier.Configuration.Title}, {cost.Parameters:N0} parameters, to ", target, $" ({Hardware.Bytes(bytes)})");
            if (parsed.GetValue(json))
                output.Json(new("export") { Model = classifier.Configuration.Title, Output = target, Bytes = bytes, Parameters = cost.Parameters, MultiplyAdds = cost.MultiplyAdds, Seconds = watch.Elapsed.TotalSeconds });
        });
        return command;
    }

    // A file that the user named is replaced, unless it is the file that is being read. A file that the user did not name is replaced only if it is an earlier export.
    static void CheckTarget(string target, string weights, string format, bool named)
    {
        if (Destination(target) == Destination(weights))
            throw new IOException($"{target} is the file of weights itself, and the export would replace it; give another name with --output.");
        if (!named && Path.Exists(target) && !EarlierExport.Is(target, format))
            throw new IOException($"{target} exists already, and is not an earlier export; give a name with --output (the same name replaces it).");
    }

    static string Destination(string path) => Path.GetFullPath(new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName);

    static void WriteOnnx(string target, Classifier classifier, bool fold)
    {
        var (configuration, images) = (classifier.Configuration, classifier.Images);
        OnnxExport.Write(target, classifier.Network, [configuration.Height, configuration.Width, configuration.Channels], new OnnxOptions
        {
            FoldBatchNorm = fold,
            InputName = "images",
            OutputName = "logits",
            Metadata = new Dictionary<string, string>
            {
                ["classes"] = JsonSerializer.Serialize([.. images.Classes], ReportJson.Default.StringArray),
                ["mean"] = string.Join(", ", images.Mean),
                ["std"] = string.Join(", ", images.Std),
            },
        });
    }

    static void BuildProgram(Output output, string target, Classifier classifier, string? instructions, string? project)
    {
        var requirements = NativeToolchain.Requirements();
        foreach (var requirement in requirements) output.Line($"{requirement.Name}: {requirement.Found ?? "missing"}");
        NativeToolchain.Check(requirements);

        var folder = project is null ? Directory.CreateTempSubdirectory("quad-native-").FullName : Path.GetFullPath(project);
        try
        {
            var (model, neuron) = (classifier.Configuration.Model, classifier.Configuration.Neuron);
            NativeProgram.WriteProject(folder, classifier, instructions, [.. new[] { model.Assembly, neuron.Assembly }.Distinct().Select(Plugins.Of).OfType<Plugin>()]);
            NativeProgram.Build(folder, target);
        }
        finally
        {
            if (project is null) Directory.Delete(folder, recursive: true);
        }
    }

    static string DefaultName(string weights, string format) => format switch
    {
        "onnx" => Path.ChangeExtension(weights, ".onnx"),
        "safetensors" => Path.ChangeExtension(weights, ".classifier.safetensors"),
        "native" => Path.ChangeExtension(weights, OperatingSystem.IsWindows() ? ".exe" : null),
        _ => throw Unknown(format),
    };

    static ArgumentException Unknown(string format) => new($"no format \"{format}\" (known: {string.Join(", ", Formats)})");
}
