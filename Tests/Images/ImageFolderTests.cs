using QuadEngine.Data;

namespace QuadEngine.Tests.Images;

public class ImageFolderTests
{
    static readonly Shape Seen = [16, 16, 3];

    ImageFiles files = null!;

    [SetUp]
    public void Write()
    {
        files = new ImageFiles();
        for (var i = 0; i < 7; i++)
        {
            files.Write($"dog/{i}.jpg", ImageFiles.Waves(30 + i, 20, seed: i));
            files.Write($"cat/more/{i}.png", ImageFiles.Waves(20, 40 + i, seed: 50 + i));
        }
        File.WriteAllText(Path.Combine(files.Folder, "cat", "readme.txt"), "no image");
    }

    [TearDown]
    public void Delete() => files.Dispose();

    [Test]
    public void Class_folders_are_classes_in_order()
    {
        var folder = ImageFolder.Open(files.Folder);
        Assert.That(folder.ClassNames, Is.EqualTo(["cat", "dog"]));
        Assert.That(folder.Labels, Is.EqualTo([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]));
        Assert.That(folder.Files.Select(Path.GetExtension).Distinct(), Is.EqualTo([".png", ".jpg"]));
    }

    [Test]
    public void Batches_are_the_centre_of_each_image_normalised()
    {
        var folder = ImageFolder.Open(files.Folder);
        using var first = folder.Batches(3, Seen).First();
        var picture = Picture.Read(folder.Files[0]);
        var seen = picture.Resample(Frame.Center(picture.Height, picture.Width, 16, 16, 0.875f), 16, 16);
        var expected = seen.Pixels.Select((pixel, i) => Normalization.ImageNet.Apply(pixel, i % 3));
        Assert.That(first.Input.Shape.ToArray(), Is.EqualTo([3, 16, 16, 3]));
        Assert.That(first.Input.ToArray()[..expected.Count()], Is.EqualTo(expected));
    }

    [Test]
    public void In_memory_it_is_the_same_data()
    {
        var folder = ImageFolder.Open(files.Folder);
        var data = folder.ToDataset(Seen);
        Assert.That(Images(data.Batches(5)), Is.EqualTo(Images(folder.Batches(5, Seen))));
        Assert.That((data.Count, data.Classes), Is.EqualTo((14, 2)));
    }

    [Test]
    public void Random_frames_depend_on_seed_and_epoch_alone()
    {
        var folder = ImageFolder.Open(files.Folder);
        float[] Epoch(ulong seed, int epoch, int prefetch, int start = 0) => Images(folder.Batches(4, Seen, Framing.Random, seed: seed, epoch: epoch, prefetch: prefetch, start: start));

        var once = Epoch(1, 0, prefetch: 0);
        Assert.That(Epoch(1, 0, prefetch: 3), Is.EqualTo(once));
        Assert.That(Epoch(1, 0, prefetch: 2, start: 2), Is.EqualTo(once[(2 * 4 * Seen.Elements)..]));
        Assert.That(Epoch(1, 1, prefetch: 0), Is.Not.EqualTo(once));
        Assert.That(Epoch(2, 0, prefetch: 0), Is.Not.EqualTo(once));
    }

    [Test]
    public void Random_frames_lie_in_the_image_and_cover_it()
    {
        var picture = ImageFiles.Waves(50, 80);
        var framing = new RandomFraming(LeastArea: 0.2f);
        var (areas, mirrored) = (new List<float>(), 0);
        for (var image = 0; image < 500; image++)
        {
            var (frame, mirror) = framing.Choose(picture, 16, 16, seed: 3, epoch: 0, image);
            Assert.That(frame.Top >= 0 && frame.Left >= 0 && frame.Top + frame.Height <= 50.001f && frame.Left + frame.Width <= 80.001f, $"{frame}");
            areas.Add(frame.Height * frame.Width / 4000f);
            mirrored += mirror ? 1 : 0;
        }
        Assert.That(areas.Min(), Is.InRange(0.19f, 0.25f));
        Assert.That(areas.Max(), Is.GreaterThan(0.5f));
        Assert.That(mirrored, Is.InRange(200, 300));
    }

    [Test]
    public void Wrong_use_is_explained()
    {
        var folder = ImageFolder.Open(files.Folder);
        Assert.That(() => folder.Batches(4, Seen, Framing.Random), Throws.ArgumentException.With.Message.Contains("seed"));
        Assert.That(() => folder.Batches(4, [16, 16, 2]), Throws.ArgumentException.With.Message.Contains("[16, 16, 2]"));
        Assert.That(() => ImageFolder.Open(Path.Combine(files.Folder, "cat", "more")), Throws.ArgumentException.With.Message.Contains("has no sub-folders"));
        Assert.That(() => folder.Stream(Seen, Framing.Random), Throws.ArgumentException.With.Message.Contains("Batches"));
        foreach (var file in folder.Files) File.Delete(file);
        Assert.That(() => ImageFolder.Open(files.Folder), Throws.ArgumentException.With.Message.Contains("cat, dog").And.Message.Contains(".png"));
    }

    [Test]
    public void Damaged_image_ends_the_epoch_by_name()
    {
        var path = Path.Combine(files.Folder, "dog", "3.jpg");
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..100]);
        Assert.That(() => Images(ImageFolder.Open(files.Folder).Batches(4, Seen)), Throws.TypeOf<InvalidFileException>().With.Message.Contains(path));
    }

    static float[] Images(Loader loader) => [.. loader.SelectMany(batch =>
    {
        using var owned = batch;
        return batch.Input.ToArray();
    })];
}
