using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;

namespace QuadEngine.Gpu;

/// <summary>
/// Keeps the PTX of a kernel across runs in a folder of the user (QUADENGINE_CACHE names another folder; an empty value switches the cache off). The name of a file
/// is a digest of everything on which the text depends: the kernel, the builds of the assemblies that it is made from, this assembly, which
/// rewrites the text, ILGPU, and the architecture. The driver has its own cache of machine code.
/// </summary>
sealed class PtxCache
{
    public const string FolderVariable = "QUADENGINE_CACHE";

    readonly string? file;

    public PtxCache(Type kernel, string architecture)
    {
        var folder = Environment.GetEnvironmentVariable(FolderVariable) ?? DefaultFolder();
        if (folder.Length == 0) return;
        var builds = Parts(kernel).Append(typeof(PtxCache)).Append(typeof(Context)).Select(type => type.Module.ModuleVersionId.ToString()).Distinct().Order(StringComparer.Ordinal);
        var key = $"{kernel}|{architecture}|{string.Join('|', builds)}";
        file = Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..32] + ".ptx");
    }

    static string DefaultFolder() => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "QuadEngine", "kernels");

    /// <summary>The kernel as ILGPU would have compiled it, or null.</summary>
    public PTXCompiledKernel? Read(EntryPointDescription entry, KernelSpecialization specialization, Context context)
    {
        if (file is null) return null;
        try
        {
            return Create(context, new EntryPoint(entry, default, specialization), null, File.ReadAllText(file));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Stores a text. If the folder cannot be written, only the time to compile again is lost.</summary>
    public void Write(string text)
    {
        if (file is null) return;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            var aside = $"{file}.{Environment.ProcessId}";
            File.WriteAllText(aside, text);
            File.Move(aside, file, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Stores a text for inspection, in the cache or, if there is none, in the folder of temporary files.</summary>
    /// <returns>The file.</returns>
    public string Save(string text)
    {
        if (file is not null)
        {
            Write(text);
            if (File.Exists(file)) return file;
        }

        var saved = Path.ChangeExtension(Path.GetTempFileName(), ".ptx");
        File.WriteAllText(saved, text);
        return saved;
    }

    static IEnumerable<Type> Parts(Type type) => type.GetGenericArguments().SelectMany(Parts).Prepend(type);

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    static extern PTXCompiledKernel Create(Context context, EntryPoint entry, ILGPU.Backends.CompiledKernel.KernelInfo? info, string text);
}
