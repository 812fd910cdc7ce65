using System.CommandLine;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli;

/// <summary>The options that name a trained network and its data. Finds and loads both.</summary>
/// <param name="output">Gets a message about what was left out of a file of weights.</param>
sealed class TrainedNetwork(Output output)
{
    readonly Option<string> weights = new("--weights") { Description = "A file of weights (safetensors, or a PyTorch checkpoint), or a run folder, for its best weights.", HelpName = "FILE", Required = true };
    readonly NetworkOptions network = new(usual: null);
    readonly EntryFlags entries = new(NetworkOptions.Known, Networks.Registry, Neurons.Registry, Datasets.Registry);
    readonly Option<string?> data = CommonOptions.Data("as the weights or their run say"), dataFolder = CommonOptions.DataFolder();
    readonly Option<int?> imageSize = CommonOptions.ImageSize();

    /// <summary>All options, in the order of the help.</summary>
    public IReadOnlyList<Option> All => [weights, .. network.All, data, imageSize, .. entries.All];

    /// <summary>All options of commands that read the images of data sets too.</summary>
    public IReadOnlyList<Option> AllWithImages => [.. All, dataFolder];

    /// <summary>Returns the path of the file of weights.</summary>
    public string File(ParseResult parsed) => Find(parsed.GetRequiredValue(weights)).File;

    /// <summary>Loads the network. The size, normalization and classes of its images come from the given data, else from the file, else from the run's data.</summary>
    public Classifier Classifier(ParseResult parsed)
    {
        var (file, run) = Find(parsed.GetRequiredValue(weights));
        if (CommonOptions.Data(parsed, data) is null && Itself(parsed, file) is { } itself) return itself;
        var images = CommonOptions.Data(parsed, data) ?? run()?.Data ?? throw Unsaid(file);
        return Of(parsed, file, ref images);
    }

    /// <summary>Loads the network and the images to evaluate it on, and says which images they are.</summary>
    public (Classifier Classifier, LabeledImages Images, string Source) ForJudging(ParseResult parsed)
    {
        var (file, find) = Find(parsed.GetRequiredValue(weights));
        var run = find();
        var name = CommonOptions.Data(parsed, data) ?? run?.Data ?? throw Unsaid(file);
        if (CommonOptions.IsNamed(name))
        {
            var trained = Of(parsed, file, ref name);
            var images = Datasets.Load(name, parsed.GetValue(dataFolder) ?? run?.DataFolder).Test;
            return (trained, images, $"the {images.Count:N0} test images of {name.Name}");
        }

        var classifier = Itself(parsed, file) ?? Of(parsed, file, ref name);
        var (folder, source) = TestImages(name.Name, classifier.Images.Classes, run?.Data == name ? run.Pictures : null);
        var size = new PictureOptions { Size = classifier.Configuration.Height, Channels = classifier.Configuration.Channels };
        return (classifier, size.Open(folder, classifier.Images), source);
    }

    /// <summary>Returns the images and classes of a network that is made for a data set or a folder of pictures.</summary>
    public static (Shape Shape, ImageDescription Images) Describe(Selection data, Selection model, int? size, int? channels)
    {
        var share = Networks.Registry.Get(model).Input.Share;
        if (CommonOptions.IsNamed(data))
        {
            var info = Datasets.Get(data);
            return (info.ImageShape, new(info.ClassNames, info.Normalization.Mean, info.Normalization.Std, share));
        }

        var pictures = RunConfiguration.ForFolder(data.Name, model, size).Pictures!;
        pictures = pictures with { Channels = channels ?? pictures.Channels };
        var normalization = pictures.Channels == 1 ? Normalization.UnitRange(1) : Normalization.ImageNet;
        return (pictures.ImageShape, new(ImageFolder.Open(FolderSplits.TrainPart(data.Name)).ClassNames, normalization.Mean, normalization.Std, share));
    }

    /// <summary>Returns the file of weights at a path and its run: the run in whose folder the file is. The configuration of the run is read only if the file does not say everything.</summary>
    static (string File, Func<RunConfiguration?> Run) Find(string path)
    {
        if (Directory.Exists(path)) path = BestOf(RunFolder.Open(path));
        else if (!System.IO.File.Exists(path)) throw new FileNotFoundException($"there is no file of weights and no run folder {path}");
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return (path, () => RunFolder.Exists(folder) ? RunFolder.Open(folder).Configuration : null);
    }

    static string BestOf(RunFolder run) => System.IO.File.Exists(run.Best) ? run.Best : throw new FileNotFoundException(
        $"the run in {run.Folder} has finished no epoch yet, so there are no best weights. Go on with: {Shell.Tool} train --resume {Shell.Quote(run.Folder)}"
        + (System.IO.File.Exists(run.Last) ? $" (or use what there is: {run.Last})" : ""));

    // A checkpoint of this engine describes its images and classes.
    Classifier? Itself(ParseResult parsed, string file)
    {
        if (Checkpoint.ReadNetwork(file) is not { } known || Checkpoint.ReadImages(file) is not { } images) return null;
        var size = parsed.GetValue(imageSize);
        var configuration = entries.Apply(parsed, network.Configuration(parsed, known));
        return Build(file, configuration with { Height = size ?? known.Height, Width = size ?? known.Width }, images);
    }

    Classifier Of(ParseResult parsed, string file, ref Selection name)
    {
        var known = Checkpoint.ReadNetwork(file);
        (var configuration, name) = entries.Apply(parsed, network.Configuration(parsed, known), name);
        var (shape, images) = Describe(name, configuration.Model, parsed.GetValue(imageSize) ?? known?.Height, known?.Channels);
        if (known is not null && (known.Channels != shape[2] || known.Classes != images.Classes.Count))
            throw new ArgumentException($"{file} was trained on images [{known.Height}, {known.Width}, {known.Channels}] of {known.Classes} classes, but {name.Name} has {shape} of {images.Classes.Count}; "
                + $"give --data what it was trained on: a data set (known: {string.Join(", ", Datasets.Names)}), or a folder of pictures");
        if (Checkpoint.ReadImages(file) is { } described && !described.Classes.SequenceEqual(images.Classes))
            throw new ArgumentException($"{file} has the classes {string.Join(", ", described.Classes)}, but those of {name.Name} are {string.Join(", ", images.Classes)}; give --data images of the same classes");
        return Build(file, configuration with { Height = shape[0], Width = shape[1], Channels = shape[2], Classes = images.Classes.Count }, images);
    }

    Classifier Build(string file, NetworkConfiguration configuration, ImageDescription images)
    {
        var module = configuration.Build();
        if (Checkpoint.LoadWeights(file, module) is { Count: > 0 } leftOut) output.Line($"{file}: left out {string.Join(", ", leftOut)}");
        return new(configuration, module, images);
    }

    /// <param name="folder">A folder of pictures.</param>
    /// <param name="classes">The classes of the network.</param>
    /// <param name="trained">The split of the folder in training; null if the network was not trained on it.</param>
    static (ImageFolder Images, string Source) TestImages(string folder, IReadOnlyList<string> classes, PictureOptions? trained)
    {
        if (FolderSplits.TestPart(folder) is { } part)
        {
            var images = ImageFolder.Open(part, classes);
            return (images, $"the {images.Count:N0} pictures in {part}");
        }

        if (trained is not null)
        {
            var heldOut = trained.Split(folder).Test;
            return (heldOut, $"the {heldOut.Count:N0} pictures of {folder} that were held out");
        }

        var all = ImageFolder.Open(FolderSplits.TrainPart(folder), classes);
        return (all, $"all {all.Count:N0} pictures of {folder}");
    }

    static ArgumentException Unsaid(string file) =>
        new($"{file} does not name its data; add --data NAME (known: {string.Join(", ", Datasets.Names)}), or --data DIR for a folder of pictures");
}
