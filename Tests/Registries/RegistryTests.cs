using QuadEngine.Data;
using QuadEngine.Models;

namespace QuadEngine.Tests.Registries;

public sealed class RegistryTests
{
    sealed class Thing(string name, params EntryOption[] options) : Entry(name, $"help of {name}")
    {
        public override IReadOnlyList<EntryOption> Options => options;
    }

    enum Sort
    {
        Small,
        VeryLarge,
    }

    static readonly EntryOption<int> rank = EntryOption.Number("rank", "k", 3, 1, 1024);
    static readonly EntryOption<float?> decay = EntryOption.OptionalNumber("decay", "Decay", "as all weights", 0f, 1f);
    static readonly EntryOption<bool> detached = EntryOption.Flag("detached", "Detached");
    static readonly EntryOption<Sort> sort = EntryOption.Word("sort", "Sort", Sort.VeryLarge);
    static readonly EntryOption<string> text = EntryOption.AnyText("text", "Text", "as it is");

    static Registry<Thing> Things(params string[] names) => new("thing", names.Select(name => new Thing(name)));

    [Test]
    public void Entries_stand_in_the_order_of_registration_and_are_found_in_any_case()
    {
        var things = Things("b");
        things.Register(new("a"));
        things.Register(new("C.1-x_y"));
        Assert.That(things.Names, Is.EqualTo(new[] { "b", "a", "C.1-x_y" }));
        Assert.That(things.Get("c.1-X_Y").Name, Is.EqualTo("C.1-x_y"));
        Assert.That(things.Find("d"), Is.Null);
    }

    [TestCase("")]
    [TestCase("a b")]
    [TestCase("../a")]
    [TestCase("-a")]
    [TestCase("ä")]
    public void A_name_that_is_none_is_refused(string name) =>
        Assert.That(() => Things().Register(new(name)), Throws.ArgumentException.With.Message.Contains($"\"{name}\" is no name of a thing"));

    [Test]
    public void A_name_that_is_taken_is_refused_with_who_has_it()
    {
        var things = Things("a");
        Assert.That(() => things.Register(new("A")), Throws.ArgumentException.With.Message.Contains("the thing \"A\" of QuadEngine.Tests cannot be registered, since QuadEngine.Tests has registered one of that name"));
        Assert.That(things.Names, Is.EqualTo(new[] { "a" }));
    }

    [TestCase("Rank")]
    [TestCase("")]
    [TestCase("a b")]
    [TestCase("name")]
    [TestCase("assembly")]
    public void An_option_of_an_impossible_name_is_refused(string name) =>
        Assert.That(() => Things().Register(new("a", EntryOption.Flag(name, ""))), Throws.ArgumentException.With.Message.Contains($"\"{name}\"").And.Message.Contains("\"a\""));

    [Test]
    public void Two_options_of_one_name_are_refused() =>
        Assert.That(() => Things().Register(new("a", rank, EntryOption.Flag("rank", ""))), Throws.ArgumentException.With.Message.Contains("has two options \"rank\""));

    public static IEnumerable<TestCaseData> Kinds() => QuadEngine.Cli.EntryFlags.Registries.Select(registry => new TestCaseData(registry).SetArgDisplayNames(registry.Kind));

    [TestCaseSource(nameof(Kinds))]
    public void An_unknown_name_of_each_kind_is_answered_by_all_that_there_are(Registry registry) =>
        Assert.That(() => registry.Require("nothing"), Throws.ArgumentException.With.Message.EqualTo($"no {registry.Kind} \"nothing\" (known: {string.Join(", ", registry.Names)})"));

    [TestCaseSource(nameof(Kinds))]
    public void Entries_have_a_line_of_help_and_options_that_accept_their_defaults(Registry registry)
    {
        foreach (var entry in registry.Entries)
        {
            Assert.That(entry.Help, Is.Not.Empty.And.Not.EndsWith("."), entry.Name);
            foreach (var option in entry.Options)
            {
                Assert.That(option.Help, Is.Not.Empty.And.Not.EndsWith("."), $"{entry.Name}, {option.Name}");
                Assert.That(option.Otherwise, Is.Not.Empty, $"{entry.Name}, {option.Name}");
                if (option.DefaultText is { } value) Assert.That(option.Refusal(value), Is.Null, $"{entry.Name}, {option.Name}");
            }
        }
    }

    [Test]
    public void Options_are_read_as_their_types_and_completed_by_their_defaults()
    {
        var things = new Registry<Thing>("thing", new Thing("a", rank, decay, detached, sort, text));
        var given = new Selection("A", ("rank", 7), ("decay", 0.25f), ("detached", true), ("sort", "SMALL"), ("text", "x y"));
        Assert.That((given.Get(rank), given.Get(decay), given.Get(detached), given.Get(sort), given.Get(text)), Is.EqualTo((7, (float?)0.25f, true, Sort.Small, "x y")));
        Assert.That(things.Complete(given), Is.EqualTo(new Selection("a", ("rank", 7), ("decay", 0.25f), ("detached", true), ("sort", "SMALL"), ("text", "x y"))));

        var complete = things.Complete("a");
        Assert.That(complete, Is.EqualTo(new Selection("a", ("rank", 3), ("detached", false), ("sort", "verylarge"), ("text", "as it is"))), "an unset option stays unset");
        Assert.That((complete.Get(rank), complete.Get(decay), complete.Get(detached), complete.Get(sort)), Is.EqualTo((3, (float?)null, false, Sort.VeryLarge)));
        Assert.That(complete.ToString(), Is.EqualTo("a (detached false, rank 3, sort verylarge, text as it is)"));
    }

    [TestCase("rank", "0", "a whole number from 1 to 1024")]
    [TestCase("rank", "1.5", "a whole number from 1 to 1024")]
    [TestCase("rank", "1,024", "1024, written without a comma")]
    [TestCase("rank", "", "a whole number from 1 to 1024")]
    [TestCase("decay", "NaN", "a number from 0 to 1")]
    [TestCase("detached", "yes", "true or false")]
    [TestCase("sort", "large", "small, verylarge")]
    [TestCase("depth", "3", "it has rank, decay, detached, sort, text")]
    public void An_option_that_is_not_possible_is_refused_by_what_is(string option, string value, string possible)
    {
        var things = new Registry<Thing>("thing", new Thing("a", rank, decay, detached, sort, text));
        Assert.That(() => things.Complete(new Selection("a", (option, value))), Throws.ArgumentException.With.Message.Contains($"\"{option}\"").And.Message.Contains("thing \"a\"").And.Message.Contains(possible));
    }

    [Test]
    public void What_an_assembly_outside_registers_is_asked_for_by_its_assembly()
    {
        var things = Things();
        things.Register(new("mine", rank));
        var complete = things.Complete("mine");
        Assert.That(complete.Assembly, Is.EqualTo("QuadEngine.Tests"));

        Assert.That(() => Things().Get(complete), Throws.ArgumentException.With.Message.Contains("no thing \"mine\"").And.Message.Contains("from the assembly QuadEngine.Tests: give the tool --plugin QuadEngine.Tests.dll"));
        var other = new Selection("mine") { Assembly = "Others" };
        Assert.That(() => things.Get(other), Throws.ArgumentException.With.Message.Contains("comes from the assembly QuadEngine.Tests").And.Message.Contains("--plugin Others.dll"));
        Assert.That(Things("own").Complete("own").Assembly, Is.Null, "the engine's entries need no assembly");
    }

    [Test]
    public void Threads_register_and_read_at_once_and_a_name_has_one_of_them()
    {
        const int threads = 8, each = 40;
        var things = Things();
        var refused = 0;
        using var together = new Barrier(threads);
        var workers = Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            together.SignalAndWait();
            for (var i = 0; i < each; i++)
            {
                things.Register(new($"thing-{thread}-{i}"));
                try
                {
                    things.Register(new($"shared-{i}"));
                }
                catch (ArgumentException)
                {
                    Interlocked.Increment(ref refused);
                }

                if (things.Get($"shared-{i}").Name.Length == 0 || things.Names.Count < i) throw new InvalidOperationException();
            }
        })).ToArray();
        foreach (var worker in workers) worker.Start();
        foreach (var worker in workers) worker.Join();

        Assert.That(things.Names, Is.Unique.And.Count.EqualTo(threads * each + each));
        Assert.That(refused, Is.EqualTo((threads - 1) * each));
        for (var thread = 0; thread < threads; thread++)
            Assert.That(things.Names.Where(name => name.StartsWith($"thing-{thread}-")), Is.EqualTo(Enumerable.Range(0, each).Select(i => $"thing-{thread}-{i}")), "the entries of each thread are in its order");
    }

    [TestCase("cifar10", "crop-flip")]
    [TestCase("fashion-mnist", "flip")]
    [TestCase("fashion-mnist-sample", "flip")]
    [TestCase("mnist", "none")]
    public void Augmentation_is_that_of_the_data_set(string data, string augmentation)
    {
        var run = RunConfiguration.ForDataset(data);
        Assert.That((run.Data.Name, run.Training.Augmentation.Name), Is.EqualTo((data, augmentation)));
    }

    sealed class Unnamed() : DatasetInfo("unnamed", "images of somebody", [4, 4, 1], ["a", "b"])
    {
        public override DatasetSplits Load(string folder, Selection options) => throw new NotSupportedException();
    }

    [Test]
    public void A_data_set_that_says_nothing_of_it_is_not_changed_at_random() => Assert.That(new Unnamed().Augmentation.Name, Is.EqualTo("none"));
}
