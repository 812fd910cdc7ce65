using QuadEngine.Data;
using QuadEngine.Models;
using QuadEngine.Tests.Images;

namespace QuadEngine.Tests.Cli;

/// <summary>A user's own pictures: a folder for each class.</summary>
public sealed class PictureFolderTests : ToolTests
{
    static readonly string[] small = ["--model", "resnet8", "--batch", "8"], fourEpochs = [.. small, "--epochs", "4"];

    [Test]
    public void Network_learns_a_folder_and_its_weights_know_size_classes_and_normalisation()
    {
        Write("photos/dark", 20, 40);
        Write("photos/light", 20, 200);
        var trained = Run(["train", "--data", Quad.PathOf("photos"), "--image-size", "12", .. fourEpochs, "--output", Quad.PathOf("run"), "--json"]);
        Assert.That(trained.Text, Does.Contain("32 training and 8 test images [12, 12, 3]").And.Contain("2 classes (dark, light); 20 % of each are held out").And.Contain("quad predict --weights"));
        Assert.That(trained.Json.GetProperty("accuracy").GetDouble(), Is.EqualTo(100));

        var judged = Run(["eval", "--weights", Quad.PathOf("run/last.safetensors"), "--json"]);
        Assert.That(judged.Text, Does.Contain("the 8 pictures of").And.Contain("held out"));
        Assert.That(judged.Json.GetProperty("loss").GetDouble(), Is.EqualTo(trained.Json.GetProperty("loss").GetDouble()).Within(1e-5));

        // The file is enough without its run.
        File.Move(Quad.PathOf("run/best.safetensors"), Quad.PathOf("mine.safetensors"));
        Write("new/light", 3, 190);
        var predicted = Run(["predict", "--weights", Quad.PathOf("mine.safetensors"), Quad.PathOf("new/light/0.png"), Quad.PathOf("photos/dark/3.png"), "--json"]);
        Assert.That(predicted.Json.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("value").GetString()), Is.EqualTo(["light", "dark"]));
        var others = Run(["eval", "--weights", Quad.PathOf("mine.safetensors"), "--data", Quad.PathOf("new"), "--json"]);
        Assert.That(others.Text, Does.Contain("all 3 pictures of"));
        Assert.That(others.Json.GetProperty("accuracy").GetDouble(), Is.EqualTo(100), "the folder's only class is the network's second");

        Run(["export", "--weights", Quad.PathOf("mine.safetensors"), "--format", "onnx", "--output", Quad.PathOf("mine.onnx")]);
        var classifier = Classifier.Read(Quad.PathOf("mine.safetensors"));
        Assert.That((classifier.Configuration.Height, classifier.Images.Classes), Is.EqualTo((12, (string[])["dark", "light"])));
        Assert.That(Classifier.Read(Quad.PathOf("run/last.safetensors")).Images.Classes, Is.EqualTo(["dark", "light"]), "the optimizer's tensors are passed over");

        Fails(["eval", "--weights", Quad.PathOf("mine.safetensors")], "does not name its data", "--data DIR");
        Fails(["eval", "--weights", Quad.PathOf("mine.safetensors"), "--data", "mnist"], "[12, 12, 3] of 2 classes", "of 10");
        Write("new/grey", 3, 120);
        Fails(["eval", "--weights", Quad.PathOf("mine.safetensors"), "--data", Quad.PathOf("new")], "has grey", "dark, light");
    }

    // With three steps in an epoch, running statistics would still come from the first weights.
    [TestCase("quadratic")]
    [TestCase("linear")]
    public void Defaults_keep_the_test_loss_of_a_small_folder_in_bounds(string neuron)
    {
        Write("photos/dark", 30, 90);
        Write("photos/light", 30, 150);
        Run(["train", "--data", Quad.PathOf("photos"), "--neuron", neuron, "--model", "resnet20", "--image-size", "12", "--epochs", "12", "--output", Quad.PathOf("run")]);

        var losses = File.ReadAllLines(Quad.PathOf("run/metrics.csv")).Skip(1).Select(line => double.Parse(line.Split(',')[5], System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Assert.That(losses, Has.Length.EqualTo(12).And.All.LessThan(5));
        Assert.That(losses[^1], Is.LessThan(0.5));
    }

    [Test]
    public void Learning_rate_and_weight_decay_are_those_of_the_optimizer()
    {
        Write("photos/dark", 10, 40);
        Write("photos/light", 10, 200);
        Assert.That(Training("own", "--epochs", "1"), Is.EqualTo(("adamw", 3e-3f, 16, 0.1f)));
        Assert.That(Training("sgd", "--epochs", "1", "--optimizer", "sgd"), Is.EqualTo(("sgd", 0.05f, 16, 0.1f)));
        Assert.That(Training("given", "--epochs", "1", "--lr", "0.01", "--batch", "7"), Is.EqualTo(("adamw", 0.01f, 7, 0.1f)));
        Assert.That(RunConfiguration.ForFolder(Quad.PathOf("photos")).Training.Epochs, Is.EqualTo(100));

        (string, float, int, float) Training(string run, params string[] options)
        {
            Run(["train", "--data", Quad.PathOf("photos"), "--model", "resnet8", "--image-size", "8", .. options, "--output", Quad.PathOf(run)]);
            var training = RunFolder.Open(Quad.PathOf(run)).Configuration.Training;
            return (training.Optimizer.Name, training.LearningRate, training.BatchSize, training.LabelSmoothing);
        }
    }

    [Test]
    public void Pictures_that_are_learned_from_decide_how_often_each_is_seen()
    {
        Write("photos/dark", 700, 40);
        Write("photos/light", 700, 200);
        var (all, few) = (RunConfiguration.ForFolder(Quad.PathOf("photos")), RunConfiguration.ForFolder(Quad.PathOf("photos"), trainImages: 300));
        Assert.That((all.TrainImages, all.Training.BatchSize, all.Training.Epochs), Is.EqualTo(((int?)null, 32, 1200 * 32 / 1120)));
        Assert.That((few.TrainImages, few.Training.BatchSize, few.Training.Epochs), Is.EqualTo(((int?)300, 16, 1200 * 16 / 300)));
    }

    [Test]
    public void Parts_of_the_folder_are_used_and_summary_and_show_know_them()
    {
        Write("photos/train/dark", 9, 40);
        Write("photos/train/light", 8, 200);
        Write("photos/val/light", 4, 200);
        File.WriteAllText(Quad.PathOf("photos/train/light/notes.txt"), "");
        var trained = Run(["train", "--data", Quad.PathOf("photos"), .. small, "--epochs", "1", "--output", Quad.PathOf("run")]);
        Assert.That(trained.Text, Does.Contain("17 training and 4 test images [16, 16, 3]").And.Contain("the test images are those in val; 1 other file is left out"));
        Assert.That(Run(["eval", "--weights", Quad.PathOf("run")]).Text, Does.Contain("the 4 pictures in").And.Contain("val"));

        var shown = Run(["data", "show", Quad.PathOf("photos"), "--json"]);
        Assert.That(shown.Text, Does.Contain("The test pictures are in val").And.Contain("16 to 24 pixels").And.Contain("1 other file is left out"));
        Assert.That(shown.Json.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("value").GetString()), Is.EqualTo(["9 + 0", "8 + 4"]));
        Assert.That(Run(["summary", "--model", "resnet8", "--data", Quad.PathOf("photos")]).Text, Does.Contain("[1, 16, 16, 16]").And.Contain("Linear(64 -> 2)"));
        Assert.That(Run(["summary", "--model", "resnet8", "--data", Quad.PathOf("photos"), "--image-size", "24"]).Text, Does.Contain("[1, 24, 24, 16]"));
    }

    [Test]
    public void Streamed_pictures_train_the_bits_of_those_in_memory()
    {
        Write("photos/dark", 10, 40);
        Write("photos/light", 10, 200);
        foreach (var (name, held) in new[] { ("memory", long.MaxValue), ("files", 0L) })
        {
            var configuration = RunConfiguration.ForFolder(Quad.PathOf("photos"), "resnet8", size: 10);
            configuration = configuration with { Pictures = configuration.Pictures! with { HeldBytes = held }, Training = configuration.Training with { Epochs = 2, BatchSize = 6 } };
            var run = TrainingRun.Start(configuration, Quad.PathOf(name));
            Assert.That(run.Train is ImageDataset, Is.EqualTo(held > 0));
            run.Trainer.Run();
        }

        Assert.That(Quad.Bytes("files/last.safetensors"), Is.EqualTo(Quad.Bytes("memory/last.safetensors")));
    }

    [Test]
    public void Run_goes_on_with_its_pictures_and_no_others()
    {
        Write("photos/dark", 10, 40);
        Write("photos/light", 10, 200);
        Run(["train", "--data", Quad.PathOf("photos"), .. fourEpochs, "--output", Quad.PathOf("run")]);
        Assert.That(Run(["train", "--resume", Quad.PathOf("run")]).Text, Does.Contain("finished already"));

        File.Delete(Quad.PathOf("photos/dark/5.png"));
        Fails(["train", "--resume", Quad.PathOf("run")], "are not those that the run started with", "new run");
        Fails(["eval", "--weights", Quad.PathOf("run")], "are not those that the run started with", "another folder");
        Directory.Move(Quad.PathOf("photos"), Quad.PathOf("elsewhere"));
        Fails(["train", "--resume", Quad.PathOf("run")], "photos", "no longer exists");
    }

    [Test]
    public void Folders_that_cannot_be_learned_from_are_answered_before_anything_is_written()
    {
        Write("one/dark", 3, 40);
        Fails(["train", "--data", Quad.PathOf("one")], "only one class (dark)");
        Fails(["train", "--data", Quad.PathOf("one/dark")], "no sub-folders");
        Write("one/light", 3, 200);
        File.WriteAllText(Quad.PathOf("one/light/1.png"), "not a picture");
        Fails(["train", "--data", Quad.PathOf("one")], Quad.PathOf("one/light/1.png"), "PNG");
        Fails(["data", "show", Quad.PathOf("one")], Quad.PathOf("one/light/1.png"));
        Fails(["data", "show", Quad.PathOf("none")], "no folder");
        Fails(["train", "--data", "mnist", "--image-size", "20"], "--image-size", "mnist");
        Assert.That(Directory.Exists(Quad.PathOf("run")), Is.False);
        Assert.That(QuadTool.Run("train", "--data", Quad.PathOf("none")).Errors, Does.Contain("no folder of pictures at").And.Contain("cifar10"));
    }

    [Test]
    public void Predict_goes_on_after_a_bad_picture_and_its_json_has_probabilities()
    {
        Write("photos/dark", 10, 40);
        Write("photos/light", 10, 200);
        Run(["train", "--data", Quad.PathOf("photos"), .. fourEpochs, "--output", Quad.PathOf("run")]);
        File.WriteAllBytes(Quad.PathOf("cut.png"), Quad.Bytes("photos/dark/1.png")[..^30]);
        string[] files = [Quad.PathOf("photos/dark/0.png"), Quad.PathOf("cut.png"), Quad.PathOf("missing.png"), Quad.PathOf("photos"), Quad.PathOf("photos/light/0.png")];
        var result = QuadTool.Run(["predict", "--weights", Quad.PathOf("run"), .. files, "--json"]);
        Assert.That(result.Code, Is.EqualTo(1));
        foreach (var file in files[1..4]) Assert.That(result.Errors, Does.Contain(file));

        var items = result.Json.GetProperty("items").EnumerateArray().ToArray();
        Assert.That(items.Select(item => item.GetProperty("name").GetString()), Is.EqualTo(files));
        Assert.That(items.Select(item => item.TryGetProperty("error", out _)), Is.EqualTo([false, true, true, true, false]));
        foreach (var item in new[] { items[0], items[4] })
        {
            var classes = item.GetProperty("classes").EnumerateArray().ToArray();
            Assert.That(classes[0].GetProperty("name").GetString(), Is.EqualTo(item.GetProperty("value").GetString()));
            Assert.That(classes.Select(entry => entry.GetProperty("name").GetString()), Is.EquivalentTo(["dark", "light"]));
            Assert.That(classes.Sum(entry => entry.GetProperty("probability").GetDouble()), Is.EqualTo(1).Within(1e-5));
        }
    }

    [Test]
    public void Show_prints_its_table_and_names_what_is_damaged()
    {
        Write("photos/dark", 10, 40);
        Write("photos/light", 10, 200);
        File.WriteAllBytes(Quad.PathOf("photos/dark/3.png"), Quad.Bytes("photos/dark/3.png")[..^30]);
        File.WriteAllText(Quad.PathOf("photos/light/4.png"), "");
        var result = QuadTool.Run("data", "show", Quad.PathOf("photos"), "--json");
        Assert.That(result.Code, Is.EqualTo(1));
        Assert.That(result.Text, Does.Contain("dark ").And.Contain("light").And.Contain("all "));
        Assert.That(result.Errors, Does.Contain(Quad.PathOf("photos/dark/3.png")).And.Contain(Quad.PathOf("photos/light/4.png")).And.Contain("2 of 20 pictures"));
        Assert.That(result.Json.GetProperty("items").EnumerateArray().Count(item => item.TryGetProperty("error", out _)), Is.EqualTo(2));
        Fails(["train", "--data", Quad.PathOf("photos")], "photos/dark/3.png", "photos/light/4.png");
    }

    [Test]
    public void A_size_that_memory_cannot_hold_is_refused_at_once()
    {
        Write("photos/dark", 10, 40);
        Write("photos/light", 10, 200);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Fails(["train", "--data", Quad.PathOf("photos"), "--image-size", "4096", "--device", "cpu"], "16 pictures of 4096 x 4096", "GB of memory", "--image-size");
        Assert.That(watch.Elapsed.TotalSeconds, Is.LessThan(20));
        Assert.That(Directory.Exists(Quad.PathOf("run")), Is.False);
    }

    [Test]
    public void Data_set_that_was_written_is_judged_by_its_own_network()
    {
        Run(["data", "export", "fashion-mnist-sample", Quad.PathOf("clothes"), "--images", "60"]);
        Run(["train", "--images", "60", "--epochs", "1", "--model", "resnet8", "--output", Quad.PathOf("run")]);
        Assert.That(Run(["eval", "--weights", Quad.PathOf("run"), "--data", Quad.PathOf("clothes")]).Text, Does.Contain("the 60 pictures in"));
    }

    [Test]
    public void Data_set_is_written_as_pictures_that_train_it_again()
    {
        Run(["data", "export", "fashion-mnist-sample", Quad.PathOf("clothes"), "--images", "50"]);
        Assert.That(Directory.GetFiles(Quad.PathOf("clothes"), "*.png", SearchOption.AllDirectories), Has.Length.EqualTo(100));
        var (train, _) = Datasets.Load("fashion-mnist-sample");
        Assert.That(Picture.Read(Quad.PathOf($"clothes/train/{ClassFolder.NameOf(train.ClassNames[train.Label(7)])}/8.png"), 1).Pixels, Is.EqualTo(train.Image(7).ToArray()));
        Assert.That(Run(["data", "show", Quad.PathOf("clothes")]).Text, Does.Contain("T-shirt/top").And.Contain("all gray").And.Contain("[28, 28, 1]"));
        Fails(["data", "export", "fashion-mnist-sample", Quad.PathOf("clothes")], "is not empty");
    }

    static QuadTool.Result Run(string[] line)
    {
        var result = QuadTool.Run(line);
        Assert.That(result.Code, Is.Zero, result.Errors);
        return result;
    }

    void Fails(string[] line, params string[] says)
    {
        var result = QuadTool.Run(line[0] == "train" && line[1] == "--data" ? [.. line, "--output", Quad.PathOf("run")] : line);
        Assert.That(result.Code, Is.EqualTo(1), result.Text);
        foreach (var text in says) Assert.That(result.Errors, Does.Contain(text));
        Assert.That(result.Errors, Does.Not.Contain("   at "));
    }

    /// <summary>Pictures of one brightness and several sizes, with stripes.</summary>
    void Write(string folder, int count, byte brightness)
    {
        Directory.CreateDirectory(Quad.PathOf(folder));
        for (var i = 0; i < count; i++)
        {
            var waves = ImageFiles.Waves(16 + i % 9, 16, seed: i);
            new Picture(waves.Height, waves.Width, 3, [.. waves.Pixels.Select(pixel => (byte)(brightness + (pixel - 128) / 8))]).Save(Quad.PathOf($"{folder}/{i}.png"));
        }
    }
}
