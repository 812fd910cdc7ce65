using QuadEngine.Data;

namespace QuadEngine.Tests.Images;

public class FolderSplitsTests
{
    static readonly Shape Seen = [8, 8, 3];

    ImageFiles files = null!;

    [SetUp]
    public void Make() => files = new ImageFiles();

    [TearDown]
    public void Delete() => files.Dispose();

    [Test]
    public void A_share_of_each_class_is_held_out_by_seed_and_name_alone()
    {
        WriteClass("cat", 20);
        WriteClass("dog", 7);
        var splits = FolderSplits.Open(files.Folder, testShare: 0.25f, seed: 3);
        Assert.That(splits.Test.Labels, Is.EqualTo(Enumerable.Repeat(0, 5).Concat([1, 1])));
        Assert.That(splits.Train.Files.Concat(splits.Test.Files).Order(), Is.EqualTo(ImageFolder.Open(files.Folder).Files.Order()));
        Assert.That(FolderSplits.Open(files.Folder, 0.25f, seed: 3).Test.Files, Is.EqualTo(splits.Test.Files));
        Assert.That(FolderSplits.Open(files.Folder, 0.25f, seed: 4).Test.Files, Is.Not.EqualTo(splits.Test.Files));

        using var elsewhere = new ImageFiles();
        foreach (var file in ImageFolder.Open(files.Folder).Files) elsewhere.Write(Path.GetRelativePath(files.Folder, file), ImageFiles.Waves(8, 8));
        Assert.That(Names(FolderSplits.Open(elsewhere.Folder, 0.25f, seed: 3).Test), Is.EqualTo(Names(splits.Test)), "the place of the folder does not matter");

        files.Write("cat/new.png", ImageFiles.Waves(8, 8));
        var moved = Names(FolderSplits.Open(files.Folder, 0.25f, seed: 3).Test).Except(Names(splits.Test));
        Assert.That(moved.Count(), Is.LessThanOrEqualTo(1), "one more picture moves no more than itself");
    }

    [Test]
    public void A_class_of_few_pictures_keeps_some_on_both_sides([Values(0.01f, 0.5f, 0.99f)] float share)
    {
        WriteClass("cat", 2);
        WriteClass("dog", 3);
        WriteClass("eel", 1);
        var splits = FolderSplits.Open(files.Folder, share);
        Assert.That(splits.Train.Labels.Distinct(), Is.EqualTo([0, 1, 2]));
        Assert.That(splits.Test.Labels.Distinct(), Is.EqualTo([0, 1]));
    }

    [Test]
    public void Parts_of_a_folder_are_used_where_it_has_them()
    {
        WriteClass("train/cat", 4);
        WriteClass("train/dog", 4);
        Assert.That(FolderSplits.Open(files.Folder).TestFolder, Is.Null);
        Assert.That(FolderSplits.TestPart(files.Folder), Is.Null);

        WriteClass("test/dog", 3);
        Assert.That(FolderSplits.Open(files.Folder).TestFolder, Is.EqualTo("test"));
        Assert.That(FolderSplits.Open(files.Folder).Test.Labels, Is.EqualTo([1, 1, 1]), "a class is its name, not its place");

        WriteClass("valid/cat", 2);
        Assert.That(FolderSplits.Open(files.Folder).TestFolder, Is.EqualTo("valid"), "in training one looks at val");
        Assert.That(FolderSplits.TestPart(files.Folder), Is.EqualTo(Path.Combine(files.Folder, "test")), "and in the end at test");
    }

    [TestCase("Training", "Testing")]
    [TestCase("Train", "Val")]
    [TestCase("TRN", "Dev")]
    [TestCase("train", "validation")]
    public void Parts_are_known_by_their_usual_names_in_any_case(string train, string test)
    {
        foreach (var name in new[] { "cat", "dog" })
        {
            WriteClass($"{train}/{name}", 4);
            WriteClass($"{test}/{name}", 2);
        }

        var splits = FolderSplits.Open(files.Folder);
        Assert.That((splits.Train.Count, splits.Test.Count, splits.TestFolder), Is.EqualTo((8, 4, test)));
        Assert.That(splits.Train.ClassNames, Is.EqualTo(["cat", "dog"]));
        Assert.That((FolderSplits.TrainPart(files.Folder), FolderSplits.TestPart(files.Folder)), Is.EqualTo((Path.Combine(files.Folder, train), Path.Combine(files.Folder, test))));
    }

    [Test]
    public void Parts_that_cannot_be_meant_are_refused()
    {
        WriteClass("val/cat", 3);
        WriteClass("val/dog", 3);
        WriteClass("test/cat", 3);
        Refused("has val and test but no training part");
        Assert.That(FolderSplits.TestPart(files.Folder), Is.EqualTo(Path.Combine(files.Folder, "test")), "judging needs no more");

        WriteClass("train/cat", 3);
        WriteClass("train/dog", 3);
        Directory.CreateDirectory(Path.Combine(files.Folder, "labels"));
        File.WriteAllText(Path.Combine(files.Folder, "labels", "1.txt"), "a folder without pictures is no class");
        Assert.That(FolderSplits.Open(files.Folder).Train.ClassNames, Is.EqualTo(["cat", "dog"]));

        WriteClass("Training/cat", 3);
        Refused("Training and train", "same part");
        Directory.Delete(Path.Combine(files.Folder, "Training"), recursive: true);
        WriteClass("bird", 3);
        Refused("(bird) beside test", "the other folders would be left out");

        void Refused(params string[] says)
        {
            var error = Assert.Throws<ArgumentException>(() => FolderSplits.Open(files.Folder))!;
            foreach (var text in says) Assert.That(error.Message, Does.Contain(text));
        }
    }

    [Test]
    public void A_class_called_train_that_holds_only_hidden_folders_is_a_class()
    {
        WriteClass("car", 4);
        WriteClass("train", 4);
        WriteClass("train/.ipynb_checkpoints", 1);
        WriteClass("train/@eaDir/0.png", 1);
        var splits = FolderSplits.Open(files.Folder);
        Assert.That(splits.Train.ClassNames, Is.EqualTo(["car", "train"]));
        Assert.That(splits.Train.Count + splits.Test.Count, Is.EqualTo(8));
    }

    [TestCase("dark/self", ".")]
    [TestCase("dark/up", "..")]
    [TestCase("dark/above", "../..")]
    [TestCase("dark/other", "../light")]
    [TestCase("dark/one.png", "../light/1.png")]
    [TestCase("again", ".")]
    [TestCase("dark/round", "round")]
    public void Links_bring_no_picture_twice_and_none_into_another_class(string link, string target)
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("links need rights on Windows");
        WriteClass("dark", 4);
        WriteClass("light", 5);
        var before = ImageFolder.Open(files.Folder);
        File.CreateSymbolicLink(Path.Combine(files.Folder, link), target);
        var folder = ImageFolder.Open(files.Folder);
        Assert.That(folder.Files, Is.EqualTo(before.Files));
        Assert.That(folder.Labels, Is.EqualTo(before.Labels));
        Assert.That(folder.ClassNames, Is.EqualTo(before.ClassNames));
    }

    [Test]
    public void Links_to_elsewhere_are_followed_once()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("links need rights on Windows");
        using var store = new ImageFiles();
        for (var i = 0; i < 3; i++) store.Write($"all/{i}.png", ImageFiles.Waves(8, 8, seed: i));
        store.Write("single.png", ImageFiles.Waves(8, 8));
        WriteClass("dark", 2);
        File.CreateSymbolicLink(Path.Combine(files.Folder, "dark", "a.png"), Path.Combine(store.Folder, "single.png"));
        File.CreateSymbolicLink(Path.Combine(files.Folder, "dark", "b.png"), Path.Combine(store.Folder, "single.png"));
        Directory.CreateSymbolicLink(Path.Combine(files.Folder, "light"), Path.Combine(store.Folder, "all"));
        var folder = ImageFolder.Open(files.Folder);
        Assert.That((folder.ClassNames.ToArray(), folder.Labels.ToArray(), folder.LeftOut), Is.EqualTo((new[] { "dark", "light" }, new[] { 0, 0, 0, 1, 1, 1 }, 1)));

        Directory.CreateSymbolicLink(Path.Combine(files.Folder, "same"), Path.Combine(store.Folder, "all"));
        Assert.That(() => ImageFolder.Open(files.Folder), Throws.ArgumentException.With.Message.Contains("light and").And.Message.Contains("same class"));
    }

    [Test]
    public void A_picture_in_both_parts_through_a_link_is_refused()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("links need rights on Windows");
        foreach (var name in new[] { "cat", "dog" })
        {
            WriteClass($"train/{name}", 4);
            WriteClass($"val/{name}", 2);
        }

        File.CreateSymbolicLink(Path.Combine(files.Folder, "val", "cat", "more.png"), Path.Combine(files.Folder, "train", "cat", "1.png"));
        Assert.That(() => FolderSplits.Open(files.Folder), Throws.ArgumentException.With.Message.Contains("1 picture").And.Message.Contains("both").And.Message.Contains("1.png"));
    }

    [Test]
    public void Damage_of_both_parts_is_named_in_one_round()
    {
        foreach (var name in new[] { "cat", "dog" })
        {
            WriteClass($"train/{name}", 4, side: 40);
            WriteClass($"val/{name}", 2, side: 40);
        }

        string[] bad = ["train/cat/0.png", "train/dog/3.png", "val/dog/1.png"];
        File.WriteAllText(Path.Combine(files.Folder, bad[0]), "<html>");                                        // its head
        foreach (var name in bad[1..]) File.WriteAllBytes(Path.Combine(files.Folder, name), File.ReadAllBytes(Path.Combine(files.Folder, name))[..^20]);       // its end
        var splits = FolderSplits.Open(files.Folder);
        foreach (var look in new Action[] { () => splits.Survey(), splits.RequireIntact })
        {
            var error = Assert.Throws<InvalidFileException>(() => look())!;
            foreach (var name in bad) Assert.That(error.Message, Does.Contain(Path.Combine(files.Folder, name)));
        }

        var inspected = splits.Train.Inspect();
        Assert.That(inspected.Damaged.Select(e => e.Path), Is.EquivalentTo(bad[..2].Select(name => Path.Combine(files.Folder, name))));
        Assert.That((inspected.ShortestSide, inspected.Channels), Is.EqualTo((40, 3)));
    }

    [Test]
    public void What_cannot_be_opened_is_named_with_a_mend()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("names and links of Unix");
        WriteClass("cat", 3);
        WriteClass("dog", 3);
        File.CreateSymbolicLink(Path.Combine(files.Folder, "cat", "broken.png"), "nowhere.png");
        System.Diagnostics.Process.Start("sh", ["-c", $"cd '{files.Folder}/cat' && cp 1.png \"$(printf 'caf\\351.png')\" && mkfifo pipe.png"]).WaitForExit();
        var splits = FolderSplits.Open(files.Folder);
        var error = Assert.Throws<InvalidFileException>(splits.RequireIntact)!;
        Assert.That(error.Message, Does.Contain("2 more files cannot be read"));
        Assert.That(splits.Train.Inspect().Damaged.Concat(splits.Test.Inspect().Damaged).Select(e => e.Message), Has.One.Contains("link to nowhere.png").And.One.Contains("not UTF-8").And.One.Contains("it is a pipe or a device"));
        System.Diagnostics.Process.Start("rm", ["-r", Path.Combine(files.Folder, "cat")]).WaitForExit();      // what .NET cannot name it cannot delete
    }

    [Test]
    public void Name_of_every_class_travels_through_its_folder()
    {
        string[] names = ["T-shirt/top", "a\\b", "100%25", "%2F", "50 %", ".hidden", "dot.", "blank ", "what?", "猫", "a, b", "C:", "line\nbreak", "%"];
        foreach (var name in names) WriteClass(ClassFolder.NameOf(name), 1);
        Assert.That(ImageFolder.Open(files.Folder).ClassNames, Is.EquivalentTo(names));
        Assert.That(ImageFolder.Open(files.Folder, names).Labels.Order(), Is.EqualTo(Enumerable.Range(0, names.Length)));
        CsCheck.Check.Sample(CsCheck.Gen.String, name => name.Length == 0 || ClassFolder.ClassOf(ClassFolder.NameOf(name)) == name);
    }

    [Test]
    public void A_class_may_be_called_train()
    {
        WriteClass("car", 4);
        WriteClass("train", 4);
        Assert.That(FolderSplits.Open(files.Folder).Train.ClassNames, Is.EqualTo(["car", "train"]));
    }

    [Test]
    public void Folders_that_cannot_be_learned_from_say_why()
    {
        Refused("no sub-folders", "cat");
        files.Write("loose.png", ImageFiles.Waves(8, 8));
        Refused("no sub-folders", "1.jpg");
        WriteClass("cat", 3);
        Refused("only one class (cat)", "two");
        Directory.CreateDirectory(Path.Combine(files.Folder, "dog"));
        Refused("no pictures", "in dog");
        WriteClass("dog", 1);
        Directory.Delete(Path.Combine(files.Folder, "cat"), recursive: true);
        WriteClass("cat", 1);
        Refused("one picture for each class");

        WriteClass("train/cat", 3);
        WriteClass("train/dog", 3);
        WriteClass("val/Cat", 3);
        WriteClass("val/dog", 3);
        Refused("(cat, dog) beside train", "Move them");
        foreach (var name in new[] { "cat", "dog" }) Directory.Delete(Path.Combine(files.Folder, name), recursive: true);
        Refused("val has Cat", "cat, dog", "upper and lower case");

        void Refused(params string[] says)
        {
            var error = Assert.Throws<ArgumentException>(() => FolderSplits.Open(files.Folder))!;
            foreach (var text in says) Assert.That(error.Message, Does.Contain(text));
        }
    }

    [Test]
    public void What_file_managers_leave_is_no_picture()
    {
        WriteClass("cat", 3);
        WriteClass("dog", 3);
        foreach (var name in new[] { "cat/._0.png", ".checkpoints/0.png", ".DS_Store", "cat/notes.txt" }) files.Write(name + (name.EndsWith(".png") ? "" : ".jpg"), ImageFiles.Waves(8, 8));
        File.Move(Path.Combine(files.Folder, "cat", "notes.txt.jpg"), Path.Combine(files.Folder, "cat", "notes.txt"));
        var folder = ImageFolder.Open(files.Folder);
        Assert.That((folder.Count, folder.ClassNames.Count, folder.LeftOut), Is.EqualTo((6, 2, 1)));
    }

    [Test]
    public void Fingerprint_tells_when_pictures_changed()
    {
        WriteClass("cat", 5);
        WriteClass("dog", 5);
        var before = FolderSplits.Open(files.Folder).Fingerprint;
        Assert.That(FolderSplits.Open(files.Folder).Fingerprint, Is.EqualTo(before));
        File.Move(Path.Combine(files.Folder, "cat", "0.png"), Path.Combine(files.Folder, "cat", "renamed.png"));
        var renamed = FolderSplits.Open(files.Folder).Fingerprint;
        files.Write("dog/0.png", ImageFiles.Waves(9, 9));
        Assert.That(new[] { before, renamed, FolderSplits.Open(files.Folder).Fingerprint }, Is.Unique);
    }

    [Test]
    public void Streamed_or_in_memory_the_batches_are_the_same_bits()
    {
        WriteClass("cat", 9, side: 20);
        WriteClass("dog", 8, side: 11);
        var folder = ImageFolder.Open(files.Folder);
        Assert.That(Bits(folder.Stream(Seen)), Is.EqualTo(Bits(folder.ToDataset(Seen))));
        Assert.That(folder.Stream(Seen).ToString(), Does.Contain("17 images"));

        static float[] Bits(LabeledImages images) =>
            [.. images.Batches(4, seed: 5, epoch: 2, augmentation: Augmentation.PadCropFlip).SelectMany(batch => batch.Input.ToArray().Concat(batch.Target.ToArray().Select(label => (float)label)))];
    }

    [Test]
    public void Taking_some_takes_of_all_classes()
    {
        WriteClass("cat", 10);
        WriteClass("dog", 10);
        Assert.That(ImageFolder.Open(files.Folder).Take(6).Labels, Is.EqualTo([0, 0, 0, 1, 1, 1]));
        Assert.That(() => ImageFolder.Open(files.Folder).Take(21), Throws.ArgumentException.With.Message.Contains("21").And.Message.Contains("20"));
    }

    [Test]
    public void Survey_knows_sizes_and_colours_and_names_what_is_no_picture()
    {
        files.Write("cat/0.png", ImageFiles.Waves(10, 30, channels: 1));
        files.Write("cat/1.jpg", ImageFiles.Waves(40, 20));
        files.Write("dog/0.png", ImageFiles.Waves(25, 25));
        var survey = ImageFolder.Open(files.Folder).Survey();
        Assert.That((survey.ShortestSide, survey.MedianSide, survey.LongestSide, survey.Gray, survey.Channels), Is.EqualTo((10, 20, 40, 1, 3)));
        File.Delete(Path.Combine(files.Folder, "cat", "1.jpg"));
        File.Delete(Path.Combine(files.Folder, "dog", "0.png"));
        Assert.That(ImageFolder.Open(files.Folder).Survey().Channels, Is.EqualTo(1));

        foreach (var name in new[] { "cat/text.png", "dog/page.jpg" }) File.WriteAllText(files.Write(name, ImageFiles.Waves(8, 8)), "<html>not found</html>");
        Assert.That(() => ImageFolder.Open(files.Folder).Survey(), Throws.TypeOf<InvalidFileException>().With.Message.Contains("text.png").And.Message.Contains("page.jpg"));
    }

    [Test]
    public void Damage_behind_the_head_is_named_when_pictures_are_read()
    {
        WriteClass("cat", 3, side: 40);
        var path = Path.Combine(files.Folder, "cat", "1.png");
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..200]);
        var folder = ImageFolder.Open(files.Folder);
        Assert.That(() => folder.ToDataset(Seen), Throws.TypeOf<InvalidFileException>().With.Message.Contains(path));
        Assert.That(() => folder.Stream(Seen).Batches(4).ToList(), Throws.TypeOf<InvalidFileException>().With.Message.Contains(path));
    }

    void WriteClass(string name, int count, int side = 8)
    {
        for (var i = 0; i < count; i++) files.Write($"{name}/{i}.png", ImageFiles.Waves(side, side + i, seed: i));
    }

    static string[] Names(ImageFolder folder) => [.. folder.Files.Select(file => Path.GetRelativePath(folder.Folder, file))];
}
