using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// Finds the driver libraries under the names that distributions use. ILGPU requests libcuda.so and libOpenCL.so, which only
/// development packages install.
/// </summary>
static class NativeLibraries
{
    /// <summary>Names another CUDA driver library, for machines that keep it in another place and for tests.</summary>
    public const string CudaPathVariable = "QUADENGINE_LIBCUDA";

    // The places in which containers and WSL put the driver without telling the loader.
    static readonly string[] ElsewhereOnLinux = ["/usr/local/nvidia/lib64/libcuda.so.1", "/usr/local/nvidia/lib/libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"];

    static readonly Lock Gate = new();
    static bool installed;

    public static void Install()
    {
        lock (Gate)
        {
            if (installed) return;
            NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, Resolve);
            NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);
            installed = true;
        }
    }

    /// <summary>Whether the library can be loaded.</summary>
    public static bool Exists(string name) => Resolve(name, typeof(NativeLibraries).Assembly, null) != 0 || NativeLibrary.TryLoad(name, out _);

    // Zero leaves the search to the runtime, which adds the platform's own prefix and suffix.
    static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        string[] candidates = name switch
        {
            "cuda" when Environment.GetEnvironmentVariable(CudaPathVariable) is { Length: > 0 } file => [file],
            "cuda" => OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", .. ElsewhereOnLinux],
            "OpenCL" => ["libOpenCL.so.1"],
            _ => [],
        };
        foreach (var candidate in candidates)
            if (NativeLibrary.TryLoad(candidate, out var handle)) return handle;
        return 0;
    }
}
