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
        File.CreateSymbolicLink(path + ".partial", "/dev/full");      // a device that is always full

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

    [Test]
    [Platform("Linux,MacOsX")]
    public void A_link_stays_and_the_file_it_leads_to_is_replaced()
    {
        using var files = new FormatFiles();
        Directory.CreateDirectory(files.PathOf("folder"));
        var (link, target) = (files.PathOf("link"), files.Write("folder/target", [1]));
        File.CreateSymbolicLink(link, target);
        var dangling = files.PathOf("dangling");
        File.CreateSymbolicLink(dangling, files.PathOf("folder/new"));

        AtomicFile.Write(link, stream => stream.WriteByte(7));
        AtomicFile.Write(dangling, stream => stream.WriteByte(8));

        Assert.That(new FileInfo(link).LinkTarget, Is.EqualTo(target));
        Assert.That(File.ReadAllBytes(target), Is.EqualTo(new byte[] { 7 }));
        Assert.That(new FileInfo(dangling).LinkTarget, Is.Not.Null);
        Assert.That(File.ReadAllBytes(files.PathOf("folder/new")), Is.EqualTo(new byte[] { 8 }));

        var loop = files.PathOf("loop");
        File.CreateSymbolicLink(loop, loop);
        Assert.That(() => AtomicFile.Write(loop, _ => { }), Throws.TypeOf<IOException>().With.Message.Contains(loop));
        Assert.That(new FileInfo(loop).LinkTarget, Is.Not.Null, "the write was refused, and the file is still there");
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void Devices_and_pipes_are_written_to_and_stay_what_they_are()
    {
        using var files = new FormatFiles();
        Assert.That(FileKinds.Of("/dev/null"), Is.EqualTo(FileKind.Device));
        AtomicFile.Write("/dev/null", stream => stream.WriteByte(7));
        Assert.That(FileKinds.Of("/dev/null"), Is.EqualTo(FileKind.Device));
        var link = files.PathOf("link");
        File.CreateSymbolicLink(link, "/dev/null");
        AtomicFile.Write(link, stream => stream.WriteByte(7));
        Assert.That(new FileInfo(link).LinkTarget, Is.EqualTo("/dev/null"));

        var pipe = files.PathOf("pipe");
        System.Diagnostics.Process.Start("mkfifo", [pipe]).WaitForExit();
        Assert.That(FileKinds.Of(pipe), Is.EqualTo(FileKind.Pipe));
        var reader = Task.Run(() => File.ReadAllBytes(pipe));
        AtomicFile.Write(pipe, stream => stream.Write([1, 2, 3]));
        Assert.That(reader.Result, Is.EqualTo(new byte[] { 1, 2, 3 }));
        Assert.That(FileKinds.Of(pipe), Is.EqualTo(FileKind.Pipe));
        Assert.That(Directory.GetFileSystemEntries(files.Folder), Is.EquivalentTo([link, pipe]));
    }

    [Test]
    public void Folder_is_refused_and_a_name_that_is_too_long_is_told_as_such()
    {
        using var files = new FormatFiles();
        var folder = Directory.CreateDirectory(files.PathOf("folder")).FullName;
        Assert.That(() => AtomicFile.Write(folder, _ => { }), Throws.TypeOf<IOException>().With.Message.Contains("is a folder"));
        Assert.That(Directory.Exists(folder));
        var error = Assert.Throws<IOException>(() => AtomicFile.Write(files.PathOf(new string('n', 300)), _ => { }))!;
        Assert.That(error.Message, Does.Contain("too long").And.Contains("Give a shorter name").And.Not.Contains("Free some space"));
    }
}
