using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace QuadEngine.Data;

/// <summary>The progress of a download.</summary>
/// <param name="File">The name of the file.</param>
/// <param name="Bytes">The number of bytes that have arrived.</param>
/// <param name="Total">The number of all bytes.</param>
public readonly record struct DownloadProgress(string File, long Bytes, long Total);

/// <summary>
/// Downloads the official files of a data set. A file is first written under another name (.part), so that a broken download resumes
/// where it stopped. It is moved into place only if its checksum is the published one.
/// </summary>
public sealed class DatasetDownload : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);       // the longest time without a byte

    readonly HttpClient client;

    /// <summary>Creates a downloader.</summary>
    /// <param name="handler">A handler that answers instead of the network, and that the caller disposes; null for the network.</param>
    public DatasetDownload(HttpMessageHandler? handler = null)
    {
        client = handler is null ? new() : new(handler, disposeHandler: false);
        client.Timeout = Timeout.InfiniteTimeSpan;
    }

    /// <summary>Downloads the missing files of a data set, and returns the folder that holds its files.</summary>
    /// <param name="name">A name of <see cref="Datasets.Names"/>.</param>
    /// <param name="folder">The folder of all data sets; null for <see cref="Datasets.DefaultFolder"/>.</param>
    /// <param name="progress">Receives a report for each piece that arrives.</param>
    /// <param name="cancellation">Cancels the download. The bytes that have arrived are kept for the next call.</param>
    /// <exception cref="ArgumentException">There is no data set with this name, or it has no files to download.</exception>
    /// <exception cref="IOException">A file could not be downloaded, or its checksum is wrong; the message says which file to put where.</exception>
    public Task<string> GetAsync(
        string name, string? folder = null, IProgress<DownloadProgress>? progress = null, CancellationToken cancellation = default) =>
        GetAsync(Downloadable(Datasets.Get(name)), folder ?? Datasets.DefaultFolder, progress, cancellation);

    /// <summary>Whether a data set has official files to download.</summary>
    /// <param name="info">An entry of <see cref="Datasets.All"/>.</param>
    public static bool Offers(DatasetInfo info) => info is FileDataset;

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    static FileDataset Downloadable(DatasetInfo info) => info as FileDataset
        ?? throw new ArgumentException($"data get: {info.Name} has no files to download, because it is {(info.IsEmbedded ? "inside the package" : "read by")} {info.Assembly}.");

    internal async Task<string> GetAsync(FileDataset info, string folder, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        if (!IsIntact(info, folder))
            foreach (var download in info.Downloads)
                await Bring(info, download, folder, progress, cancellation).ConfigureAwait(false);

        var files = info.Find(folder)
            ?? throw new IOException($"data get: {info.Name} was downloaded into {folder}, but {info.Files[0]} is not in its place.");
        return Path.GetDirectoryName(files[0])!;
    }

    /// <summary>Whether all files exist and can be read. Their compression does not matter, so repackaged files count too.</summary>
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

    /// <summary>Tries one address after the other.</summary>
    async Task Fetch(DatasetInfo info, Download download, string target, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var part = target + ".part";
        var reasons = new List<string>();

        // The bytes of an earlier call may belong to another file. Then the checksum is wrong, and the same address is tried again from the start.
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
                reasons.Add($"{url}: the md5 of the received file is {md5}, expected {download.Md5}");
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException && !cancellation.IsCancellationRequested)
            {
                reasons.Add($"{url}: {(e is OperationCanceledException ? $"no byte arrived for {Patience.TotalSeconds} s" : e.Message)}");
            }
        }

        throw new IOException($"""
            data get: {info.Name}: {Path.GetFileName(target)} could not be downloaded.
              {string.Join("\n  ", reasons)}
            If there is no network, get {download.Urls[0]}
            ({download.Bytes:N0} bytes, md5 {download.Md5}) in another way, put it at {Path.GetFullPath(target)} and run this again.
            """);
    }

    /// <summary>Appends the missing bytes to the part, or starts it again if the server does not support ranges.</summary>
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
            throw new IOException($"the connection ended after {have:N0} of {download.Bytes:N0} bytes; run this again to resume from there");
    }

    /// <summary>Unpacks to another folder, then moves each file into place.</summary>
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
