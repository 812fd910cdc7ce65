namespace QuadEngine.Tests;

/// <summary>The source tree that the tests were built from.</summary>
public static class Repository
{
#if DEBUG
    public const string Configuration = "Debug";
#else
    public const string Configuration = "Release";
#endif

    public static string Root { get; } = Above(AppContext.BaseDirectory);

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    static string Above(string folder) => File.Exists(Path.Combine(folder, "QuadEngine.sln"))
        ? folder
        : Above(Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("These tests read the source tree, but there is no QuadEngine.sln above them."));
}
