using QuadEngine.Data;
using QuadEngine.Experiments;
using QuadEngine.Models;

namespace QuadEngine.Tests.Experiments;

sealed class ExperimentTests
{
    string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("experiment").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [TestCaseSource(typeof(Experiment), nameof(Experiment.Names))]
    public void Runs_at_smoke_size_and_leaves_rows_a_figure_and_a_page(string name)
    {
        var experiment = Experiment.Get(name);
        var scale = experiment.Scale(ExperimentSize.Smoke);
        var finished = new ExperimentRun(experiment, scale, folder).Run(ExperimentData.Load(scale));

        Assert.That(finished);
        var rows = ExperimentRows.FromCsv(Path.Combine(folder, "rows.csv"));
        Assert.That(rows.Settings.Select(setting => rows.Of(setting).Select(row => row.Seed).Distinct()), Has.All.EquivalentTo(scale.Seeds), "every setting with every seed");
        Assert.That(rows.All.Where(row => row.Values.ContainsKey("accuracy")).Select(row => row.Values["accuracy"][^1]), Has.All.InRange(0.0, 100.0));
        var page = File.ReadAllText(Path.Combine(folder, "README.md"));
        Assert.That(page, Does.Contain(experiment.Question).And.Contain("smoke test").And.Contain("figure.svg").And.Contain("## Protocol"));
        Assert.That(File.ReadAllText(Path.Combine(folder, "figure.svg")), Does.StartWith("<svg"));
    }

    [Test]
    public void Goes_on_behind_the_cells_that_are_done_and_gives_the_same_rows()
    {
        var experiment = new Counting();
        var scale = ExperimentScale.Of(ExperimentSize.Smoke);
        var data = ExperimentData.Load(scale);
        using var stop = new CancellationTokenSource();
        experiment.Ran += count =>
        {
            if (count == 2) stop.Cancel();
        };
        Assert.That(new ExperimentRun(experiment, scale, folder).Run(data, cancellation: stop.Token), Is.False);
        Assert.That(File.ReadAllText(Path.Combine(folder, "README.md")), Does.Contain("Unfinished: 2 of 4"));

        var left = new List<ExperimentProgress>();
        Assert.That(new ExperimentRun(experiment, scale, folder).Run(data, left.Add));
        Assert.That(experiment.Count, Is.EqualTo(4), "no cell ran twice");
        Assert.That(left.Select(progress => progress.Done), Is.EqualTo(new[] { 2, 3, 4 }));
        Assert.That(left[^1].Left, Is.EqualTo(TimeSpan.Zero));
        Assert.That(ExperimentRows.FromCsv(Path.Combine(folder, "rows.csv")).All.Select(row => (row.Setting, row.Seed)),
            Is.EqualTo(new[] { ("a, quoted", 1ul), ("b", 1ul), ("a, quoted", 2ul), ("b", 2ul) }));
    }

    [Test]
    public void Rows_of_another_protocol_are_not_joined()
    {
        var scale = ExperimentScale.Of(ExperimentSize.Smoke);
        var data = ExperimentData.Load(scale);
        new ExperimentRun(new Counting(), scale, folder).Run(data);
        var other = scale with { Training = scale.Training with { Epochs = 7 } };
        Assert.That(() => new ExperimentRun(new Counting(), other, folder).Run(data), Throws.InstanceOf<IOException>().With.Message.Contains("another protocol"));
    }

    [Test]
    public void More_seeds_join_those_that_are_done_and_fewer_leave_the_others_off_the_page()
    {
        var scale = ExperimentScale.Of(ExperimentSize.Smoke);
        var data = ExperimentData.Load(scale);
        var experiment = new Counting();
        new ExperimentRun(experiment, scale, folder).Run(data);
        Assert.That(new ExperimentRun(experiment, scale with { Seeds = [1, 2, 3] }, folder).Run(data));
        Assert.That(experiment.Count, Is.EqualTo(6), "two cells for the new seed");
        Assert.That(File.ReadAllText(Path.Combine(folder, "README.md")), Does.Contain("| b | 3 |").And.Contain("--seeds 3"));

        Assert.That(new ExperimentRun(experiment, scale with { Seeds = [1] }, folder).Run(data));
        Assert.That(experiment.Count, Is.EqualTo(6));
        Assert.That(File.ReadAllText(Path.Combine(folder, "README.md")), Does.Contain("| b | 1 |").And.Contain("--seeds 1"));
    }

    [Test]
    public void Rows_read_back_as_they_were_written()
    {
        var rows = new ExperimentRows();
        rows.Add([new("c", "one, two", 3, new Measurements { { "x", 0.1 }, { "list", [1, double.NaN, 1e-30] } }), new("c", "other", 4, new Measurements { { "y", -2 } })]);
        var path = Path.Combine(folder, "rows.csv");
        File.WriteAllText(path, rows.ToCsv());
        var read = ExperimentRows.FromCsv(path);
        Assert.That(read.ToCsv(), Is.EqualTo(rows.ToCsv()));
        Assert.That(read.All[0].Values["list"], Is.EqualTo(new[] { 1, double.NaN, 1e-30 }));
        Assert.That(read.All[1].Values.ContainsKey("x"), Is.False);
    }

    [Test]
    public void Spread_is_mean_and_sample_deviation_and_counts_what_diverged()
    {
        var spread = Spread.Of([90, 92, double.NaN, 94]);
        Assert.That((spread.Mean, spread.Deviation, spread.Count, spread.Missing), Is.EqualTo((92.0, 2.0, 3, 1)));
        Assert.That(spread.ToString(2), Is.EqualTo("92.00 ± 2.00 (1 diverged)"));
        Assert.That(Spread.Of([80, 81]).DiffersFrom(Spread.Of([90, 91])));
        Assert.That(Spread.Of([80, 84]).DiffersFrom(Spread.Of([82, 86])), Is.False);
        Assert.That(Spread.Of([80]).DiffersFrom(Spread.Of([90])), Is.False, "one seed shows no spread");
    }

    [Test]
    public void An_unknown_name_is_answered_by_the_known_ones() =>
        Assert.That(() => Experiment.Get("rank"), Throws.ArgumentException.With.Message.Contains("rank-sweep"));

    /// <summary>Counts its cells.</summary>
    sealed class Counting : Experiment
    {
        public event Action<int>? Ran;

        public int Count { get; private set; }

        public override string Name => "counting";

        public override string Question => "Do cells run once?";

        public override string Method => "They are counted.";

        public override IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data) => Repeat(scale, ((string[])["a, quoted", "b"]).Select(setting => (setting, Run(setting))));

        public override void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale) => page.Table(rows, rows.Settings, ("value", "value", 1, 1));

        Func<ulong, CancellationToken, Measurements> Run(string setting) => (seed, _) =>
        {
            Count++;
            Ran?.Invoke(Count);
            return new Measurements { { "value", setting.Length * (double)seed } };
        };
    }
}
