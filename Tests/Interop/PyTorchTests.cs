using System.Globalization;
using System.Runtime.InteropServices;
using QuadEngine.Cli.Export;
using QuadEngine.Layers;
using QuadEngine.Models;
using QuadEngine.Tests.Export;

namespace QuadEngine.Tests.Interop;

/// <summary>
/// Files that PyTorch wrote from weights of the engine (Interop/PyTorch/make.py makes them), and PyTorch itself if it is there: set
/// QUADENGINE_PYTHON to a Python that has torch.
/// </summary>
public class PyTorchTests
{
    static string Made(string name) => Repository.PathOf("Tests", "Interop", "PyTorch", name);

    static ResNet Network() => new(new ResNetOptions { Blocks = [1, 1], Widths = [5, 7], InChannels = 1, Neuron = Layers.Neurons.Quadratic(rank: 3) });

    [TestCase("network.safetensors")]
    [TestCase("network.torch.safetensors")]
    [TestCase("checkpoint.pt")]
    [TestCase("checkpoint.legacy.pth")]
    public void Network_gives_the_outputs_that_PyTorch_computed(string file)
    {
        var reference = WeightFile.Read(Made("network.torch.safetensors"))["reference.logits"];
        var network = Network();
        var tensors = WeightFile.Read(Made(file)).Where(tensor => tensor.Key != "reference.logits").ToDictionary();
        network.LoadStateDictionary(tensors);
        foreach (var (name, ours) in WeightFile.Read(Made("network.safetensors")))
            Assert.That(tensors[name].Values, Is.EqualTo(ours.Values), $"{name} came through PyTorch bit for bit");

        var images = WeightFile.Read(Made("images.safetensors"))["images"];
        using var noGrad = new NoGrad();
        var logits = network.Eval().Forward(Tensor.FromArray(images.Values, images.Shape)).ToArray();
        Assert.That(logits, Is.EqualTo(reference.Values).Within(1e-5f * reference.Values.Max(MathF.Abs)));
    }

    [TestCase("checkpoint.pt")]
    [TestCase("checkpoint.legacy.pth")]
    public void State_dictionary_is_all_that_is_taken_of_a_checkpoint(string file) =>
        Assert.That(WeightFile.Read(Made(file)).Keys.Where(name => !name.EndsWith("num_batches_tracked", StringComparison.Ordinal)), Is.EquivalentTo(Network().StateDictionary().Keys));

    [TestCase("views.pt")]
    [TestCase("views.legacy.pth")]
    public void Every_type_and_view_is_what_it_was_in_PyTorch(string file)
    {
        var tensors = WeightFile.Read(Made(file));
        float[] ramp = [.. Enumerable.Range(0, 24).Select(i => (float)i)];
        foreach (var type in new[] { "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8" })
            AssertTensor(type, [24], ramp);
        AssertTensor("bool", [24], [0f, .. Enumerable.Repeat(1f, 23)]);
        AssertTensor("rows", [4, 6], ramp);
        AssertTensor("transposed", [6, 4], [.. from column in Enumerable.Range(0, 6) from row in Enumerable.Range(0, 4) select 6f * row + column]);
        AssertTensor("columns", [4, 3], [.. from row in Enumerable.Range(0, 4) from column in new[] { 1, 3, 5 } select 6f * row + column]);
        AssertTensor("tail", [4], ramp[20..]);
        AssertTensor("half_tail", [4], ramp[20..]);
        AssertTensor("expanded", [2, 2], [5f, 6f, 5f, 6f]);
        AssertTensor("channels_last", [2, 3, 2, 2], ramp);
        AssertTensor("parameter", [2, 6], ramp[12..]);
        AssertTensor("scalar", [], [7f]);
        AssertTensor("empty", [0, 3], []);

        void AssertTensor(string name, int[] shape, float[] values)
        {
            Assert.That(tensors[name].Shape, Is.EqualTo(shape), name);
            Assert.That(tensors[name].Values, Is.EqualTo(values), name);
        }
    }

    [Test]
    public void Pickled_module_is_refused_by_name() => Assert.That(() => WeightFile.Read(Made("module.pt")),
        Throws.TypeOf<InvalidFileException>().With.Message.Contains("torch.nn.modules.linear.Linear").And.Message.Contains("state_dict"));

    [Test]
    public void Python_program_of_the_documentation_gives_our_outputs()
    {
        using var trained = new Trained("resnet8");
        var images = Trained.Test.Take(20);
        using var batch = images.Batches(20).Single();
        var pixels = batch.Input.ToArray();
        File.WriteAllBytes(trained.File("images.f32"), MemoryMarshal.AsBytes(pixels.AsSpan()));

        var lines = Python(Repository.PathOf("docs", "quadratic.py"), trained.File("weights.safetensors"), trained.File("images.f32"));

        float[] theirs = [.. lines.SelectMany(line => line.Split(' ')).Select(value => float.Parse(value, CultureInfo.InvariantCulture))];
        var ours = trained.Classifier.Logits(pixels);
        Assert.That(ours, Is.EqualTo(theirs).Within(1e-5f * theirs.Max(MathF.Abs)));
    }

    [Test]
    public void What_PyTorch_writes_today_is_read()
    {
        using var folder = new Formats.FormatFiles();
        var program = folder.Write("save.py", """
            import sys, torch
            sys.path.insert(0, sys.argv[1])
            from quadratic import ResNet, save_file
            torch.manual_seed(1)
            state = ResNet(1, rank=3).state_dict()
            save_file(state, sys.argv[2] + "/a")
            torch.save({"state_dict": state}, sys.argv[2] + "/b")
            torch.save(state, sys.argv[2] + "/c", _use_new_zipfile_serialization=False)
            torch.save(state, sys.argv[2] + "/d", pickle_protocol=4)
            """u8);
        Python(program, Repository.PathOf("docs"), folder.Folder);
        var networks = new[] { "a", "b", "c", "d" }.Select(name =>
        {
            var network = ResNet.Cifar(8, neuron: Layers.Neurons.Quadratic());
            Checkpoint.LoadWeights(folder.PathOf(name), network);
            return network.StateDictionary();
        }).ToArray();
        foreach (var other in networks[1..])
            foreach (var (name, tensor) in networks[0]) Assert.That(other[name].Values, Is.EqualTo(tensor.Values), name);
    }

    static string[] Python(params string[] arguments)
    {
        if (Environment.GetEnvironmentVariable("QUADENGINE_PYTHON") is not { Length: > 0 } python)
        {
            Assert.Ignore("Set QUADENGINE_PYTHON to a Python that has torch to run this test.");
            return [];
        }

        var (code, output) = NativeToolchain.Run(python, ["-B", .. arguments]);
        Assert.That(code, Is.Zero, output);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
