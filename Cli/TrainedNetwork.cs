using System.CommandLine;
using QuadEngine.Data;
using QuadEngine.Models;

namespace QuadEngine.Cli;

/// <summary>The options that name a trained network, and how it is found from them.</summary>
sealed class TrainedNetwork
{
    readonly Option<string> weights = new("--weights") { Description = "A file of weights (safetensors, or a PyTorch checkpoint), or a run folder for its best.", HelpName = "FILE", Required = true };
    readonly NetworkOptions network = new();
    readonly Option<string?> data = CommonOptions.Data();

    /// <summary>In the order of the help.</summary>
    public IReadOnlyList<Option> All => [weights, .. network.All, data];

    /// <summary>The file of weights.</summary>
    public string File(ParseResult parsed) => Find(parsed.GetRequiredValue(weights)).File;

    /// <summary>The network with the size, normalisation and classes of its images: from the file itself, or from the data set that it was trained on.</summary>
    public Classifier Classifier(ParseResult parsed)
    {
        var (file, run) = Find(parsed.GetRequiredValue(weights));
        var name = parsed.GetValue(data)?.ToLowerInvariant();
        WeightFile.Read(file, out var metadata);
        if (name is null && Models.Classifier.Describes(metadata)) return Models.Classifier.Read(file);

        name ??= run?.Data ?? throw new ArgumentException($"{file} does not say on which data; add --data NAME (known: {string.Join(", ", Datasets.Names)})");
        var info = Datasets.Get(name);
        var configuration = network.Configuration(parsed, Checkpoint.ReadNetwork(file)) with
        {
            Height = info.ImageShape[0],
            Width = info.ImageShape[1],
            Channels = info.ImageShape[2],
            Classes = info.Classes,
        };
        CheckData(file, info);
        var module = configuration.Build();
        Checkpoint.LoadWeights(file, module);
        return new(configuration, module, info.ClassNames, info.Normalization);
    }

    /// <summary>Weights that know their network know what it reads and tells apart.</summary>
    /// <exception cref="ArgumentException">A data set is of other channels or classes.</exception>
    public static void CheckData(string file, DatasetInfo info)
    {
        if (Checkpoint.ReadNetwork(file) is { } known && (known.Channels != info.ImageShape[2] || known.Classes != info.Classes))
            throw new ArgumentException($"{file} was trained on images [{known.Height}, {known.Width}, {known.Channels}] of {known.Classes} classes, but {info.Name} has {info.ImageShape} of {info.Classes}; "
                + $"give --data the data set that it was trained on (known: {string.Join(", ", Datasets.Names)})");
    }

    /// <summary>The file of weights at a path, and the run that it is of: a file in a run folder is of that run.</summary>
    public static (string File, RunConfiguration? Run) Find(string path)
    {
        if (Directory.Exists(path)) path = RunFolder.Open(path).Best;
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return (path, RunFolder.Exists(folder) ? RunFolder.Open(folder).Configuration : null);
    }
}
