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
        Refused("no folders", "cat");
        files.Write("loose.png", ImageFiles.Waves(8, 8));
        Refused("no folders", "1.jpg");
        WriteClass("cat", 3);
        Refused("one class only (cat)", "two");
        Directory.CreateDirectory(Path.Combine(files.Folder, "dog"));
        Refused("no pictures", "in dog");
        WriteClass("dog", 1);
        Directory.Delete(Path.Combine(files.Folder, "cat"), recursive: true);
        WriteClass("cat", 1);
        Refused("one picture a class");

        WriteClass("train/cat", 3);
        WriteClass("train/dog", 3);
        WriteClass("val/Cat", 3);
        WriteClass("val/dog", 3);
        Refused("(cat, dog) beside train", "Move them");
        foreach (var name in new[] { "cat", "dog" }) Directory.Delete(Path.Combine(files.Folder, name), recursive: true);
        Refused("val has Cat", "cat, dog", "capitals");

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

        static float[] Bits(LabelledImages images) =>
            [.. images.Batches(4, seed: 5, epoch: 2, augmentation: Augmentation.PadCropFlip).SelectMany(batch => batch.Images.ToArray().Concat(batch.Labels.ToArray().Select(label => (float)label)))];
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
        Assert.That((survey.ShortestSide, survey.MedianSide, survey.LongestSide, survey.Grey, survey.Channels), Is.EqualTo((10, 20, 40, 1, 3)));
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
