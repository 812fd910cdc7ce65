using System.Text.Json;
using QuadEngine.Models;
using QuadEngine.Tests.Training;

namespace QuadEngine.Tests.Registries;

/// <summary>How files store selections.</summary>
public sealed class SelectionFileTests
{
    static string Write(Selection selection) => JsonSerializer.Serialize(new NetworkConfiguration { Neuron = selection }, ModelsJson.Compact.NetworkConfiguration).Split("\"neuron\":")[1].Split(",\"recompute\"")[0];

    static Selection Read(string json) => JsonSerializer.Deserialize($"{{\"neuron\":{json}}}", ModelsJson.Default.NetworkConfiguration)!.Neuron;

    [Test]
    public void A_name_alone_is_a_text_and_options_are_written_by_their_kind()
    {
        Assert.That(Write("linear"), Is.EqualTo("\"linear\""));
        var all = new Selection("a", ("text", "x \"y\""), ("whole", -7), ("number", 1e-8f), ("on", true), ("off", false), ("digits", "007"), ("named", "NaN"), ("comma", "1,5")) { Assembly = "Mine" };
        Assert.That(Write(all), Is.EqualTo("""{"name":"a","assembly":"Mine","comma":"1,5","digits":"007","named":"NaN","number":1E-08,"off":false,"on":true,"text":"x \u0022y\u0022","whole":-7}"""));
        Assert.That(Read(Write(all)), Is.EqualTo(all));
    }

    [TestCase("null", "null")]
    [TestCase("3", "Expected a name")]
    [TestCase("{}", "has no \"name\"")]
    [TestCase("""{"rank": 3}""", "has no \"name\"")]
    [TestCase("""{"name": "a", "rank": [3]}""", "The value of \"rank\"")]
    [TestCase("""{"name": "a", "rank": null}""", "The value of \"rank\"")]
    [TestCase("""{"name": "a", "rank": 1, "rank": 2}""", "twice")]
    [TestCase("""{"name": {}, "rank": 1}""", "The value of \"name\"")]
    public void What_is_no_selection_is_refused(string json, string says) =>
        Assert.That(() => Read(json), Throws.TypeOf<JsonException>().With.Message.Contains(says));

    // The form of runs and checkpoints before names had options.
    [TestCase("""{"network": {"model": "resnet8", "neuron": "quadratic", "rank": 3, "quadratic": {}}, "training": {}}""", "rank")]
    [TestCase("""{"network": {"model": "resnet8"}, "training": {"augmentation": {"padding": 0, "flip": true}}}""", "augmentation")]
    [TestCase("""{"network": {"model": "resnet8"}, "training": {"momentum": 0.9}}""", "momentum")]
    public void A_run_of_an_earlier_version_is_refused_with_what_to_do(string json, string key)
    {
        using var tiny = new TinyTraining();
        Directory.CreateDirectory(tiny.PathOf("run"));
        File.WriteAllText(tiny.PathOf("run/config.json"), json);
        Assert.That(() => RunFolder.Open(tiny.PathOf("run")), Throws.TypeOf<InvalidFileException>().With.Message.Contains(key).And.Message.Contains("a run that was started by a version before 0.2 cannot be resumed"));
    }

    [Test]
    public void Weights_of_an_earlier_version_are_refused_with_what_to_do()
    {
        using var tiny = new TinyTraining();
        SafeTensors.Write(tiny.PathOf("w"), new Dictionary<string, HostTensor> { ["a"] = new([1f], 1) }, new Dictionary<string, string> { ["quadengine.network"] = """{"model":"resnet8","neuron":"quadratic","rank":3}""" });
        Assert.That(() => Checkpoint.ReadNetwork(tiny.PathOf("w")), Throws.TypeOf<InvalidFileException>().With.Message.Contains("rank").And.Message.Contains("a version before 0.2 wrote it"));
    }
}
