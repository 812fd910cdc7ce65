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
}
