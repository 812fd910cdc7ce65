using System.Formats.Tar;
using System.Net;
using System.Security.Cryptography;
using QuadEngine.Data;

namespace QuadEngine.Tests.Data;

public class DatasetDownloadTests
{
    /// <summary>A network of prepared files. It can refuse requests, end them early or ignore ranges, and remembers the requests.</summary>
    sealed class FakeNetwork(Dictionary<string, byte[]> files) : HttpMessageHandler
    {
        public List<string> Asked { get; } = [];

        public int? BreakOffAfter { get; set; }

        public bool ServesRanges { get; set; } = true;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
        {
            var url = request.RequestUri!.ToString();
            var from = (int)(request.Headers.Range?.Ranges.Single().From ?? 0);
            Asked.Add(from > 0 ? $"{url} from {from}" : url);

            if (files.Count == 0)
                throw new HttpRequestException("No such host is known");
            if (!files.TryGetValue(url, out var file))
                return Task.FromResult(new HttpResponseMessage(HttpStatusCode.NotFound));

            var partial = ServesRanges && from > 0;
            var body = partial ? file[from..] : file;
            var response = new HttpResponseMessage(partial ? HttpStatusCode.PartialContent : HttpStatusCode.OK)
            {
                Content = new StreamContent(new MemoryStream(body[..Math.Min(body.Length, BreakOffAfter ?? int.MaxValue)])),
            };
            if (partial)
                response.Content.Headers.ContentRange = new(from, file.Length - 1, file.Length);
            return Task.FromResult(response);
        }
    }

    const string Place = "https://example.org/", Mirror = "https://mirror.example.org/";

    DataFiles source = null!, files = null!;
    Dictionary<string, byte[]> published = null!;
    FakeNetwork network = null!;

    [SetUp]
    public void SetUp()
    {
        source = new();
        files = new();
        DatasetsTests.WriteMnist(source, "mnist");
        published = Mnist().Downloads.ToDictionary(d => d.Urls[0], d => File.ReadAllBytes(Path.Combine(source.Folder, d.Target)));
        network = new(published);
    }

    [TearDown]
    public void TearDown()
    {
        network.Dispose();
        files.Dispose();
        source.Dispose();
    }

    [Test]
    public void Files_come_with_progress_and_then_load()
    {
        var reports = new List<DownloadProgress>();
        var folder = Get(Mnist(), new Progress(reports));

        Assert.That(folder, Is.EqualTo(Path.Combine(files.Folder, "mnist")));
        Assert.That(Mnist().Load(files.Folder, "mnist").Train.Count, Is.EqualTo(5));
        Assert.That(reports.Last(), Is.EqualTo(new DownloadProgress("t10k-labels-idx1-ubyte.gz", Last.Bytes, Last.Bytes)));
        Assert.That(Directory.GetFiles(folder).Select(Path.GetFileName), Is.EquivalentTo(Mnist().Files), "no part is left");
    }

    [Test]
    public void What_is_there_is_not_fetched_again()
    {
        Get(Mnist());
        network.Asked.Clear();
        Get(Mnist());
        Assert.That(network.Asked, Is.Empty);
    }

    [Test]
    public void A_damaged_file_is_fetched_again_and_only_that()
    {
        Get(Mnist());
        File.WriteAllBytes(Path.Combine(files.Folder, First.Target), [1, 2, 3]);
        network.Asked.Clear();
        Get(Mnist());
        Assert.That(network.Asked, Is.EqualTo(new[] { First.Urls[0] }));
        Assert.That(Mnist().Load(files.Folder, "mnist").Train.Count, Is.EqualTo(5));
    }

    [Test]
    public void A_broken_download_goes_on_where_it_stopped()
    {
        network.BreakOffAfter = 1000;
        Assert.That(() => Get(Mnist()), Throws.TypeOf<IOException>().With.Message.Contain($"ended after 1,000 of {First.Bytes:N0} bytes"));

        network.BreakOffAfter = null;
        network.Asked.Clear();
        Get(Mnist());
        Assert.That(network.Asked[0], Is.EqualTo(First.Urls[0] + " from 1000"));
        Assert.That(Mnist().Load(files.Folder, "mnist").Train.Count, Is.EqualTo(5));
    }

    [Test]
    public void A_server_without_ranges_begins_again()
    {
        files.Write(First.Target + ".part", published[First.Urls[0]][..1000]);
        network.ServesRanges = false;
        Get(Mnist());
        Assert.That(Mnist().Load(files.Folder, "mnist").Train.Count, Is.EqualTo(5));
    }

    [Test]
    public void A_part_of_another_file_is_thrown_away()
    {
        files.Write(First.Target + ".part", new byte[1000]);
        Get(Mnist());
        Assert.That(network.Asked.Take(2), Is.EqualTo(new[] { First.Urls[0] + " from 1000", First.Urls[0] }));
        Assert.That(Mnist().Load(files.Folder, "mnist").Train.Count, Is.EqualTo(5));
    }

    [Test]
    public void A_wrong_checksum_is_refused_and_leaves_nothing()
    {
        published[First.Urls[0]][^1] ^= 1;
        Assert.That(() => Get(Mnist()), Throws.TypeOf<IOException>().With.Message.Contain(First.Md5).And.Message.Contain("md5 of the received file"));
        Assert.That(Directory.GetFiles(Path.Combine(files.Folder, "mnist")), Is.Empty);
    }

    [Test]
    public void The_mirror_is_asked_when_the_official_place_fails()
    {
        var content = published[First.Urls[0]];
        published.Remove(First.Urls[0]);
        published[Mirror + "train-images-idx3-ubyte.gz"] = content;
        Get(Mnist(changed: first => first with { Urls = [first.Urls[0], Mirror + "train-images-idx3-ubyte.gz"] }));
        Assert.That(Mnist().Load(files.Folder, "mnist").Train.Count, Is.EqualTo(5));
    }

    [Test]
    public void Without_network_the_message_says_which_file_to_put_where()
    {
        network = new([]);
        Assert.That(() => Get(Mnist()), Throws.TypeOf<IOException>().With.Message
            .Contain("No such host is known").And.Message.Contain(First.Urls[0]).And.Message.Contain(First.Md5)
            .And.Message.Contain(Path.Combine(files.Folder, First.Target)));
    }

    [Test]
    public void An_archive_is_unpacked_into_place_and_removed()
    {
        var info = Cifar(out var archive);
        published[info.Downloads[0].Urls[0]] = archive;
        var folder = Get(info);

        Assert.That(folder, Is.EqualTo(Path.Combine(files.Folder, "cifar-10-batches-bin")));
        Assert.That(info.Load(files.Folder, "mnist").Train.Labels.ToArray(), Is.EqualTo(new[] { 1, 2 }));
        Assert.That(info.Load(files.Folder, info.Name).Test.Labels.ToArray(), Is.EqualTo(new[] { 3 }));
        Assert.That(Directory.GetFileSystemEntries(files.Folder), Is.EqualTo(new[] { folder }));
    }

    [Test]
    public void An_archive_brought_by_hand_is_used_without_network_and_kept()
    {
        var info = Cifar(out var archive);
        var path = files.Write(info.Downloads[0].Target, archive);
        Get(info);

        Assert.That(network.Asked, Is.Empty);
        Assert.That(info.Load(files.Folder, info.Name).Test.Count, Is.EqualTo(1));
        Assert.That(File.Exists(path));
    }

    [Test]
    public void The_embedded_sample_needs_no_download() =>
        Assert.That(() => new DatasetDownload(network).GetAsync("fashion-mnist-sample", files.Folder), Throws.ArgumentException.With.Message.Contain("inside the package"));

    Download First => Mnist().Downloads[0];

    Download Last => Mnist().Downloads[^1];

    string Get(FileDataset info, IProgress<DownloadProgress>? progress = null)
    {
        using var download = new DatasetDownload(network);
        return download.GetAsync(info, files.Folder, progress, CancellationToken.None).GetAwaiter().GetResult();
    }

    /// <summary>MNIST with small files that the test makes.</summary>
    FileDataset Mnist(Func<Download, Download>? changed = null)
    {
        var info = (FileDataset)Datasets.Get("mnist");
        Download[] downloads = [.. info.Downloads.Select(d => Published(Place + Path.GetFileName(d.Target), d.Target, File.ReadAllBytes(Path.Combine(source.Folder, d.Target))))];
        return new(info.Name, info.Help, info.ImageShape, info.ClassNames, Datasets.ReadIdx)
        {
            Files = info.Files,
            SubFolders = info.SubFolders,
            Downloads = changed is null ? downloads : [changed(downloads[0]), .. downloads[1..]],
        };
    }

    /// <summary>CIFAR-10 with two training files and a test file of one record each, in an archive like the official one.</summary>
    static FileDataset Cifar(out byte[] archive)
    {
        using var memory = new MemoryStream();
        string[] names = ["data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"];
        using (var tar = new TarWriter(memory, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "cifar-10-batches-bin/"));
            for (var i = 0; i < names.Length; i++)
            {
                var record = DataFiles.Noise(3073);
                record[0] = (byte)(i + 1);
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "cifar-10-batches-bin/" + names[i]) { DataStream = new MemoryStream(record) });
            }
        }
        archive = DataFiles.Gzip(memory.ToArray());
        var info = (FileDataset)Datasets.Get("cifar10");
        return new(info.Name, info.Help, info.ImageShape, info.ClassNames, (data, files) => Datasets.ReadCifar(data, files, labelBytes: 1))
        {
            Normalization = info.Normalization,
            Files = names,
            SubFolders = info.SubFolders,
            TrainCount = 2,
            TestCount = 1,
            Downloads = [Published(Place + "cifar-10-binary.tar.gz", "cifar-10-binary.tar.gz", archive) with { IsArchive = true }],
        };
    }

    static Download Published(string url, string target, byte[] content) =>
        new([url], target, content.Length, Convert.ToHexStringLower(MD5.HashData(content)));

    sealed class Progress(List<DownloadProgress> reports) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => reports.Add(value);
    }
}
