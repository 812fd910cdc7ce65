using System.CommandLine;
using System.Globalization;
using QuadEngine.Data;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary><c>quad data show</c> and <c>quad data export</c>: show and write folders of pictures with a sub-folder for each class.</summary>
static class PictureCommands
{
    const int MostListed = 20;

    public static Command Show(Output output)
    {
        var folder = new Argument<string>("DIR") { Description = "A folder of pictures: DIR/CLASS/1.jpg, or DIR/train/CLASS/1.jpg and DIR/val (or test) likewise.", HelpName = "DIR" };
        var json = CommonOptions.Json();
        var command = new ToolCommand("show", "Show the classes and pictures of a folder as `quad train --data DIR` reads it, and decode every picture.", "quad data show photos") { folder, json };
        command.SetAction(parsed =>
        {
            var place = parsed.GetRequiredValue(folder);
            if (!Directory.Exists(place)) throw new DirectoryNotFoundException($"there is no folder {Path.GetFullPath(place)}");
            var splits = FolderSplits.Open(place);
            var (train, test) = (splits.Train, splits.Test);
            var survey = train.Inspect();
            InvalidFileException[] damaged = [.. survey.Damaged, .. test.Inspect().Damaged];

            output.Table(["class", ">training", ">test"], train.ClassNames
                .Select((name, label) => (string[])[name, Count(train, label), Count(test, label)])
                .Append(["all", $"{train.Count:N0}", $"{test.Count:N0}"]));
            output.Line();
            output.Line(splits.TestFolder is { } part
                ? $"The test pictures are in {part}."
                : string.Create(CultureInfo.InvariantCulture, $"There is no val or test folder: {100f * FolderSplits.DefaultTestShare:0} % of each class are held out (--test-share, --seed)."));
            if (damaged.Length == 0)
                output.Line($"Sides of {survey.ShortestSide} to {survey.LongestSide} pixels; {Colours(survey, train.Count)}. The network sees {RunConfiguration.ForFolder(place).Pictures!.ImageShape} unless --image-size says otherwise.");
            if (LeftOut(train) is { } leftOut) output.Line($"{leftOut}: files that are not {string.Join(", ", Picture.Extensions)}, are in no class, or are links to listed files.");
            foreach (var error in damaged.Take(MostListed)) output.Error(error.Message);
            if (damaged.Length > 0) output.Error($"{damaged.Length:N0} of {train.Count + test.Count:N0} pictures cannot be read{(damaged.Length > MostListed ? $"; the first {MostListed} are named above, all in --json" : "")}. Training refuses the folder until they are repaired or removed.");
            if (parsed.GetValue(json))
                output.Json(new("data show")
                {
                    Output = Path.GetFullPath(place),
                    Items = [.. train.ClassNames.Select((name, label) => new ReportItem(name, $"{Count(train, label)} + {Count(test, label)}")), .. damaged.Select(error => new ReportItem(error.Path, null) { Error = error.Message })],
                });
            return damaged.Length > 0 ? 1 : 0;
        });
        return command;
    }

    public static Command Export(Output output)
    {
        var name = DataCommand.Name(Datasets.Names);
        var folder = new Argument<string>("DIR") { Description = "A new or empty folder.", HelpName = "DIR" };
        var images = CommonOptions.Number<int>("--images", "The first N images of each part only", 1, int.MaxValue);
        var dataFolder = CommonOptions.DataFolder();
        var json = CommonOptions.Json();
        var command = new ToolCommand("export", "Write the images of a data set as PNG files: DIR/train/CLASS/1.png, DIR/test/CLASS/1.png.",
            "quad data export fashion-mnist-sample clothes --images 1000\nquad train --data clothes") { name, folder, images, dataFolder, json };
        command.SetAction(parsed =>
        {
            var (set, place) = (parsed.GetRequiredValue(name), parsed.GetRequiredValue(folder));
            var (train, test) = Datasets.Load(set, parsed.GetValue(dataFolder));
            if (Directory.Exists(place) && Directory.EnumerateFileSystemEntries(place).Any()) throw new IOException($"{place} is not empty; give a new folder.");
            var most = parsed.GetValue(images) ?? int.MaxValue;
            var written = Write(train, most, Path.Combine(place, "train")) + Write(test, most, Path.Combine(place, "test"));
            output.Line($"{written:N0} images of {set} are in ", place, "");
            if (parsed.GetValue(json)) output.Json(new("data export") { Data = set, Output = Path.GetFullPath(place) });
        });
        return command;
    }

    /// <summary>"3 other files are left out"; null if there are none.</summary>
    public static string? LeftOut(ImageFolder folder) => folder.LeftOut switch
    {
        0 => null,
        1 => "1 other file is left out",
        var count => $"{count:N0} other files are left out",
    };

    static int Write(ImageDataset images, int most, string folder)
    {
        string[] classes = [.. images.ClassNames.Select(name => Path.Combine(folder, ClassFolder.NameOf(name)))];
        foreach (var path in classes) Directory.CreateDirectory(path);
        var count = Math.Min(most, images.Count);
        Parallel.For(0, count, i => new Picture(images.Height, images.Width, images.Channels, images.Image(i).ToArray())
            .Save(Path.Combine(classes[images.Label(i)], string.Create(CultureInfo.InvariantCulture, $"{i + 1}.png"))));
        return count;
    }

    static string Count(ImageFolder images, int label) => images.Labels.Count(other => other == label).ToString("N0", CultureInfo.InvariantCulture);

    static string Colours(FolderSurvey survey, int count) => survey.Gray == 0 ? "all in color" : survey.Gray == count ? "all gray" : $"{survey.Gray:N0} of {count:N0} gray";
}
