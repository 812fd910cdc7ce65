using Microsoft.ML.OnnxRuntime;
using QuadEngine.Cli;
using QuadEngine.Data;
using QuadEngine.Models;
using QuadEngine.Tests.Images;

namespace QuadEngine.Tests.Export;

public class ExportCommandTests
{
    [Test]
    public void Weights_and_data_set_become_an_onnx_file_that_knows_its_classes()
    {
        using var trained = new Trained("resnet8");
        ToolRun.Run("export", "--weights", trained.File("weights.safetensors"), "--data", "fashion-mnist-sample", "--format", "onnx", "--fold", "--output", trained.File("net.onnx"));
        using var session = new InferenceSession(trained.File("net.onnx"));
        Assert.That(session.InputMetadata["images"].Dimensions, Is.EqualTo([-1, 1, 28, 28]));
        Assert.That(session.ModelMetadata.CustomMetadataMap["classes"], Does.StartWith("[\"T-shirt/top\",\"Trouser\","));
        Assert.That(session.ModelMetadata.CustomMetadataMap["mean"], Is.EqualTo("0.286"));
    }

    [Test]
    public void Exported_weights_explain_themselves_to_predict()
    {
        using var trained = new Trained("resnet8");
        using var files = new ImageFiles();
        var image = files.Write("shoe.png", new Picture(28, 28, 1, Trained.Test.Image(9).ToArray()));
        ToolRun.Run("export", "--weights", trained.File("weights.safetensors"), "--data", "fashion-mnist-sample", "--format", "safetensors", "--output", trained.File("all.safetensors"));

        var text = ToolRun.Run("predict", image, "--weights", trained.File("all.safetensors"), "--top", "2", "--device", "cpu");
        var expected = trained.Classifier.Classify(Picture.Read(image, channels: 1));
        Assert.That(text.Trim(), Is.EqualTo($"{image}: {expected[0]}, {expected[1]}"));
    }

    [Test]
    public void What_is_missing_is_named()
    {
        using var trained = new Trained("resnet8");
        using StringWriter text = new(), errors = new();
        Assert.That(Tool.Run(["export", "--weights", trained.File("weights.safetensors"), "--format", "onnx"], new Output(text, errors, Terminal: null)), Is.EqualTo(1));
        Assert.That(errors.ToString(), Does.Contain("--data"));
    }

    [Test]
    public void Toolchain_that_is_missing_is_named_with_a_cure() =>
        Assert.That(() => global::QuadEngine.Cli.Export.NativeToolchain.Check([new("zlib", null, "Install zlib1g-dev."), new("linker", "clang", "")]),
            Throws.InvalidOperationException.With.Message.Contains("zlib: Install zlib1g-dev.").And.Message.Not.Contains("linker"));

    [TestCase("predict", "image.f32")]
    [TestCase("eval", "--data", "fashion-mnist-sample")]
    [TestCase("export", "--format", "onnx")]
    public void Weights_that_are_not_finite_are_refused_by_name(string command, params string[] rest)
    {
        using var trained = new Trained("resnet8");
        File.WriteAllBytes(trained.File("image.f32"), new byte[4 * 28 * 28]);
        trained.Classifier.Network.Parameters().First().Assign([.. Enumerable.Repeat(float.NaN, trained.Classifier.Network.Parameters().First().Length)]);
        trained.Classifier.Save(trained.File("nan.safetensors"));
        using StringWriter text = new(), errors = new();
        Assert.That(Tool.Run([command, "--weights", trained.File("nan.safetensors"), .. rest.Select(word => word == "image.f32" ? trained.File(word) : word)], new Output(text, errors, Terminal: null)), Is.EqualTo(1));
        Assert.That(errors.ToString(), Does.Contain("nan.safetensors").And.Contain("\"conv1.weight\"").And.Contain("NaN"));
        Assert.That(text.ToString(), Does.Not.Contain("NaN"));
        Assert.That(File.Exists(trained.File("nan.onnx")), Is.False);
        Assert.That(() => Classifier.Read(trained.File("nan.safetensors")), Throws.TypeOf<InvalidFileException>().With.Message.Contains("conv1.weight"));
    }

    [Test]
    public void An_answer_that_is_not_finite_is_no_prediction()
    {
        using var trained = new Trained("resnet8");
        File.WriteAllBytes(trained.File("image.f32"), Enumerable.Repeat(BitConverter.GetBytes(float.NaN), 28 * 28).SelectMany(bytes => bytes).ToArray());
        using StringWriter text = new(), errors = new();
        Assert.That(Tool.Run(["predict", "--weights", trained.File("classifier.safetensors"), trained.File("image.f32")], new Output(text, errors, Terminal: null)), Is.EqualTo(1));
        Assert.That(errors.ToString(), Does.Contain("NaN").And.Contain("has no meaning"));
        Assert.That(text.ToString(), Is.Empty);
    }

    [TestCase("module._orig_mod.")]
    [TestCase("model.")]
    public void Prefix_of_all_names_is_dropped_and_said(string prefix)
    {
        using var trained = new Trained("resnet8");
        SafeTensors.Write(trained.File("wrapped.safetensors"), trained.Classifier.Network.StateDictionary().Select(entry => KeyValuePair.Create(prefix + entry.Key, entry.Value)));
        var text = ToolRun.Run("export", "--weights", trained.File("wrapped.safetensors"), "--model", "resnet8", "--neuron", "quadratic", "--data", "fashion-mnist-sample", "--format", "safetensors", "--output", trained.File("plain.safetensors"));
        Assert.That(text, Does.Contain($"left out the prefix \"{prefix}\" of all names"));
        Assert.That(Classifier.Read(trained.File("plain.safetensors")).Network.StateDictionary()["conv1.weight"].Values, Is.EqualTo(trained.Classifier.Network.StateDictionary()["conv1.weight"].Values));
    }
}
