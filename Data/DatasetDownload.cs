using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace QuadEngine.Data;

/// <summary>How far a download is.</summary>
/// <param name="File">The file's name.</param>
/// <param name="Bytes">Bytes here.</param>
/// <param name="Total">Bytes in all.</param>
public readonly record struct DownloadProgress(string File, long Bytes, long Total);

/// <summary>
/// Fetches the official files of a data set. A file grows beside its place (.part), so that a broken download is taken up again
/// where it stopped; it is moved into place only when its checksum is the published one.
/// </summary>
public sealed class DatasetDownload : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);       // without a byte

    readonly HttpClient client;

    /// <summary>A downloader.</summary>
    /// <param name="handler">Answers in place of the network, and stays the caller's to dispose; the network itself where null.</param>
    public DatasetDownload(HttpMessageHandler? handler = null)
    {
        client = handler is null ? new() : new(handler, disposeHandler: false);
        client.Timeout = Timeout.InfiniteTimeSpan;
    }

    /// <summary>Fetches what is missing of a data set, and returns the folder that holds its files.</summary>
    /// <param name="name">One of <see cref="Datasets.Names"/>.</param>
    /// <param name="folder">Where data sets are kept; <see cref="Datasets.DefaultFolder"/> where it is left out.</param>
    /// <param name="progress">Told of every piece that arrives.</param>
    /// <param name="cancellation">Stops; what has arrived is kept and taken up the next time.</param>
    /// <exception cref="ArgumentException">There is no data set of that name, or it has no files to download.</exception>
    /// <exception cref="IOException">A file could not be had, or its checksum is wrong; the message says which file to put where.</exception>
    public Task<string> GetAsync(
        string name, string? folder = null, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default) =>
        GetAsync(Downloadable(Datasets.Get(name)), folder ?? Datasets.DefaultFolder, progress, cancellation);

    /// <summary>Whether a data set has official files to fetch.</summary>
    /// <param name="info">One of <see cref="Datasets.All"/>.</param>
    public static bool Offers(DatasetInfo info) => info is FileDataset;

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    static FileDataset Downloadable(DatasetInfo info) => info as FileDataset
        ?? throw new ArgumentException($"data get: there is nothing to download of {info.Name}, which is {(info.IsEmbedded ? "inside the package" : "read by")} {info.Assembly}.");

    internal async Task<string> GetAsync(FileDataset info, string folder, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        if (!IsIntact(info, folder))
            foreach (var download in info.Downloads)
                await Bring(info, download, folder, progress, cancellation).ConfigureAwait(false);

        var files = info.Find(folder)
            ?? throw new IOException($"data get: {info.Name} was downloaded into {folder}, but {info.Files[0]} is not where it should be.");
        return Path.GetDirectoryName(files[0])!;
    }

    /// <summary>All files are there and can be read (whatever their compression, so that repackaged ones count too).</summary>
    static bool IsIntact(FileDataset info, string folder)
    {
        if (info.Find(folder) is not { } files)
            return false;

        try
        {
            info.Read(files);
            return true;
        }
        catch (InvalidFileException)
        {
            return false;
        }
    }

    async Task Bring(DatasetInfo info, Download download, string folder, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var target = Path.Combine(folder, download.Target);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var alreadyHere = File.Exists(target) && Md5(target) == download.Md5;
        if (!alreadyHere)
            await Fetch(info, download, target, progress, cancellation).ConfigureAwait(false);

        if (!download.IsArchive)
            return;

        Unpack(target, folder);
        if (!alreadyHere)
            File.Delete(target);
    }

    /// <summary>Tries one place after the other.</summary>
    async Task Fetch(DatasetInfo info, Download download, string target, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var part = target + ".part";
        var reasons = new List<string>();

        // What an earlier run left may belong to another file: then it spoils its checksum, and the same place is tried afresh.
        foreach (var url in File.Exists(part) ? download.Urls.Prepend(download.Urls[0]) : download.Urls)
        {
            try
            {
                await Receive(url, download, part, progress, cancellation).ConfigureAwait(false);
                if (Md5(part) is var md5 && md5 == download.Md5)
                {
                    File.Move(part, target, overwrite: true);
                    return;
                }
                File.Delete(part);
                reasons.Add($"{url}: the md5 of what came is {md5}, expected {download.Md5}");
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException && !cancellation.IsCancellationRequested)
            {
                reasons.Add($"{url}: {(e is OperationCanceledException ? $"no byte for {Patience.TotalSeconds} s" : e.Message)}");
            }
        }

        throw new IOException($"""
            data get: {info.Name}: {Path.GetFileName(target)} could not be downloaded.
              {string.Join("\n  ", reasons)}
            Where there is no network, bring {download.Urls[0]}
            ({download.Bytes:N0} bytes, md5 {download.Md5}) by other means, put it at {Path.GetFullPath(target)} and run this again.
            """);
    }

    /// <summary>Appends to the part what it lacks, or begins it again where the server does not serve ranges.</summary>
    async Task Receive(string url, Download download, string part, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var have = File.Exists(part) ? new FileInfo(part).Length : 0;
        if (have >= download.Bytes)
            return;

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);

        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (have > 0)
            request.Headers.Range = new RangeHeaderValue(have, null);

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        if (response.StatusCode != HttpStatusCode.PartialContent || response.Content.Headers.ContentRange?.From != have)
            have = 0;

        await using var content = await response.Content.ReadAsStreamAsync(patience.Token).ConfigureAwait(false);
        await using var file = new FileStream(part, have > 0 ? FileMode.Append : FileMode.Create);
        var buffer = new byte[1 << 17];
        while (await content.ReadAsync(buffer, patience.Token).ConfigureAwait(false) is > 0 and var read)
        {
            await file.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
            have += read;
            patience.CancelAfter(Patience);
            progress?.Report(new(Path.GetFileName(download.Target), have, download.Bytes));
        }

        if (have < download.Bytes)
            throw new IOException($"the connection ended after {have:N0} of {download.Bytes:N0} bytes; run this again to go on from there");
    }

    /// <summary>Unpacks aside, then moves file by file into place.</summary>
    static void Unpack(string archive, string folder)
    {
        var aside = archive + ".unpacked";
        if (Directory.Exists(aside))
            Directory.Delete(aside, recursive: true);
        Directory.CreateDirectory(aside);

        using (var tar = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress))
            TarFile.ExtractToDirectory(tar, aside, overwriteFiles: true);

        foreach (var file in Directory.EnumerateFiles(aside, "*", SearchOption.AllDirectories))
        {
            var place = Path.Combine(folder, Path.GetRelativePath(aside, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Move(file, place, overwrite: true);
        }
        Directory.Delete(aside, recursive: true);
    }

    static string Md5(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(MD5.HashData(file));
    }
}
