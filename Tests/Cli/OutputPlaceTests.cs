using QuadEngine.Data;
using QuadEngine.Models;

namespace QuadEngine.Tests.Cli;

/// <summary>The tool finds other files in the place where it writes, and destroys none of them.</summary>
public sealed class OutputPlaceTests : ToolTests
{
    static readonly string[] smallRun = ["train", "--model", "resnet8", "--images", "64", "--batch", "64", "--epochs", "1", "--threads", "2"];

    [TestCase("best.safetensors")]
    [TestCase("last.safetensors")]
    [TestCase("metrics.csv")]
    [TestCase("curves.svg")]
    [TestCase("telemetry.csv")]
    public void Files_of_a_run_without_its_configuration_are_not_overwritten_by_another_run(string name)
    {
        Directory.CreateDirectory(Quad.PathOf("out"));
        File.WriteAllText(Quad.PathOf($"out/{name}"), "precious");
        var result = QuadTool.Run([.. smallRun, "--output", Quad.PathOf("out")]);
        Assert.That(result.Code, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain($"holds {name}").And.Contain("config.json is missing").And.Contain("another folder"));
        Assert.That(Directory.EnumerateFiles(Quad.PathOf("out")).Select(Path.GetFileName), Is.EqualTo(new[] { name }));
        Assert.That(File.ReadAllText(Quad.PathOf($"out/{name}")), Is.EqualTo("precious"));
    }

    [Test]
    public void Folder_with_files_of_other_names_may_hold_a_run()
    {
        Directory.CreateDirectory(Quad.PathOf("out"));
        File.WriteAllText(Quad.PathOf("out/notes.txt"), "mine");
        Assert.That(QuadTool.Run([.. smallRun, "--output", Quad.PathOf("out")]).Code, Is.Zero);
        Assert.That(File.ReadAllText(Quad.PathOf("out/notes.txt")), Is.EqualTo("mine"));
    }

    [Test]
    public void Configuration_of_another_program_makes_no_run_and_does_not_disturb_its_weights()
    {
        MakeClassifier("hf/model.safetensors");
        File.WriteAllText(Quad.PathOf("hf/config.json"), """{ "architectures": ["ResNetForImageClassification"], "training": true, "num_classes": 10 }""");
        File.WriteAllBytes(Quad.PathOf("image.f32"), new byte[4 * 28 * 28]);

        var predicted = QuadTool.Run("predict", "--weights", Quad.PathOf("hf/model.safetensors"), Quad.PathOf("image.f32"));
        Assert.That(predicted.Code, Is.Zero, predicted.Errors);
        var exported = QuadTool.Run("export", "--weights", Quad.PathOf("hf/model.safetensors"), "--format", "onnx");
        Assert.That(exported.Code, Is.Zero, exported.Errors);
        var judged = QuadTool.Run("eval", "--weights", Quad.PathOf("hf/model.safetensors"));
        Assert.That(judged.Errors, Does.Contain("does not name its data"));

        var trained = QuadTool.Run([.. smallRun, "--output", Quad.PathOf("hf")]);
        Assert.That(trained.Errors, Does.Contain("config.json belongs to another program").And.Not.Contain("holds a run already"));
        Assert.That(QuadTool.Run("train", "--resume", Quad.PathOf("hf")).Errors, Does.Contain("holds no run").And.Contain("of another program"));
        Assert.That(File.ReadAllText(Quad.PathOf("hf/config.json")), Does.Contain("ResNetForImageClassification"));
    }

    [Test]
    public void Weights_that_explain_themselves_need_no_configuration_of_their_run()
    {
        MakeClassifier("run/best.safetensors");
        File.WriteAllText(Quad.PathOf("run/config.json"), """{ "network": { "modle": 1 }, "training": {} }""");
        File.WriteAllBytes(Quad.PathOf("image.f32"), new byte[4 * 28 * 28]);
        Assert.That(QuadTool.Run("predict", "--weights", Quad.PathOf("run/best.safetensors"), Quad.PathOf("image.f32")).Code, Is.Zero);
        Assert.That(QuadTool.Run("train", "--resume", Quad.PathOf("run")).Errors, Does.Contain("config.json").And.Contain("modle"), "a damaged run is one");
    }

    [TestCase("native", "best")]
    [TestCase("onnx", "best.onnx")]
    [TestCase("safetensors", "best.classifier.safetensors")]
    public void Export_to_a_place_that_nobody_named_replaces_nothing_but_an_earlier_export(string format, string place)
    {
        MakeClassifier("best.safetensors");
        File.WriteAllText(Quad.PathOf(place), "precious, and longer than the sixty-four bytes that tell one of our own files apart");
        var before = Quad.Bytes(place);
        var result = QuadTool.Run("export", "--weights", Quad.PathOf("best.safetensors"), "--format", format);
        Assert.That(result.Code, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain(Quad.PathOf(place)).And.Contain("exists already").And.Contain("--output"));
        Assert.That(Quad.Bytes(place), Is.EqualTo(before));

        if (format == "native") return;       // needs a compiler and minutes
        Assert.That(QuadTool.Run("export", "--weights", Quad.PathOf("best.safetensors"), "--format", format, "--output", Quad.PathOf(place)).Code, Is.Zero, "named");
        Assert.That(QuadTool.Run("export", "--weights", Quad.PathOf("best.safetensors"), "--format", format).Code, Is.Zero, "an earlier export");
    }

    [TestCase("native", null)]
    [TestCase("native", "best")]
    [TestCase("onnx", "link")]
    public void Weights_without_an_ending_are_not_overwritten_by_their_own_export(string format, string? output)
    {
        MakeClassifier("best");
        if (output == "link") File.CreateSymbolicLink(Quad.PathOf("link"), Quad.PathOf("best"));
        var before = Quad.Bytes("best");
        var result = QuadTool.Run(["export", "--weights", Quad.PathOf("best"), "--format", format, .. output is null ? Array.Empty<string>() : ["--output", Quad.PathOf(output)]]);
        Assert.That(result.Code, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain("is the file of weights itself").And.Contain("--output"));
        Assert.That(Quad.Bytes("best"), Is.EqualTo(before));
    }

    [Test]
    public void Folder_for_the_native_project_is_empty_or_of_an_earlier_one()
    {
        var classifier = MakeClassifier("best.safetensors");
        Directory.CreateDirectory(Quad.PathOf("mine"));
        File.WriteAllText(Quad.PathOf("mine/Program.cs"), "precious");
        Assert.That(() => global::QuadEngine.Cli.Export.NativeProgram.WriteProject(Quad.PathOf("mine"), classifier, null), Throws.TypeOf<IOException>().With.Message.Contains("is not empty"));
        Assert.That(File.ReadAllText(Quad.PathOf("mine/Program.cs")), Is.EqualTo("precious"));
        for (var time = 0; time < 2; time++) global::QuadEngine.Cli.Export.NativeProgram.WriteProject(Quad.PathOf("new"), classifier, null);
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void Export_to_a_device_leaves_the_device()
    {
        MakeClassifier("best.safetensors");
        var result = QuadTool.Run("export", "--weights", Quad.PathOf("best.safetensors"), "--format", "onnx", "--output", "/dev/null");
        Assert.That(result.Code, Is.Zero, result.Errors);
        Assert.That(FileKinds.Of("/dev/null"), Is.EqualTo(FileKind.Device));
    }

    [Test]
    public void Experiment_does_not_overwrite_a_page_of_somebody_else()
    {
        Directory.CreateDirectory(Quad.PathOf("e/single-layer"));
        File.WriteAllText(Quad.PathOf("e/single-layer/README.md"), "precious");
        var result = QuadTool.Run("experiment", "single-layer", "--size", "smoke", "--seeds", "1", "--images", "64", "-o", Quad.PathOf("e"));
        Assert.That(result.Code, Is.EqualTo(1));
        Assert.That(result.Errors, Does.Contain("README.md").And.Contain("not the folder of an experiment"));
        Assert.That(Directory.EnumerateFiles(Quad.PathOf("e/single-layer")).Select(Path.GetFileName), Is.EqualTo(new[] { "README.md" }));
        Assert.That(File.ReadAllText(Quad.PathOf("e/single-layer/README.md")), Is.EqualTo("precious"));
    }

    [Test]
    public void Runs_that_start_at_once_without_a_folder_get_one_each()
    {
        var configuration = RunConfiguration.Main with { Network = new() { Model = "resnet8" } };
        for (var time = 0; time < 5; time++)
        {
            var parent = Quad.PathOf($"runs{time}");
            var folders = new RunFolder[8];
            using var start = new Barrier(folders.Length);
            var threads = Enumerable.Range(0, folders.Length).Select(i => new Thread(() =>
            {
                start.SignalAndWait();
                folders[i] = RunFolder.CreateNumbered(parent, configuration);
            })).ToArray();
            foreach (var thread in threads) thread.Start();
            foreach (var thread in threads) thread.Join();
            Assert.That(folders.Select(folder => folder.Folder).Distinct().Count(), Is.EqualTo(folders.Length));
            foreach (var folder in folders) Assert.That(Directory.EnumerateFiles(folder.Folder).Select(Path.GetFileName), Is.EqualTo(new[] { "config.json" }));
        }
    }

    [Test]
    public void A_run_without_an_epoch_says_how_to_go_on()
    {
        RunFolder.Create(Quad.PathOf("my run"), RunConfiguration.Main);
        var judged = QuadTool.Run("eval", "--weights", Quad.PathOf("my run"));
        Assert.That(judged.Code, Is.EqualTo(1));
        Assert.That(judged.Errors, Does.Contain("has finished no epoch yet").And.Contain($"quad train --resume '{Quad.PathOf("my run")}'"));
    }

    [Test]
    public void Name_that_begins_with_an_at_sign_is_a_file()
    {
        MakeClassifier("best.safetensors");
        File.WriteAllBytes(Quad.PathOf("@image.f32"), new byte[4 * 28 * 28]);
        var home = Environment.CurrentDirectory;
        try
        {
            Environment.CurrentDirectory = Quad.Folder;
            var predicted = QuadTool.Run("predict", "--weights", "best.safetensors", "@image.f32");
            Assert.That(predicted.Code, Is.Zero, predicted.Errors);
            Assert.That(predicted.Text, Does.StartWith("@image.f32: "));
        }
        finally
        {
            Environment.CurrentDirectory = home;
        }
    }

    [TestCase("runs/a-1", "runs/a-1")]
    [TestCase("my run", "'my run'")]
    [TestCase("it's", @"'it'\''s'")]
    [TestCase("a;b", "'a;b'")]
    [TestCase("$HOME", "'$HOME'")]
    [TestCase("ä/ö", "ä/ö")]
    [Platform("Linux,MacOsX")]
    public void Commands_to_copy_quote_what_a_shell_would_take_apart(string word, string quoted) =>
        Assert.That(global::QuadEngine.Cli.Shell.Quote(word), Is.EqualTo(quoted));

    Classifier MakeClassifier(string name)
    {
        var configuration = new NetworkConfiguration { Model = "resnet8", Height = 28, Width = 28, Channels = 1 };
        var info = Datasets.Get("fashion-mnist-sample");
        var classifier = new Classifier(configuration, configuration.Build(), info.ClassNames, info.Normalization);
        Directory.CreateDirectory(Path.GetDirectoryName(Quad.PathOf(name))!);
        classifier.Save(Quad.PathOf(name));
        return classifier;
    }
}
