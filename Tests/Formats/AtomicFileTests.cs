namespace QuadEngine.Tests.Formats;

public class AtomicFileTests
{
    [Test]
    public void Failed_write_leaves_the_old_file_and_nothing_else()
    {
        using var files = new FormatFiles();
        var path = files.Write("weights", [1, 2, 3]);

        Assert.That(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new InvalidOperationException("stopped");
        }), Throws.InvalidOperationException.With.Message.EqualTo("stopped"));

        Assert.That(File.ReadAllBytes(path), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(Directory.GetFileSystemEntries(files.Folder), Is.EqualTo([path]));
    }

    [Test]
    public void What_a_killed_process_left_is_replaced()
    {
        using var files = new FormatFiles();
        var path = files.PathOf("weights");
        files.Write("weights.partial", new byte[500]);

        AtomicFile.Write(path, stream => stream.WriteByte(7));

        Assert.That(File.ReadAllBytes(path), Is.EqualTo(new byte[] { 7 }));
        Assert.That(Directory.GetFileSystemEntries(files.Folder), Is.EqualTo([path]));
    }

    [Test]
    [Platform("Linux")]
    public void Full_disk_is_one_clear_error_and_the_old_file_stays()
    {
        using var files = new FormatFiles();
        var path = files.Write("weights", [1, 2, 3]);
        File.CreateSymbolicLink(path + ".partial", "/dev/full");      // a device on which every write finds no space

        var error = Assert.Throws<IOException>(() =>
            SafeTensors.Write(path, new Dictionary<string, HostTensor> { ["w"] = new(new float[100_000], 100_000) }))!;

        Assert.That(error.Message, Does.StartWith(path).And.Contains("No space left").And.Contains("Free some space"));
        Assert.That(File.ReadAllBytes(path), Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(Directory.GetFileSystemEntries(files.Folder), Is.EqualTo([path]));
    }

    [Test]
    public void Missing_folder_is_named()
    {
        using var files = new FormatFiles();
        var path = Path.Combine(files.Folder, "nowhere", "weights");
        Assert.That(() => AtomicFile.Write(path, _ => { }), Throws.TypeOf<IOException>().With.Message.Contains("nowhere"));
    }
}
