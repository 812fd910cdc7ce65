using System.CommandLine;
using System.Reflection;
using System.Runtime.Loader;

namespace QuadEngine.Cli;

/// <summary>Assemblies of users, which register networks, data sets, neurons, optimizers, schedules and augmentations of their own (<see cref="IPlugin"/>).</summary>
static class Plugins
{
    static readonly Dictionary<string, Plugin> loaded = [];

    /// <summary>The option that names a plugin. It is read before all others, because a plugin adds names and options that they may use.</summary>
    public static Option<string[]> Option { get; } = new("--plugin")
    {
        Description = "An assembly that registers networks, data sets, neurons, optimizers, schedules or augmentations of its own. May be given several times.",
        HelpName = "DLL",
        Recursive = true,
    };

    /// <summary>The files that were loaded, in their order.</summary>
    public static IReadOnlyList<string> Files => [.. loaded.Keys];

    /// <summary>Loads the assemblies that a command line names, each once.</summary>
    /// <inheritdoc cref="Plugin.Load" path="/exception"/>
    public static void Load(IReadOnlyList<string> arguments)
    {
        var reader = new RootCommand { Option };
        reader.TreatUnmatchedTokensAsErrors = false;
        foreach (var file in reader.Parse(arguments).GetResult(Option)?.Tokens.Select(token => Path.GetFullPath(token.Value)) ?? [])
            if (!loaded.ContainsKey(file)) loaded[file] = Plugin.Load(file);
    }

    /// <summary>Returns the plugin of an assembly name; null if there is none.</summary>
    public static Plugin? Of(string? assembly) => loaded.Values.FirstOrDefault(plugin => plugin.Name == assembly);
}

/// <summary>An assembly with its registrations.</summary>
/// <param name="Name">The simple name of the assembly.</param>
/// <param name="Registrations">The full names of the classes that register, as C# writes them.</param>
/// <param name="Files">The files of the assembly and of those that it needs, without the engine's and .NET's.</param>
sealed record Plugin(string Name, IReadOnlyList<string> Registrations, IReadOnlyList<string> Files)
{
    /// <summary>Loads an assembly and lets it register.</summary>
    /// <exception cref="IOException">The file is missing, or is not an assembly.</exception>
    /// <exception cref="InvalidOperationException">The assembly is for another version of the engine, needs an assembly that is missing, or registers nothing.</exception>
    /// <exception cref="ArgumentException">The assembly registers a name that is taken.</exception>
    public static Plugin Load(string file)
    {
        if (!File.Exists(file)) throw new FileNotFoundException($"--plugin: there is no file {file}");
        try
        {
            var context = new PluginContext(file);
            var assembly = context.LoadFromAssemblyPath(file);
            var files = context.Require(assembly);
            var registrations = assembly.GetExportedTypes().Where(type => type is { IsClass: true, IsAbstract: false, IsGenericType: false } && type.IsAssignableTo(typeof(IPlugin)) && type.GetConstructor([]) is not null).ToArray();
            if (registrations.Length == 0) throw new InvalidOperationException($"--plugin: {file} has no public class with a constructor without arguments that implements {typeof(IPlugin).FullName}; add one whose {nameof(IPlugin.Register)} registers what it has");

            var before = Count();
            foreach (var type in registrations) ((IPlugin)Activator.CreateInstance(type)!).Register();
            if (Count() == before) throw new InvalidOperationException($"--plugin: {string.Join(", ", registrations.Select(type => type.FullName))} of {file} registers nothing");
            return new(assembly.GetName().Name!, [.. registrations.Select(type => type.FullName!.Replace('+', '.'))], files);
        }
        catch (BadImageFormatException)
        {
            throw new IOException($"--plugin: {file} is not a .NET assembly; give the .dll that `dotnet build` makes of a class library");
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"--plugin: {file}: {e.Message}", e);
        }
        catch (Exception e) when (e is FileLoadException or TypeLoadException or MissingMemberException or ReflectionTypeLoadException)
        {
            throw new InvalidOperationException($"--plugin: {file} cannot be used by {PluginContext.Engine}: {e.Message.TrimEnd('.')}. Build it against that version", e);
        }
    }

    static int Count() => EntryFlags.Registries.Sum(registry => registry.Entries.Count);
}

/// <summary>Finds the assemblies that a plugin needs. Those of the engine are the tool's, so that both use the same types; all others are in the plugin's folder, or are .NET's.</summary>
sealed class PluginContext(string file) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(file))
{
    readonly AssemblyDependencyResolver resolver = new(file);

    /// <summary>"QuadEngine 0.2".</summary>
    public static string Engine => $"QuadEngine {Version(typeof(Tensor).Assembly.GetName())}";

    /// <summary>Returns the files of an assembly and of those in its folder that it needs. Checks first that all are there, before any of their code runs.</summary>
    /// <exception cref="InvalidOperationException">An assembly is missing, or was built for another version of the engine.</exception>
    public IReadOnlyList<string> Require(Assembly assembly)
    {
        var files = new List<string>();
        Add(assembly);
        return files;

        void Add(Assembly one)
        {
            files.Add(one.Location);
            foreach (var needed in one.GetReferencedAssemblies())
            {
                if (IsShared(needed))
                {
                    if (Version(needed) != Version(Default.LoadFromAssemblyName(new(needed.Name!)).GetName()))
                        throw new InvalidOperationException($"--plugin: {one.Location} was built for {needed.Name} {Version(needed)}, and this is {Engine}; build it against that version, or use the tool of its version");
                }
                else if (resolver.ResolveAssemblyToPath(needed) is { } path)
                {
                    if (!files.Contains(path)) Add(LoadFromAssemblyPath(path));
                }
                else if (!IsOfRuntime(needed))
                    throw new InvalidOperationException($"--plugin: {one.Location} needs {needed.Name} {needed.Version}, which is not beside it; `dotnet publish` puts it there, as does <EnableDynamicLoading>true</EnableDynamicLoading> in its project");
            }
        }
    }

    protected override Assembly? Load(AssemblyName name) => !IsShared(name) && resolver.ResolveAssemblyToPath(name) is { } path ? LoadFromAssemblyPath(path) : null;

    protected override nint LoadUnmanagedDll(string name) => resolver.ResolveUnmanagedDllToPath(name) is { } path ? LoadUnmanagedDllFromPath(path) : 0;

    static bool IsShared(AssemblyName name) =>
        name.Name is { } simple && (simple == "QuadEngine" || simple.StartsWith("QuadEngine.", StringComparison.Ordinal)) && File.Exists(Path.Combine(AppContext.BaseDirectory, $"{simple}.dll"));

    static bool IsOfRuntime(AssemblyName name)
    {
        try
        {
            return Default.LoadFromAssemblyName(name) is not null;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    // Before 1.0 a minor version may break code that was built for an earlier one.
    static string Version(AssemblyName name) => name.Version!.ToString(2);
}
