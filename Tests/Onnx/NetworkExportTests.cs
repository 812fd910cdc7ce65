using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Onnx;

/// <summary>Whole networks of every neuron in ONNX Runtime, on real images.</summary>
public class NetworkExportTests
{
    static readonly Shape Gray = [28, 28, 1];

    static Tensor Images(int count)
    {
        using var batch = Datasets.Load("fashion-mnist-sample").Test.Take(count).Batches(count).Single();
        return batch.Input.Alias().Keep();
    }

    static void AssertSame(OnnxRun run, Tensor images, int classes)
    {
        run.AssertAgreement(images);
        Assert.That(Classes(run.Run(images), classes), Is.EqualTo(Classes(run.Ours(images), classes)));
    }

    static int[] Classes(float[] logits, int classes) => [.. logits.Chunk(classes).Select(row => Array.IndexOf(row, row.Max()))];

    [Test]
    public void Network_of_each_neuron_agrees([ValueSource(typeof(Layers.Neurons), nameof(Layers.Neurons.Names))] string name, [Values] bool fold)
    {
        var neuron = Layers.Neurons.Get(name);
        var network = new Sequential(neuron.Conv2d(1, 6, 3, stride: 2, padding: 1), new BatchNorm(6), new Relu(), neuron.Conv2d(6, 8, 3), new BatchNorm(8), new Relu(), new GlobalAvgPool2d(), neuron.Dense(8, 10)).Awaken();
        using var run = new OnnxRun(network, Gray, new OnnxOptions { FoldBatchNorm = fold });
        using var images = Images(20);
        AssertSame(run, images, 10);
    }

    [TestCase(9, true, true)]       // ranks 9 and 5 on 16 channels
    [TestCase(15, false, true)]
    [TestCase(3, true, false)]
    public void Quadratic_neurons_agree_in_all_their_forms(int rank, bool normalized, bool vectorized)
    {
        var neuron = Layers.Neurons.Quadratic(rank, new QuadraticOptions { Normalized = normalized, Vectorized = vectorized });
        var network = new Sequential(neuron.Conv2d(1, 16, 3), new GlobalAvgPool2d(), neuron.Dense(16, 10)).Awaken();
        using var run = new OnnxRun(network, Gray);
        using var images = Images(8);
        AssertSame(run, images, 10);
    }

    [TestCase(20, "linear", 20)]
    [TestCase(20, "quadratic", 20)]
    [TestCase(56, "quadratic", 5)]
    public void Cifar_form_agrees(int depth, string neuron, int count)
    {
        using var images = Images(count);
        var network = ResNet.Cifar(depth, neuron: Layers.Neurons.Get(neuron), inChannels: 1).Awaken(images);
        using var run = new OnnxRun(network, Gray, new OnnxOptions { FoldBatchNorm = true });
        AssertSame(run, images, 10);
    }

    [TestCase(18, "quadratic")]
    [TestCase(50, "linear")]
    public void ImageNet_form_agrees(int depth, string neuron)
    {
        using var images = Enlarged(Datasets.Load("fashion-mnist-sample").Test, count: 4, side: 64);
        AssertImageNetForm(depth, neuron, images);
    }

    [TestCase(18, "linear")]
    [TestCase(18, "quadratic")]
    public void ImageNet_form_agrees_on_photographs_of_its_own_size(int depth, string neuron)
    {
        if (Environment.GetEnvironmentVariable("QUADENGINE_DATA") is not { } data) { Assert.Ignore("needs CIFAR-10 in QUADENGINE_DATA"); return; }
        using var images = Enlarged(Datasets.Load("cifar10", data).Test, count: 16, side: 224);
        AssertImageNetForm(depth, neuron, images);
    }

    static void AssertImageNetForm(int depth, string neuron, Tensor images)
    {
        var network = ResNet.ImageNet(depth, classes: 20, neuron: Layers.Neurons.Get(neuron)).Awaken(images);
        foreach (var fold in new[] { false, true })
        {
            using var run = new OnnxRun(network, images.Shape.ToArray()[1..], new OnnxOptions { FoldBatchNorm = fold });
            AssertSame(run, images, 20);
        }
    }

    // Returns real images at another size, in color, normalized like photographs: [N, side, side, 3].
    static Tensor Enlarged(ImageDataset set, int count, int side)
    {
        var shape = set.ImageShape;
        var pixels = Enumerable.Range(0, count)
            .Select(i => new Picture(shape[0], shape[1], shape[2], set.Image(i).ToArray()))
            .SelectMany(picture => picture.Resample(new Frame(0, 0, picture.Height, picture.Width), side, side).Pixels)
            .SelectMany(pixel => Enumerable.Repeat(pixel, 3 / shape[2]));
        return Tensor.FromArray([.. pixels.Select((pixel, i) => Normalization.ImageNet.Apply(pixel, i % 3))], [count, side, side, 3]);
    }

    [Test]
    public void Published_weights_agree_on_photographs()
    {
        var (data, weights) = (Environment.GetEnvironmentVariable("QUADENGINE_DATA"), Environment.GetEnvironmentVariable("QUADENGINE_WEIGHTS"));
        if (data is null || weights is null) Assert.Ignore("needs CIFAR-10 in QUADENGINE_DATA and resnet20-12fca82f.th in QUADENGINE_WEIGHTS");
        var network = ResNet.Cifar(20);
        network.LoadStateDictionary(WeightFile.Read(Path.Combine(weights!, "resnet20-12fca82f.th")).ToDictionary(entry => entry.Key.Replace("module.", "", StringComparison.Ordinal), entry => entry.Value));
        using var batch = Datasets.Load("cifar10", data).Test.Take(50).Batches(50).Single();
        using var run = new OnnxRun(network, [32, 32, 3], new OnnxOptions { FoldBatchNorm = true });
        AssertSame(run, batch.Input, 10);
        Assert.That(Classes(run.Run(batch.Input), 10).Zip(batch.Target.ToArray()).Count(pair => pair.First == pair.Second), Is.GreaterThan(42));
    }

    [Test]
    public void File_states_its_operators_input_and_output()
    {
        using var run = new OnnxRun(ResNet.Cifar(8), [32, 32, 3], new OnnxOptions { InputName = "images", OutputName = "logits", Metadata = new Dictionary<string, string> { ["classes"] = "cat, dog" } });
        Assert.Multiple(() =>
        {
            Assert.That(run.Inputs["images"].Dimensions, Is.EqualTo([-1, 3, 32, 32]));
            Assert.That(run.Inputs["images"].SymbolicDimensions[0], Is.EqualTo("N"));
            Assert.That(run.Outputs["logits"].Dimensions, Is.EqualTo([-1, 10]));
            var model = Models.Onnx.ModelProto.Parser.ParseFrom(run.Model);
            Assert.That(model.OpsetImport.Single().Version, Is.EqualTo(OnnxExport.Opset));
            Assert.That(model.MetadataProps.Single().Value, Is.EqualTo("cat, dog"));
            Assert.That(model.Graph.Initializer.Select(constant => constant.Name), Does.Contain("layer1.0.conv1.weight").And.Contain("bn1.running_mean").And.Contain("linear.bias"));
        });
    }

    [Test]
    public void Batch_norms_are_folded_where_asked()
    {
        using OnnxRun plain = new(ResNet.Cifar(8), [32, 32, 3]), folded = new(ResNet.Cifar(8), [32, 32, 3], new OnnxOptions { FoldBatchNorm = true });
        Assert.Multiple(() =>
        {
            Assert.That(plain.Operations.Count(type => type == "BatchNormalization"), Is.EqualTo(7));
            Assert.That(folded.Operations.Distinct(), Is.EquivalentTo(["Conv", "Relu", "Slice", "Pad", "Add", "ReduceMean", "Reshape", "Gemm"]));
            Assert.That(plain.Operations.Count(type => type == "Conv"), Is.EqualTo(7));
            Assert.That(folded.Operations.Count(type => type == "Conv"), Is.EqualTo(7), "the convolutions without batch norm are left out");
        });
    }

    [Test]
    public void Network_comes_back_as_it_was()
    {
        var network = ResNet.Cifar(8, neuron: Layers.Neurons.Quadratic()).Awaken();
        var before = network.StateDictionary();
        OnnxExport.ToBytes(network, [32, 32, 3]);
        Assert.That(network.Training, Is.True);
        foreach (var (key, values) in network.StateDictionary())
            Assert.That(values.Values, Is.EqualTo(before[key].Values), key);
    }

    [Test]
    public void What_cannot_be_exported_is_named()
    {
        var network = new Sequential(new Conv2d(1, 2, 3), new Function("first image", x => x.Slice(0, 0, 1)));
        Assert.That(() => OnnxExport.ToBytes(network, Gray), Throws.TypeOf<NotSupportedException>().With.Message.Contains("part of a batch"));
        Assert.That(network.Parameters().First().Device, Is.SameAs(Device.Cpu));
    }
}
