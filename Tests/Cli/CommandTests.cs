using System.Text.Json;
using QuadEngine.Data;
using Spectre.Console;

namespace QuadEngine.Tests.Cli;

public sealed class CommandTests : ToolTests
{
    // The smallest real run: a ResNet-8 for one epoch on a few images.
    static readonly string[] smallRun = ["train", "--model", "resnet8", "--images", "256", "--batch", "64", "--epochs", "1"];

    [TestCase("train --model resnet21", "resnet21", "resnet20")]
    [TestCase("train --neuron cubic", "cubic", "quadratic")]
    [TestCase("train --data cifar", "cifar", "fashion-mnist-sample")]
    [TestCase("train --epochs many", "many", "whole number")]
    [TestCase("train --epochs 0", "\"0\"", "from 1")]
    [TestCase("train --learning-rate -1", "\"-1\"", "a number from")]
    [TestCase("train --rank 1.5", "1.5", "whole number")]
    [TestCase("train --schedule linear", "linear", "cosine")]
    [TestCase("train --optimizer adam", "adam", "adamw")]
    [TestCase("train --augment mirror", "mirror", "crop-flip")]
    [TestCase("train --basis orthonormal", "orthonormal", "retracted")]
    [TestCase("train --momentum 1", "\"1\"", "a number from 0 to 0.9999")]
    [TestCase("train --plugin", "--plugin", "assembly")]
    [TestCase("train --resume a --epochs 9", "--epochs", "--resume")]
    [TestCase("train --frobnicate", "--frobnicate", "--help")]
    [TestCase("eval", "--weights", "--help")]
    [TestCase("summary --model vgg", "vgg", "resnet18")]
    [TestCase("data get imagenet", "imagenet", "cifar10")]
    [TestCase("train --learning-rate NaN", "NaN", "a number from")]
    [TestCase("train --lr 0,05", "\"0,05\"", "give 0.05, written without a comma")]
    [TestCase("train --epochs 1,000", "\"1,000\"", "give 1000, written without a comma")]
    [TestCase("train --weight-decay 5,0e-4", "\"5,0e-4\"", "give 5.0e-4")]
    [TestCase("summary --rank 1,5", "\"1,5\"", "a whole number from")]
    [TestCase("experiment rank-sweep --epochs 1,0", "\"1,0\"", "a whole number from")]
    [TestCase("train --lr 0.1x", "0.1x", "a number from")]
    [TestCase("train --lr Infinity", "Infinity", "a number from")]
    [TestCase("train --threads 0", "\"0\"", "from 1")]
    [TestCase("train --output", "--output", "folder for the run")]
    [TestCase("predict --weights a", "FILE", "png")]
    [TestCase("data", "data", "list or get")]
    [TestCase("data get", "NAME", "cifar10")]
    [TestCase("experiment nothing", "nothing", "rank-sweep")]
    [TestCase("frain", "no command frain", "did you mean train?")]
    [TestCase("help", "help", "did you mean --help?")]
    [TestCase("train --epoch 3", "--epoch", "did you mean --epochs?")]
    [TestCase("train --learnig-rate 1", "--learnig-rate", "did you mean --learning-rate?")]
    [TestCase("train resnet32", "resnet32", "did you mean --model resnet32?")]
    [TestCase("eval runs/a", "runs/a", "did you mean --weights runs/a?")]
    [TestCase("predict shoe.png", "--weights FILE is missing", "run folder")]
    [TestCase("export --weights a", "--format NAME is missing", "onnx")]
    [TestCase("experiment rank-sweep --data clothes", "clothes", "cifar10")]
    public void Wrong_command_line_is_answered_by_what_is_possible(string line, string wrong, string possible)
    {
        var result = QuadTool.Run(line.Split(' '));
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(result.Errors, Does.StartWith("quad: ").And.Contain(wrong).And.Contain(possible));
        Assert.That(result.Text, Is.Empty);
    }

    [TestCase("train --device tpu", "tpu", "cpu")]
    [TestCase("train --data cifar10 --data-dir /nowhere", "/nowhere", "quad data get cifar10")]
    [TestCase("train --resume /nowhere", "/nowhere", "config.json")]
    [TestCase("eval --weights /nowhere/w --data mnist", "/nowhere/w", "no file")]
    [TestCase("eval --weights /nowhere/run", "/nowhere/run", "no run folder")]
    [TestCase("eval --weights .", "config.json", "holds no run")]
    [TestCase("train --lr 0.1 --batch-size 32 --data-dir /nowhere --data mnist", "/nowhere", "quad data get mnist")]
    [TestCase("train --images 10001", "10001", "10000")]
    [TestCase("train --neuron linear --rank 3", "--rank is an option of quadratic, low-rank", "resnet20, linear")]
    [TestCase("train --optimizer adamw --momentum 0.5", "--momentum is an option of sgd", "adamw")]
    [TestCase("train --model resnet18 --shortcut b", "--shortcut is an option of resnet8, resnet14, ..., resnet110", "resnet18")]
    [TestCase("train --augment flip --padding 2", "--padding is an option of crop, crop-flip", "flip")]
    [TestCase("train --schedule constant --gamma 0.5", "--gamma is an option of steps", "constant")]
    public void What_cannot_be_done_is_one_clear_message(string line, string got, string expected)
    {
        var result = QuadTool.Run([.. line.Split(' '), .. line.StartsWith("train --re") || line.StartsWith("eval") ? [] : new[] { "--output", Quad.PathOf("run") }]);
        Assert.That(result.Code, Is.EqualTo(1));
        Assert.That(result.Errors, Does.StartWith("quad: ").And.Contain(got).And.Contain(expected));
        Assert.That(result.Errors, Does.Not.Contain("   at "), "no stack trace");
        Assert.That(Directory.Exists(Quad.PathOf("run")), Is.False, "a run that cannot start leaves no folder");
    }

    [Test]
    public void Folder_of_runs_is_answered_by_its_runs()
    {
        QuadTool.Run([.. smallRun, "--output", Quad.PathOf("runs/a")]);
        Assert.That(QuadTool.Run("eval", "--weights", Quad.PathOf("runs")).Errors, Does.Contain("holds no run").And.Contain(Quad.PathOf("runs/a")));
    }

    [Test]
    public void Debug_shows_where_an_error_came_from() =>
        Assert.That(QuadTool.Run("train", "--device", "tpu", "--debug").Errors, Does.Contain("   at "));

    [Test]
    public void Run_that_diverges_ends_with_a_message_and_an_error()
    {
        var result = QuadTool.Run(["train", "--model", "resnet8", "--images", "256", "--batch", "64", "--epochs", "3", "--lr", "100", "--output", Quad.PathOf("run")]);
        Assert.That(result.Code, Is.EqualTo(1));
        Assert.That(result.Errors, Does.StartWith("quad: training diverged in epoch").Or.StartWith("quad: training diverged at step"));
        Assert.That(result.Errors, Does.Contain("smaller learning rate").And.Not.Contain("   at "));
    }

    [Test]
    public void Training_stops_early_and_says_why()
    {
        // At this rate the weights stay as they are, so sooner or later an epoch is not better than the one before.
        var result = QuadTool.Run([.. smallRun[..^1], "20", "--lr", "1e-12", "--best-by", "Loss", "--patience", "1", "--output", Quad.PathOf("run")]);
        Assert.That(result.Code, Is.Zero, result.Errors);
        Assert.That(result.Text, Does.Match("Stopped early: no epoch after [0-9]+ had a better test loss."));
        Assert.That(QuadTool.Run("train", "--resume", Quad.PathOf("run")).Text, Does.Contain("the run was finished already"));
    }

    [Test]
    public void Training_leaves_a_run_folder_that_eval_judges_alike()
    {
        var run = Quad.PathOf("run");
        var trained = QuadTool.Run([.. smallRun, "--output", run, "--json"]);
        Assert.That(trained.Code, Is.Zero, trained.Errors);
        Assert.That(Directory.EnumerateFiles(run).Select(Path.GetFileName).Order(),
            Is.EqualTo(new[] { "best.safetensors", "config.json", "curves.svg", "last.safetensors", "metrics.csv" }));
        Assert.That(trained.Text, Does.Contain("quad eval --weights " + Path.Combine(run, "best.safetensors")));
        Assert.That(Keys(trained.Json), Is.SupersetOf(new[] { "accuracy", "error", "loss", "parameters", "multiplyAdds", "seconds", "imagesPerSecond" }));

        var judged = QuadTool.Run("eval", "--weights", run, "--json");
        Assert.That(judged.Code, Is.Zero, judged.Errors);
        Assert.That(Keys(judged.Json), Is.SupersetOf(new[] { "accuracy", "error", "loss", "parameters", "multiplyAdds", "seconds", "imagesPerSecond" }));
        foreach (var key in new[] { "accuracy", "error", "parameters", "multiplyAdds" })
            Assert.That(judged.Json.GetProperty(key).GetDouble(), Is.EqualTo(trained.Json.GetProperty(key).GetDouble()), key);
    }

    [Test]
    public void Run_that_finds_the_disk_full_says_how_to_go_on_and_goes_on_with_the_same_bits()
    {
        Assert.That(QuadTool.Run([.. smallRun, "--output", Quad.PathOf("whole")]).Code, Is.Zero);

        // A folder with the name of the file for the checkpoint has the same effect as a full disk, on every machine.
        Directory.CreateDirectory(Quad.PathOf("run/last.safetensors.partial"));
        var stopped = QuadTool.Run([.. smallRun, "--output", Quad.PathOf("run")]);
        Assert.That(stopped.Code, Is.EqualTo(1));
        Assert.That(stopped.Errors, Does.Contain("last.safetensors could not be written").And.Contain($"quad train --resume {Quad.PathOf("run")}"));

        Directory.Delete(Quad.PathOf("run/last.safetensors.partial"));
        var resumed = QuadTool.Run("train", "--resume", Quad.PathOf("run"));
        Assert.That(resumed.Text, Does.Contain("no checkpoint in it yet"));
        Assert.That(Quad.Bytes("run/last.safetensors"), Is.EqualTo(Quad.Bytes("whole/last.safetensors")));
    }

    [Test]
    public void Weights_answer_other_data_and_other_targets_by_what_is_expected()
    {
        QuadTool.Run([.. smallRun, "--output", Quad.PathOf("run")]);
        File.WriteAllText(Quad.PathOf("no.png"), "no image");
        Refuses(["eval", "--data", "cifar100"], "[28, 28, 1] of 10 classes", "[32, 32, 3] of 100");
        Refuses(["predict", "--data", "cifar10", Quad.PathOf("no.png")], "[28, 28, 1] of 10 classes", "[32, 32, 3] of 10");
        Refuses(["predict", Quad.PathOf("no.png")], "no.png", "PNG");
        Refuses(["predict", Quad.Folder], "is a folder", "*.png");
        Refuses(["export", "--format", "onnx", "--output", Quad.Folder], "is a folder");
        Refuses(["export", "--format", "onnx", "--output", Quad.PathOf("none/a.onnx")], "there is no folder");

        void Refuses(string[] line, params string[] says)
        {
            var result = QuadTool.Run([.. line, "--weights", Quad.PathOf("run")]);
            Assert.That(result.Code, Is.EqualTo(1));
            foreach (var text in says) Assert.That(result.Errors, Does.Contain(text));
        }
    }

    [Test]
    public void Every_command_ends_with_one_line_of_JSON()
    {
        var run = Quad.PathOf("run");
        string[] counts = ["parameters", "multiplyAdds"], speed = ["seconds", "imagesPerSecond"];
        File.WriteAllBytes(Quad.PathOf("image.f32"), new byte[4 * 28 * 28]);
        Ends([.. smallRun, "--output", run], ["accuracy", "error", "loss", .. counts, .. speed]);
        Ends(["train", "--resume", run], ["accuracy", "error", "loss", .. counts, .. speed]);
        Ends(["eval", "--weights", run], ["accuracy", "error", "loss", .. counts, .. speed]);
        Ends(["predict", "--weights", run, Quad.PathOf("image.f32")], ["items", .. speed]);
        Ends(["export", "--weights", run, "--format", "onnx"], ["output", "bytes", "seconds", .. counts]);
        Ends(["experiment", "single-layer", "--size", "smoke", "--seeds", "1", "--images", "64", "-o", Quad.PathOf("e")], ["finished", "seconds", "items"]);
        Ends(["summary"], counts);
        Ends(["data", "list"], ["items"]);
        Ends(["doctor"], ["items"]);

        static void Ends(string[] line, string[] keys)
        {
            var result = QuadTool.Run([.. line, "--json"]);
            Assert.That(result.Code, Is.Zero, result.Errors);
            Assert.That(Keys(result.Json), Is.SupersetOf((string[])["command", .. keys]), string.Join(' ', line));
        }
    }

    [TestCase(40, "time", "train loss")]
    [TestCase(80, "train loss", "learning rate")]
    [TestCase(100, "learning rate", null)]
    public void Table_of_epochs_fits_the_terminal(int width, string shown, string? leftOut)
    {
        using StringWriter screen = new(), errors = new();
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(screen) });
        terminal.Profile.Width = width;
        Assert.That(QuadEngine.Cli.Tool.Run([.. smallRun, "--output", Quad.PathOf("run")], new QuadEngine.Cli.Output(screen, errors, terminal)), Is.Zero, errors.ToString());

        var lines = screen.ToString().ReplaceLineEndings("\n").Split('\n');
        var heading = Array.FindIndex(lines, line => line.StartsWith("   epoch", StringComparison.Ordinal));
        Assert.That(lines[heading], Does.Contain(shown).And.EndsWith("time"), "the heading is one line");
        if (leftOut is not null) Assert.That(lines[heading], Does.Not.Contain(leftOut));
        Assert.That(lines.Single(line => line.StartsWith("     1/1 ", StringComparison.Ordinal)).TrimEnd(), Has.Length.LessThanOrEqualTo(width).And.Length.EqualTo(lines[heading].Length), "so is a row");
    }

    [Test]
    public void Folder_with_a_run_is_not_overwritten()
    {
        QuadTool.Run([.. smallRun, "--output", Quad.PathOf("run")]);
        var before = Quad.Bytes("run/last.safetensors");

        var again = QuadTool.Run([.. smallRun, "--seed", "2", "--output", Quad.PathOf("run")]);

        Assert.That(again.Code, Is.EqualTo(1));
        Assert.That(again.Errors, Does.Contain("holds a run already"));
        Assert.That(Quad.Bytes("run/last.safetensors"), Is.EqualTo(before));
    }

    [Test]
    public void Damaged_checkpoint_and_configuration_are_refused_by_name()
    {
        QuadTool.Run([.. smallRun, "--output", Quad.PathOf("run")]);
        var checkpoint = Quad.Bytes("run/last.safetensors");
        checkpoint[^100] ^= 1;
        File.WriteAllBytes(Quad.PathOf("run/last.safetensors"), checkpoint);
        var damaged = QuadTool.Run("train", "--resume", Quad.PathOf("run"));
        Assert.That(damaged.Code, Is.EqualTo(1));
        Assert.That(damaged.Errors, Does.Contain("last.safetensors").And.Contain("damaged"));

        File.WriteAllText(Quad.PathOf("run/config.json"), File.ReadAllText(Quad.PathOf("run/config.json")).Replace("\"epochs\": 1", "\"epochs\": \"one\""));
        var unreadable = QuadTool.Run("train", "--resume", Quad.PathOf("run"));
        Assert.That(unreadable.Code, Is.EqualTo(1));
        Assert.That(unreadable.Errors, Does.Contain("config.json").And.Contain("epochs"));
    }

    [Test]
    public void Output_that_cannot_be_written_is_told_before_training()
    {
        File.WriteAllText(Quad.PathOf("file"), "");
        var result = QuadTool.Run([.. smallRun, "--output", Quad.PathOf("file/run")]);
        Assert.That(result.Code, Is.EqualTo(1));
        Assert.That(result.Errors, Does.StartWith("quad: ").And.Contain(Quad.PathOf("file")));
        Assert.That(result.Errors, Does.Not.Contain("   at "));
    }

    [TestCase("--model resnet56 --neuron quadratic --rank 7", 854_782, 126.389)]
    [TestCase("--model resnet20", 269_722, 40.551)]
    public void Summary_ends_with_the_totals(string line, long parameters, double millions)
    {
        var result = QuadTool.Run(["summary", .. line.Split(' '), "--json"]);
        Assert.That(result.Json.GetProperty("parameters").GetInt64(), Is.EqualTo(parameters));
        Assert.That(Math.Round(result.Json.GetProperty("multiplyAdds").GetInt64() / 1e6, 3), Is.EqualTo(millions));
        Assert.That(result.Text, Does.Contain("layer2.0.conv1").And.Contain("[1, 16, 16, 32]"));
    }

    [Test]
    public void Data_list_names_every_data_set()
    {
        var result = QuadTool.Run("data", "list", "--data-dir", Quad.Folder, "--json");
        foreach (var name in Datasets.Names) Assert.That(result.Text, Does.Contain(name));
        Assert.That(result.Json.GetProperty("items").GetArrayLength(), Is.EqualTo(Datasets.Names.Count));
    }

    [Test]
    public void Doctor_finds_the_processor()
    {
        var result = QuadTool.Run("doctor", "--json");
        Assert.That(result.Code, Is.Zero);
        Assert.That(result.Text, Does.Contain("processor").And.Contain("simd").And.Contain("memory").And.Contain("cpu"));
    }

    [TestCase("")]
    [TestCase("train")]
    [TestCase("eval")]
    [TestCase("summary")]
    [TestCase("data get")]
    [TestCase("doctor")]
    public void Help_explains_and_shows_an_example(string command)
    {
        var result = QuadTool.Run([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.That(result.Code, Is.Zero);
        Assert.That(result.Text, Does.Contain("quad " + (command.Length == 0 ? "train" : command)));
    }

    [Test]
    public void Public_PyTorch_weights_reach_their_authors_error()
    {
        var (weights, data) = (Environment.GetEnvironmentVariable("QUADENGINE_WEIGHTS"), Environment.GetEnvironmentVariable("QUADENGINE_DATA"));
        if (weights is null || data is null || Datasets.Get("cifar10").FolderIn(data) is null)
            Assert.Ignore("Set QUADENGINE_WEIGHTS to a folder with resnet20-12fca82f.th (akamaster/pytorch_resnet_cifar10) and QUADENGINE_DATA to one with CIFAR-10 to run this test.");

        var result = QuadTool.Run("eval", "--model", "resnet20", "--weights", Path.Combine(weights, "resnet20-12fca82f.th"), "--data", "cifar10", "--data-dir", data, "--json");

        Assert.That(result.Code, Is.Zero, result.Errors);
        Assert.That(result.Json.GetProperty("error").GetDouble(), Is.EqualTo(8.27).Within(0.02));
    }

    static IEnumerable<string> Keys(JsonElement json) => json.EnumerateObject().Select(property => property.Name);
}
