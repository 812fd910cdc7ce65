using System.CommandLine;
using System.Reflection;
using System.Runtime.Loader;

namespace QuadEngine.Cli;

/// <summary>Assemblies of users, which register networks, data sets, neurons, optimizers, schedules and augmentations of their own (<see cref="IPlugin"/>).</summary>
static class Plugins
{
    static readonly Dictionary<string, Plugin> loaded = [];

    /// <summary>Read before all other options, since it brings names and options that these may use.</summary>
    public static Option<string[]> Option { get; } = new("--plugin")
    {
        Description = "An assembly that registers networks, data sets, neurons, optimizers, schedules or augmentations of its own. May be given several times.",
        HelpName = "DLL",
        Recursive = true,
    };

    /// <summary>Loads the assemblies that a command line names, each once.</summary>
    /// <exception cref="IOException">A file is missing, or is no assembly.</exception>
    /// <exception cref="InvalidOperationException">An assembly is for another version of the engine, lacks another, or registers nothing.</exception>
    /// <exception cref="ArgumentException">It registers a name that is taken.</exception>
    public static void Load(IReadOnlyList<string> arguments)
    {
        var reader = new RootCommand { Option };
        reader.TreatUnmatchedTokensAsErrors = false;
        foreach (var file in reader.Parse(arguments).GetResult(Option)?.Tokens.Select(token => Path.GetFullPath(token.Value)) ?? [])
            if (!loaded.ContainsKey(file)) loaded[file] = Plugin.Load(file);
    }

    /// <summary>Their files, in the order of loading.</summary>
    public static IReadOnlyList<string> Files => [.. loaded.Keys];

    /// <summary>The plugin that an assembly is; null where it is none.</summary>
    public static Plugin? Of(string assembly) => loaded.Values.FirstOrDefault(plugin => plugin.Assembly.GetName().Name == assembly);
}

/// <summary>An assembly with its registrations.</summary>
/// <param name="Assembly">In a context of its own.</param>
/// <param name="Registrations">The classes that register.</param>
sealed record Plugin(Assembly Assembly, IReadOnlyList<Type> Registrations)
{
    /// <summary>The files of the assembly and of those that it needs beside the engine's.</summary>
    public IReadOnlyList<string> Files => ((PluginContext)AssemblyLoadContext.GetLoadContext(Assembly)!).FilesOf(Assembly);

    /// <inheritdoc cref="Plugins.Load"/>
    public static Plugin Load(string file)
    {
        if (!File.Exists(file)) throw new FileNotFoundException($"--plugin: there is no file {file}");
        try
        {
            var assembly = new PluginContext(file).LoadFromAssemblyPath(file);
            CheckVersions(file, assembly);
            var registrations = assembly.GetExportedTypes().Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IPlugin)) && type.GetConstructor([]) is not null).ToArray();
            if (registrations.Length == 0) throw new InvalidOperationException($"--plugin: {file} has no public class with a constructor without arguments that implements {typeof(IPlugin).FullName}; add one whose {nameof(IPlugin.Register)} registers what it has");

            var before = Count();
            foreach (var type in registrations) ((IPlugin)Activator.CreateInstance(type)!).Register();
            if (Count() == before) throw new InvalidOperationException($"--plugin: {string.Join(", ", registrations.Select(type => type.FullName))} of {file} registers nothing");
            return new(assembly, registrations);
        }
        catch (BadImageFormatException)
        {
            throw new IOException($"--plugin: {file} is no .NET assembly; give the .dll that `dotnet build` makes of a class library");
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"--plugin: {file}: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or FileLoadException or TypeLoadException or MissingMemberException or ReflectionTypeLoadException)
        {
            throw new InvalidOperationException($"--plugin: {file} cannot be used: {e.Message.TrimEnd('.')}. What it needs has to be beside it (`dotnet publish`, or <EnableDynamicLoading>true</EnableDynamicLoading> in its project), and made for {Engine}", e);
        }
    }

    static string Engine => $"QuadEngine {Version(typeof(Tensor).Assembly.GetName())}";

    // Before anything of it runs: a member that is missing would show only when it is called.
    static void CheckVersions(string file, Assembly assembly)
    {
        foreach (var needed in assembly.GetReferencedAssemblies().Where(PluginContext.IsShared))
            if (Version(needed) != Version(AssemblyLoadContext.Default.LoadFromAssemblyName(new(needed.Name!)).GetName()))
                throw new InvalidOperationException($"--plugin: {file} was built for {needed.Name} {Version(needed)}, and this is {Engine}; build it against that version, or use the tool of its version");
    }

    // Before 1.0 a minor version may break what an earlier one promised.
    static string Version(AssemblyName name) => name.Version!.ToString(2);

    static int Count() => EntryFlags.Registries.Sum(registry => registry.Entries.Count);
}

/// <summary>Finds what a plugin needs: the engine's assemblies are those of the tool, so that both mean the same types; all others are beside the plugin.</summary>
sealed class PluginContext(string file) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(file))
{
    readonly AssemblyDependencyResolver resolver = new(file);

    public static bool IsShared(AssemblyName name) =>
        name.Name is { } simple && (simple == "QuadEngine" || simple.StartsWith("QuadEngine.", StringComparison.Ordinal)) && File.Exists(Path.Combine(AppContext.BaseDirectory, $"{simple}.dll"));

    /// <summary>The files of an assembly and of all that it needs which are beside it.</summary>
    public IReadOnlyList<string> FilesOf(Assembly assembly)
    {
        var files = new List<string>();
        Add(assembly);
        return files;

        void Add(Assembly one)
        {
            if (files.Contains(one.Location)) return;
            files.Add(one.Location);
            foreach (var needed in one.GetReferencedAssemblies().Where(needed => !IsShared(needed) && resolver.ResolveAssemblyToPath(needed) is not null)) Add(LoadFromAssemblyName(needed));
        }
    }

    protected override Assembly? Load(AssemblyName name) => !IsShared(name) && resolver.ResolveAssemblyToPath(name) is { } path ? LoadFromAssemblyPath(path) : null;

    protected override nint LoadUnmanagedDll(string name) => resolver.ResolveUnmanagedDllToPath(name) is { } path ? LoadUnmanagedDllFromPath(path) : 0;
}
