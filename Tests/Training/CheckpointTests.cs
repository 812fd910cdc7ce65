using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Training;

public sealed class CheckpointTests : TinyTrainingTests
{
    [Test]
    public void Weights_come_back_with_the_same_bits_in_PyTorch_layout()
    {
        var network = new Sequential(new Conv2d(3, 5, 3), new QuadraticConv2d(5, 8, 3, rank: 3), new BatchNorm(8), new Flatten(), new Linear(8, 4));
        Checkpoint.SaveWeights(Tiny.PathOf("w"), network);

        Generator.Default = new Generator(5);
        var other = new Sequential(new Conv2d(3, 5, 3), new QuadraticConv2d(5, 8, 3, rank: 3), new BatchNorm(8), new Flatten(), new Linear(8, 4));
        Checkpoint.LoadWeights(Tiny.PathOf("w"), other);

        foreach (var (key, tensor) in network.StateDictionary())
            Assert.That(other.StateDictionary()[key].Values, Is.EqualTo(tensor.Values), key);
        var file = WeightFile.Read(Tiny.PathOf("w"));
        Assert.That(file["0.weight"].Shape, Is.EqualTo([5, 3, 3, 3]));
        Assert.That(file["0.weight"].Values[9], Is.EqualTo(((Conv2d)network.Children[0].Module).Weight.ToArray()[1 * 5]), "out 0, in 1, y 0, x 0");
        Assert.That(file["4.weight"].Shape, Is.EqualTo([4, 8]));
        Assert.That(file.Keys, Does.Contain("1.lambda").And.Contain("2.running_var"));
    }

    [TestCase("sgd")]
    [TestCase("adamw")]
    public void Optimizer_comes_back_with_the_same_bits(string optimizer)
    {
        var options = TinyTraining.Options with { Optimizer = optimizer, LearningRate = 0.01f };
        var trained = Tiny.Start("run", options);
        trained.Run();

        var restored = Tiny.Start("run", options);

        Assert.That(restored.Optimizer.Steps, Is.EqualTo(trained.Optimizer.Steps));
        foreach (var (a, b) in trained.Network.Parameters().Zip(restored.Network.Parameters()))
        {
            Assert.That(restored.Optimizer.StateOf(b), Has.Count.EqualTo(optimizer == "sgd" ? 1 : 2));
            foreach (var (slotA, slotB) in trained.Optimizer.StateOf(a).Zip(restored.Optimizer.StateOf(b)))
                Assert.That(slotB.ToArray(), Is.EqualTo(slotA.ToArray()));
        }
    }

    [Test]
    public void Damage_anywhere_in_the_file_is_refused_and_changes_nothing()
    {
        Tiny.Start("run").Run();
        var path = Tiny.PathOf("run/last.safetensors");
        var bytes = File.ReadAllBytes(path);
        var headerEnd = 8 + (int)BitConverter.ToUInt64(bytes);

        // A wrong bit in the values, in the header's length and in its JSON; and files that end too early.
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
        Tiny.Start("run").Run();

        var wider = Assert.Throws<InvalidFileException>(() => Tiny.Start("run", network: () => new Sequential(new Flatten(), new Linear(64, 3))))!;
        Assert.That(wider.Message, Does.Contain(Tiny.PathOf("run/last.safetensors")));
        var adam = Assert.Throws<InvalidFileException>(() => Tiny.Start("run", TinyTraining.Options with { Optimizer = "adamw" }))!;
        Assert.That(adam.Message, Does.Contain("AdamW"));
    }

    [Test]
    public void Weights_without_state_do_not_resume()
    {
        Tiny.Start("run").Run();
        File.Copy(Tiny.PathOf("run/best.safetensors"), Tiny.PathOf("run/last.safetensors"), overwrite: true);
        Assert.That(() => Tiny.Start("run"), Throws.TypeOf<InvalidFileException>().With.Message.Contains("no training state"));
    }

    [Test]
    public void State_of_a_negative_step_is_refused_before_anything_changes()
    {
        var trainer = Tiny.Start();
        Checkpoint.Save(Tiny.PathOf("c"), trainer.Network, trainer.Optimizer, new TrainingState { Step = -1 });
        foreach (var parameter in trainer.Network.Parameters()) parameter.Assign(Tensor.Zeros(parameter.Shape));

        Assert.That(() => Checkpoint.Restore(Tiny.PathOf("c"), trainer.Network, trainer.Optimizer), Throws.TypeOf<InvalidFileException>().With.Message.Contains("step is -1"));
        Assert.That(trainer.Network.Parameters().SelectMany(parameter => parameter.ToArray()), Is.All.Zero);
    }

    [Test]
    public void File_says_which_network_it_is_of()
    {
        var configuration = new NetworkConfiguration { Model = "resnet8", Neuron = new("quadratic", ("rank", 2), ("basis", "penalized")), Channels = 1 };
        Checkpoint.SaveWeights(Tiny.PathOf("w"), configuration.Build(), configuration);

        Assert.That(Checkpoint.ReadNetwork(Tiny.PathOf("w")), Is.EqualTo(configuration.Complete()));
    }

    void Refuses(string path, string damage)
    {
        var trainer = Tiny.Start();
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
        Checkpoint.Save(Tiny.PathOf("c"), network, optimizer, state);
        var other = Optimizer(restored);
        Checkpoint.Restore(Tiny.PathOf("c"), restored, other);
        Assert.That((other.Steps, other.StepsOf(restored.Weight), other.StepsOf(restored.Bias!)), Is.EqualTo((5, 5, 2)));
        Checkpoint.Save(Tiny.PathOf("d"), restored, other, state);
        Assert.That(File.ReadAllBytes(Tiny.PathOf("d")), Is.EqualTo(File.ReadAllBytes(Tiny.PathOf("c"))));
    }

    [TestCase(float.NaN, "NaN")]
    [TestCase(float.PositiveInfinity, "Infinity")]
    public void Weights_that_are_not_finite_are_refused_by_name_and_change_nothing(float value, string text)
    {
        foreach (var name in new[] { "1.weight", "2.running_var" })
        {
            var network = new Sequential(new Flatten(), new Linear(64, 3), new BatchNorm(3));
            var state = network.StateDictionary().ToDictionary();
            state[name].Values[1] = value;
            SafeTensors.Write(Tiny.PathOf("w"), state);
            var other = new Sequential(new Flatten(), new Linear(64, 3), new BatchNorm(3));
            var before = other.StateDictionary();
            var error = Assert.Throws<InvalidFileException>(() => Checkpoint.LoadWeights(Tiny.PathOf("w"), other))!;
            Assert.That(error.Message, Does.Contain(Tiny.PathOf("w")).And.Contain($"\"{name}\"").And.Contain($"element 1 is {text}"));
            foreach (var (key, tensor) in other.StateDictionary()) Assert.That(tensor.Values, Is.EqualTo(before[key].Values));
        }
    }

    [Test]
    public void Run_with_weights_that_are_not_finite_does_not_go_on()
    {
        Tiny.Start("run").Run();
        var trainer = Tiny.Start("run");
        var bias = trainer.Network.Parameters().Last();
        bias.Assign(new float[bias.Length].Select(_ => float.NaN).ToArray().AsSpan());
        Checkpoint.Save(Tiny.PathOf("run/last.safetensors"), trainer.Network, trainer.Optimizer, trainer.State);
        Assert.That(() => Tiny.Start("run"), Throws.TypeOf<InvalidFileException>().With.Message.Contains("\"6.bias\"").And.Message.Contains("NaN"));
    }

    [Test]
    public void A_mask_may_hold_infinities()
    {
        SafeTensors.Write(Tiny.PathOf("w"), new Dictionary<string, HostTensor> { ["mask"] = new([0f, float.NegativeInfinity], 2) });
        var masked = new Masked();
        Checkpoint.LoadWeights(Tiny.PathOf("w"), masked);
        Assert.That(masked.Mask.ToArray(), Is.EqualTo([0f, float.NegativeInfinity]));
    }

    sealed class Masked : Module
    {
        public Masked() => Mask = Register("mask", new BufferTensor(Tensor.Zeros([2])));

        public BufferTensor Mask { get; }

        protected override Tensor Compute(Tensor x) => x + Mask;
    }

    [TestCase("module.")]
    [TestCase("_orig_mod.")]
    [TestCase("model.")]
    [TestCase("module._orig_mod.")]
    [TestCase("my.own.")]
    public void A_prefix_that_all_names_share_is_dropped_in_every_format_and_said(string prefix)
    {
        var network = new Sequential(new Flatten(), new Linear(64, 3), new BatchNorm(3));
        var state = network.StateDictionary();
        SafeTensors.Write(Tiny.PathOf("w.safetensors"), state.Select(entry => KeyValuePair.Create(prefix + entry.Key, entry.Value)));
        var storages = state.Select((entry, i) => (Key: $"{i}", Data: QuadEngine.Tests.Formats.TorchBytes.Bytes(entry.Value.Values))).ToArray();
        var tensors = state.Select((entry, i) => (prefix + entry.Key, (object?)QuadEngine.Tests.Formats.TorchBytes.Tensor(
            QuadEngine.Tests.Formats.TorchBytes.Storage($"{i}", "FloatStorage", entry.Value.Values.Length), 0, entry.Value.Shape, Strides(entry.Value.Shape)))).ToArray();
        File.WriteAllBytes(Tiny.PathOf("w.pth"), QuadEngine.Tests.Formats.TorchBytes.Zip(QuadEngine.Tests.Formats.TorchBytes.StateDict(tensors), storages));

        foreach (var file in new[] { "w.safetensors", "w.pth" })
        {
            Generator.Default = new Generator(5);
            var other = new Sequential(new Flatten(), new Linear(64, 3), new BatchNorm(3));
            var leftOut = Checkpoint.LoadWeights(Tiny.PathOf(file), other);
            Assert.That(string.Concat(leftOut.Select(text => text.Split('"')[1])), Is.EqualTo(prefix), file);
            foreach (var (key, tensor) in state) Assert.That(other.StateDictionary()[key].Values, Is.EqualTo(tensor.Values), key);
        }

        static int[] Strides(int[] shape) => new Shape(shape).Strides();
    }

    [Test]
    public void A_prefix_of_the_networks_own_stays_and_other_weights_are_still_refused()
    {
        Module Network() => new Sequential(new Sequential(new Linear(2, 2)));
        SafeTensors.Write(Tiny.PathOf("w"), Network().StateDictionary());
        Assert.That(Checkpoint.LoadWeights(Tiny.PathOf("w"), Network()), Is.Empty);
        SafeTensors.Write(Tiny.PathOf("w"), new Dictionary<string, HostTensor> { ["a.b.c"] = new([1f], 1) });
        Assert.That(() => Checkpoint.LoadWeights(Tiny.PathOf("w"), Network()), Throws.TypeOf<InvalidFileException>().With.Message.Contains("0.0.weight"));
    }
}
