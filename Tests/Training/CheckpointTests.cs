using QuadEngine.Layers;
using QuadEngine.Models;
using BatchNorm = QuadEngine.Layers.BatchNorm;
using Conv2d = QuadEngine.Layers.Conv2d;

namespace QuadEngine.Tests.Training;

public sealed class CheckpointTests
{
    TinyTraining tiny = null!;

    [SetUp]
    public void MakeFolder() => tiny = new TinyTraining();

    [TearDown]
    public void DeleteFolder() => tiny.Dispose();

    [Test]
    public void Weights_come_back_with_the_same_bits_in_PyTorch_layout()
    {
        var network = new Sequential(new Conv2d(3, 5, 3), new QuadraticConv2d(5, 8, 3, rank: 3), new BatchNorm(8), new Flatten(), new Linear(8, 4));
        Checkpoint.SaveWeights(tiny.PathOf("w"), network);

        Generator.Default = new Generator(5);
        var other = new Sequential(new Conv2d(3, 5, 3), new QuadraticConv2d(5, 8, 3, rank: 3), new BatchNorm(8), new Flatten(), new Linear(8, 4));
        Checkpoint.LoadWeights(tiny.PathOf("w"), other);

        foreach (var (key, tensor) in network.StateDictionary())
            Assert.That(other.StateDictionary()[key].Values, Is.EqualTo(tensor.Values), key);
        var file = WeightFile.Read(tiny.PathOf("w"));
        Assert.That(file["0.weight"].Shape, Is.EqualTo([5, 3, 3, 3]));
        Assert.That(file["0.weight"].Values[9], Is.EqualTo(((Conv2d)network.Children[0].Module).Weight.ToArray()[1 * 5]), "out 0, in 1, y 0, x 0");
        Assert.That(file["4.weight"].Shape, Is.EqualTo([4, 8]));
        Assert.That(file.Keys, Does.Contain("1.lambda").And.Contain("2.running_var"));
    }

    [TestCase(OptimizerKind.Sgd)]
    [TestCase(OptimizerKind.AdamW)]
    public void Optimizer_comes_back_with_the_same_bits(OptimizerKind optimizer)
    {
        var options = TinyTraining.Options with { Optimizer = optimizer, LearningRate = 0.01f };
        var trained = tiny.Start("run", options);
        trained.Run();

        var restored = tiny.Start("run", options);

        Assert.That(restored.Optimizer.Steps, Is.EqualTo(trained.Optimizer.Steps));
        foreach (var (a, b) in trained.Network.Parameters().Zip(restored.Network.Parameters()))
        {
            Assert.That(restored.Optimizer.StateOf(b), Has.Count.EqualTo(optimizer == OptimizerKind.Sgd ? 1 : 2));
            foreach (var (slotA, slotB) in trained.Optimizer.StateOf(a).Zip(restored.Optimizer.StateOf(b)))
                Assert.That(slotB.ToArray(), Is.EqualTo(slotA.ToArray()));
        }
    }

    [Test]
    public void Damage_anywhere_in_the_file_is_refused_and_changes_nothing()
    {
        tiny.Start("run").Run();
        var path = tiny.PathOf("run/last.safetensors");
        var bytes = File.ReadAllBytes(path);
        var headerEnd = 8 + (int)BitConverter.ToUInt64(bytes);

        // A bit of the values, of the header's length, of its JSON; and ends too early.
        foreach (var place in new[] { headerEnd, (headerEnd + bytes.Length) / 2, bytes.Length - 1, 1, 9, headerEnd / 2 })
        {
            var damaged = bytes.ToArray();
            damaged[place] ^= 0x10;
            File.WriteAllBytes(path, damaged);
            Refuses(path, $"bit of byte {place}");
        }

        foreach (var length in new[] { 0, 5, headerEnd - 3, headerEnd, bytes.Length - 4 })
        {
            File.WriteAllBytes(path, bytes.AsSpan(0, length));
            Refuses(path, $"cut to {length} bytes");
        }
    }

    [Test]
    public void Checkpoint_of_another_network_or_optimizer_is_refused()
    {
        tiny.Start("run").Run();

        var wider = Assert.Throws<InvalidFileException>(() => tiny.Start("run", network: () => new Sequential(new Flatten(), new Linear(64, 3))))!;
        Assert.That(wider.Message, Does.Contain(tiny.PathOf("run/last.safetensors")));
        var adam = Assert.Throws<InvalidFileException>(() => tiny.Start("run", TinyTraining.Options with { Optimizer = OptimizerKind.AdamW }))!;
        Assert.That(adam.Message, Does.Contain("AdamW"));
    }

    [Test]
    public void Weights_without_state_do_not_resume()
    {
        tiny.Start("run").Run();
        File.Copy(tiny.PathOf("run/best.safetensors"), tiny.PathOf("run/last.safetensors"), overwrite: true);
        Assert.That(() => tiny.Start("run"), Throws.TypeOf<InvalidFileException>().With.Message.Contains("no state of a training"));
    }

    [Test]
    public void File_says_which_network_it_is_of()
    {
        var configuration = new NetworkConfiguration { Model = "resnet8", Neuron = "quadratic", Rank = 2, Channels = 1, Quadratic = new() { Basis = Basis.Penalised } };
        Checkpoint.SaveWeights(tiny.PathOf("w"), configuration.Build(), configuration);

        Assert.That(Checkpoint.ReadNetwork(tiny.PathOf("w")), Is.EqualTo(configuration));
    }

    void Refuses(string path, string damage)
    {
        var trainer = tiny.Start();
        var before = trainer.Network.StateDictionary();
        Assert.That(() => Checkpoint.Restore(path, trainer.Network, trainer.Optimizer), Throws.TypeOf<InvalidFileException>().With.Message.Contains(path), damage);
        foreach (var (key, tensor) in trainer.Network.StateDictionary()) Assert.That(tensor.Values, Is.EqualTo(before[key].Values), damage);
    }

    [Test]
    public void A_parameter_that_was_frozen_for_a_while_comes_back_with_its_own_count_of_steps()
    {
        Linear Network() => new(2, 2);
        Linear network = Network(), restored = Network();
        AdamW Optimizer(Linear of) => new(of.ParameterGroups(), 0.01f);
        var optimizer = Optimizer(network);
        for (var step = 0; step < 5; step++)
        {
            network.Weight.Grad = Tensor.Ones([2, 2]);
            if (step >= 3) network.Bias!.Grad = Tensor.Ones([2]);
            optimizer.Step();
        }

        var state = new TrainingState { Step = optimizer.Steps };
        Checkpoint.Save(tiny.PathOf("c"), network, optimizer, state);
        var other = Optimizer(restored);
        Checkpoint.Restore(tiny.PathOf("c"), restored, other);
        Assert.That((other.Steps, other.StepsOf(restored.Weight), other.StepsOf(restored.Bias!)), Is.EqualTo((5, 5, 2)));
        Checkpoint.Save(tiny.PathOf("d"), restored, other, state);
        Assert.That(File.ReadAllBytes(tiny.PathOf("d")), Is.EqualTo(File.ReadAllBytes(tiny.PathOf("c"))));
    }
}
