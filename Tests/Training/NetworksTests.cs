using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Training;

public sealed class NetworksTests
{
    static IEnumerable<TestCaseData> ReferenceCounts()
    {
        // (depth, [(rank or 0 for linear, parameters, millions of multiply-adds)])
        (int Depth, (int Rank, long Parameters, double Millions)[] Rows)[] table =
        [
            (20, [(0, 269_722, 40.551), (3, 270_226, 40.809), (7, 270_310, 40.852), (15, 270_352, 40.874)]),
            (32, [(0, 464_154, 68.863), (3, 464_994, 69.293), (7, 465_134, 69.364), (15, 465_204, 69.400)]),
            (56, [(0, 853_018, 125.486), (3, 854_530, 126.260), (7, 854_782, 126.389), (15, 854_908, 126.453)]),
            (110, [(0, 1_727_962, 252.888), (3, 1_730_986, 254.436), (7, 1_731_490, 254.694), (15, 1_731_742, 254.823)]),
        ];
        return table.SelectMany(entry => entry.Rows.Select(row => new TestCaseData(entry.Depth, row.Rank, row.Parameters, row.Millions)));
    }

    [TestCaseSource(nameof(ReferenceCounts))]
    public void Cifar_counts_are_those_of_the_reference_table(int depth, int rank, long parameters, double millions)
    {
        var configuration = new NetworkConfiguration { Model = $"resnet{depth}", Neuron = rank == 0 ? "linear" : new Selection("quadratic", ("rank", rank)) };
        var cost = CostModel.Of(configuration.Build(), configuration.InputShape());

        Assert.That(cost.Parameters, Is.EqualTo(parameters));
        Assert.That(Math.Round(cost.MultiplyAdds / 1e6, 3), Is.EqualTo(millions));
    }

    // The counts that torchvision publishes for its models.
    [TestCase("resnet18", 11_689_512)]
    [TestCase("resnet34", 21_797_672)]
    [TestCase("resnet50", 25_557_032)]
    public void ImageNet_forms_have_the_parameters_of_torchvision(string model, long parameters) =>
        Assert.That(new NetworkConfiguration { Model = model, Classes = 1000 }.Build().ParameterCount, Is.EqualTo(parameters));

    [Test]
    public void Every_name_builds_a_network_of_its_depth()
    {
        Assert.That(Networks.Names, Does.Contain("resnet8").And.Contain("resnet110").And.Contain("resnet50"));
        foreach (var name in Networks.Names.Where(name => name is "resnet8" or "resnet26" or "resnet18"))
            Assert.That(new NetworkConfiguration { Model = name }.Build().ToString(), Does.Contain($"ResNet({name[6..]}"));
    }

    [Test]
    public void Unknown_names_are_answered_by_the_known_ones()
    {
        Assert.That(() => new NetworkConfiguration { Model = "resnet21" }.Build(), Throws.ArgumentException.With.Message.Contains("resnet21").And.Message.Contains("resnet20"));
        Assert.That(() => new NetworkConfiguration { Neuron = "cubic" }.Build(), Throws.ArgumentException.With.Message.Contains("cubic").And.Message.Contains("quadratic"));
    }

    sealed class OwnLayers() : NetworkEntry("own-layers", "one layer of its own")
    {
        static readonly EntryOption<bool> bias = EntryOption.Flag("biased", "Learn an offset");

        public override IReadOnlyList<EntryOption> Options => [bias];

        public override InputForm Input => InputForm.Large;

        public override bool TakesNeurons => false;

        public override Module Make(NetworkConfiguration network, Neuron neuron) => new Sequential(new Flatten(), new Linear(network.InputShape().Elements, network.Classes, network.Model.Get(bias)));
    }

    [Test]
    public void A_network_of_a_program_is_built_described_and_judges_as_it_says()
    {
        Networks.Registry.Register(new OwnLayers());
        var configuration = new NetworkConfiguration { Model = new("Own-Layers", ("biased", true)), Height = 4, Width = 4, Classes = 2 };
        Assert.That(configuration.Build().ParameterCount, Is.EqualTo(4 * 4 * 3 * 2 + 2));
        Assert.That(configuration.Complete().Model, Is.EqualTo(new Selection("own-layers", ("biased", true)) { Assembly = "QuadEngine.Tests" }));
        Assert.That(new Classifier(configuration, configuration.Build(), ["a", "b"], QuadEngine.Data.Normalization.ImageNet).Images.Share, Is.EqualTo(0.875f));
        Assert.That(() => (configuration with { Neuron = "quadratic" }).Build(), Throws.ArgumentException.With.Message.Contains("takes no neuron, got \"quadratic\""));
        Assert.That(() => (configuration with { Model = new("own-layers", ("rank", 1)) }).Build(), Throws.ArgumentException.With.Message.Contains("no option \"rank\" (it has biased)"));
    }

    [Test]
    public void Title_names_the_neuron_where_it_is_not_linear()
    {
        Assert.That(new NetworkConfiguration { Model = "resnet20" }.Title, Is.EqualTo("resnet20"));
        Assert.That(new NetworkConfiguration { Model = "resnet32", Neuron = new("quadratic", ("rank", 7)) }.Title, Is.EqualTo("resnet32-quadratic7"));
    }
}
