using QuadEngine.Data;

namespace QuadEngine.Tests.Images;

public class PictureTests
{
    [TestCase(1)]
    [TestCase(3)]
    public void Png_gives_the_pixels_that_were_written(int channels)
    {
        using var files = new ImageFiles();
        var picture = ImageFiles.Waves(13, 17, channels);
        var read = Picture.Read(files.Write("a.png", picture), channels);
        Assert.That((read.Height, read.Width, read.Channels), Is.EqualTo((13, 17, channels)));
        Assert.That(read.Pixels, Is.EqualTo(picture.Pixels));
    }

    [TestCase(1, 1, 1)]
    [TestCase(7, 5, 3)]
    [TestCase(300, 301, 3)]
    public void Saved_picture_reads_back_as_it_was(int height, int width, int channels)
    {
        using var files = new ImageFiles();
        var (picture, path) = (ImageFiles.Waves(height, width, channels), Path.Combine(files.Folder, "a.png"));
        picture.Save(path);
        var read = Picture.Read(path, channels);
        Assert.That((read.Height, read.Width), Is.EqualTo((height, width)));
        Assert.That(read.Pixels, Is.EqualTo(picture.Pixels));
    }

    [Test]
    public void Jpeg_gives_about_the_pixels_that_were_written()
    {
        using var files = new ImageFiles();
        var picture = ImageFiles.Waves(40, 56);
        var read = Picture.Read(files.Write("a.jpg", picture));
        Assert.That((read.Height, read.Width), Is.EqualTo((40, 56)));
        Assert.That(read.Pixels.Zip(picture.Pixels, (a, b) => Math.Abs(a - b)).Average(), Is.LessThan(3));
    }

    [Test]
    public void Colours_are_weighed_where_grey_is_asked_for()
    {
        using var files = new ImageFiles();
        var path = files.Write("a.png", new Picture(1, 3, 3, [255, 0, 0, 0, 255, 0, 0, 0, 255]));
        var grey = Picture.Read(path, channels: 1).Pixels;
        Assert.That(grey, Has.Length.EqualTo(3));
        Assert.That((grey[1] > grey[0], grey[0] > grey[2]), Is.EqualTo((true, true)), "green is seen brightest, blue darkest");
        Assert.That(grey.Sum(value => value), Is.InRange(250, 256));
    }

    [Test]
    public void Channels_are_changed_as_reading_does()
    {
        using var files = new ImageFiles();
        var path = files.Write("a.png", ImageFiles.Waves(9, 11));
        Assert.That(Picture.Read(path).WithChannels(1).Pixels, Is.EqualTo(Picture.Read(path, 1).Pixels));
        var grey = files.Write("b.png", ImageFiles.Waves(9, 11, channels: 1));
        Assert.That(Picture.Read(grey, 1).WithChannels(3).Pixels, Is.EqualTo(Picture.Read(grey, 3).Pixels));
        Assert.That(Picture.Read(grey, 3).WithChannels(1).Pixels, Is.EqualTo(Picture.Read(grey, 1).Pixels));
        Assert.That(() => Picture.Read(path).WithChannels(4), Throws.ArgumentException.With.Message.Contains("4"));
    }

    [TestCase(1, 1, 0)]
    [TestCase(1, 1, 2)]
    [TestCase(1, 1, 4)]
    [TestCase(1, 1, -1)]
    [TestCase(0, 1, 3)]
    [TestCase(1, 0, 1)]
    [TestCase(-1, -2, 3)]
    public void Picture_of_other_channels_or_without_pixels_is_refused(int height, int width, int channels) =>
        Assert.That(() => new Picture(height, width, channels, new byte[Math.Max(0, height * width * channels)]),
            Throws.ArgumentException.With.Message.Contains(channels is 1 or 3 ? $"{height} x {width} pixels, expected 1 or more" : $"{channels} channels, expected 1 (gray) or 3 (RGB)"));

    [Test]
    public void Picture_is_not_resampled_to_no_pixels([Values(0, -1)] int side)
    {
        var picture = ImageFiles.Waves(4, 4);
        Assert.That(() => picture.Resample(new Frame(0, 0, 4, 4), side, 2), Throws.ArgumentException.With.Message.Contains($"{side} x 2 pixels"));
        Assert.That(() => picture.Resample(new Frame(0, 0, 4, 4), 2, side), Throws.ArgumentException.With.Message.Contains($"2 x {side} pixels"));
    }

    [Test]
    public void Damaged_file_is_named()
    {
        using var files = new ImageFiles();
        var path = files.Write("a.png", ImageFiles.Waves(20, 20));
        var bytes = File.ReadAllBytes(path);
        foreach (var damaged in new[] { [], bytes[..30], bytes[..(bytes.Length / 2)], [.. bytes[..8], .. new byte[50]], "no image"u8.ToArray() })
        {
            File.WriteAllBytes(path, damaged);
            Assert.That(() => Picture.Read(path), Throws.TypeOf<InvalidFileException>().With.Message.Contains(path).And.Message.Contains("PNG"));
        }
    }

    [Test]
    public void Whole_frame_at_the_same_size_is_the_image() =>
        Assert.That(ImageFiles.Waves(9, 7).Resample(new Frame(0, 0, 9, 7), 9, 7).Pixels, Is.EqualTo(ImageFiles.Waves(9, 7).Pixels));

    [Test]
    public void Frame_of_whole_pixels_at_its_own_size_is_cut_out()
    {
        var picture = ImageFiles.Waves(12, 10);
        var cut = picture.Resample(new Frame(3, 2, 5, 6), 5, 6);
        for (var h = 0; h < 5; h++)
            Assert.That(cut.Pixels[(h * 18)..((h + 1) * 18)], Is.EqualTo(picture.Pixels[((h + 3) * 30 + 6)..((h + 3) * 30 + 24)]));
    }

    [TestCase(5, 4)]
    [TestCase(31, 40)]
    public void Even_image_stays_even(int height, int width)
    {
        var even = new Picture(17, 23, 1, [.. Enumerable.Repeat((byte)77, 17 * 23)]);
        Assert.That(even.Resample(new Frame(1.3f, 2.7f, 11.1f, 17.9f), height, width).Pixels, Has.All.EqualTo(77));
    }

    [Test]
    public void Resampled_pixels_are_the_weighted_means_of_the_formula([Values(6, 11, 30)] int height, [Values(4, 19)] int width)
    {
        var picture = ImageFiles.Waves(11, 13, channels: 1);
        var frame = new Frame(0.5f, 1.25f, 9.5f, 11f);
        var got = picture.Resample(frame, height, width).Pixels;
        for (var h = 0; h < height; h++)
            for (var w = 0; w < width; w++)
            {
                double sum = 0, weights = 0;
                for (var y = 0; y < 11; y++)
                    for (var x = 0; x < 13; x++)
                    {
                        var weight = Triangle(y, frame.Top, frame.Height, h, height) * Triangle(x, frame.Left, frame.Width, w, width);
                        (sum, weights) = (sum + weight * picture.Pixels[y * 13 + x], weights + weight);
                    }
                Assert.That(got[h * width + w], Is.EqualTo(sum / weights).Within(0.51), $"pixel {h}, {w}");
            }

        static double Triangle(int pixel, double start, double length, int i, int count)
        {
            var step = length / count;
            return Math.Max(0, 1 - Math.Abs(pixel + 0.5 - (start + (i + 0.5) * step)) / Math.Max(1, step));
        }
    }

    [Test]
    public void Of_a_long_picture_only_what_is_seen_takes_memory()
    {
        var picture = new Picture(1 << 20, 1, 1, [.. Enumerable.Range(0, 1 << 20).Select(i => (byte)(i >> 12))]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var seen = picture.Resample(Frame.Center(picture.Height, picture.Width, 64, 64), 64, 64);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(100_000));
        Assert.That(seen.Pixels, Has.All.InRange(127, 128));
    }

    [Test]
    public void Mirror_exchanges_left_and_right_and_twice_is_nothing()
    {
        var picture = ImageFiles.Waves(3, 5);
        Assert.That(picture.Mirror().Pixels[..3], Is.EqualTo(picture.Pixels[12..15]));
        Assert.That(picture.Mirror().Mirror().Pixels, Is.EqualTo(picture.Pixels));
    }
}
