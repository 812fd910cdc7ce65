using QuadEngine.Data;

namespace QuadEngine.Tests.Data;

public class DatasetsTests
{
    [Test]
    public void An_unknown_name_is_answered_by_the_known_ones() =>
        Assert.That(() => Datasets.Load("cifar"), Throws.ArgumentException.With.Message
            .EqualTo("no data set \"cifar\" (known: cifar10, cifar100, fashion-mnist, fashion-mnist-sample, mnist)"));

    [Test]
    public void Every_row_of_the_registry_is_consistent([ValueSource(typeof(Datasets), nameof(Datasets.Names))] string name)
    {
        var info = Datasets.Get(name);
        Assert.That(info.ClassNames, Is.Unique);
        Assert.That(info.Classes, Is.EqualTo(name == "cifar100" ? 100 : 10));
        Assert.That(info.Normalization.Channels, Is.EqualTo(info.ImageShape.Channels));
        Assert.That(info.IsEmbedded, Is.EqualTo(name == "fashion-mnist-sample"));
        Assert.That((info as FileDataset)?.Downloads, info.IsEmbedded ? Is.Null : Is.Not.Empty);
    }

    [TestCase("cifar10", "cifar-10-batches-bin")]
    [TestCase("cifar100", "cifar-100-binary")]
    [TestCase("fashion-mnist", "fashion-mnist")]
    [TestCase("mnist", "mnist")]
    public void A_missing_folder_says_which_file_to_put_where(string name, string subFolder)
    {
        var folder = Path.Combine(Path.GetTempPath(), "quadengine-no-such-folder");
        var info = (FileDataset)Datasets.Get(name);
        Assert.That(() => Datasets.Load(name, folder), Throws.TypeOf<FileNotFoundException>().With.Message
            .Contain(folder).And.Message.Contain(Path.Combine(folder, subFolder)).And.Message.Contain(info.Files[0])
            .And.Message.Contain(info.Downloads[0].Urls[0]).And.Message.Contain($"quad data get {name}"));
    }

    [Test]
    public void A_missing_file_is_named()
    {
        using var files = new DataFiles();
        WriteMnist(files, "mnist");
        File.Delete(Path.Combine(files.Folder, "mnist", "t10k-labels-idx1-ubyte.gz"));
        Assert.That(() => Datasets.Load("mnist", files.Folder), Throws.TypeOf<FileNotFoundException>().With.Message
            .Contain($"{Path.Combine(files.Folder, "mnist")} lacks t10k-labels-idx1-ubyte.gz"));
    }

    [Test]
    public void Files_are_found_in_their_usual_folders([Values("", "mnist", "MNIST/raw")] string subFolder, [Values] bool gzip)
    {
        using var files = new DataFiles();
        WriteMnist(files, subFolder, gzip);
        var (train, test) = Datasets.Load("mnist", files.Folder);

        Assert.That((train.Count, test.Count), Is.EqualTo((5, 3)));
        Assert.That(train.Name, Is.EqualTo("mnist"));
        Assert.That(train.Normalization.Mean, Is.EqualTo(new[] { 0.1307f }));
        Assert.That(test.Labels.ToArray(), Is.EqualTo(new[] { 0, 1, 2 }));
    }

    [Test]
    public void A_slice_shares_the_memory_and_keeps_the_rest()
    {
        var whole = DataFiles.Images(7, 3, 2, 3, Normalization.ImageNet);
        var slice = whole.Slice(2, 4).Take(3);

        Assert.That(slice.Count, Is.EqualTo(3));
        Assert.That(slice.Labels.ToArray(), Is.EqualTo(new[] { 2, 3, 4 }));
        Assert.That(slice.Image(1).ToArray(), Is.EqualTo(whole.Image(3).ToArray()));
        Assert.That(slice.Pixels.Span.Overlaps(whole.Pixels.Span));
        Assert.That(slice.Normalization, Is.SameAs(whole.Normalization));
        Assert.That(() => whole.Slice(5, 3), Throws.ArgumentException.With.Message.Contain("3 images from image 5").And.Message.Contain("has 7"));
    }

    [Test]
    public void Sizes_that_do_not_fit_together_are_refused()
    {
        Assert.That(() => new ImageDataset("x", new byte[11], new int[2], ["a"], 2, 3, 1),
            Throws.ArgumentException.With.Message.Contain("11 pixel bytes, expected 12"));
        Assert.That(() => new ImageDataset("x", new byte[12], new[] { 0, 1 }, ["a"], 2, 3, 1),
            Throws.ArgumentException.With.Message.Contain("label 1 of x is 1, expected 0 to 0"));
        Assert.That(() => new ImageDataset("x", new byte[12], new int[2], ["a"], 2, 3, 1, Normalization.ImageNet),
            Throws.ArgumentException.With.Message.Contain("3 channels").And.Message.Contain("have 1"));
        Assert.That(() => new Normalization([0.5f], [0f]), Throws.ArgumentException.With.Message.Contain("channel 0"));
    }

    internal static void WriteMnist(DataFiles files, string subFolder, bool gzip = true)
    {
        foreach (var (prefix, count) in new[] { ("train", 5), ("t10k", 3) })
        {
            Write($"{prefix}-images-idx3-ubyte", DataFiles.Idx(3, DataFiles.Noise(count * 28 * 28), count, 28, 28));
            Write($"{prefix}-labels-idx1-ubyte", DataFiles.Idx(1, [.. Enumerable.Range(0, count).Select(i => (byte)i)], count));
        }

        void Write(string name, byte[] content) =>
            files.Write(Path.Combine(subFolder, gzip ? name + ".gz" : name), gzip ? DataFiles.Gzip(content) : content);
    }
}
