namespace QuadEngine.Tests.Formats;

/// <summary>Writes bytes to files of a folder that is deleted after the test.</summary>
sealed class FormatFiles : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("quadengine-formats-").FullName;

    public string PathOf(string name) => Path.Combine(Folder, name);

    public string Write(string name, ReadOnlySpan<byte> content)
    {
        var path = PathOf(name);
        File.WriteAllBytes(path, content);
        return path;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
