using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// Loads the text of a kernel into the driver under a name of its own, which profilers show, and says what the driver had against it. ILGPU calls
/// every entry alike and loses the driver's words; it gets a stand-in to load, whose function is then the kernel's.
/// </summary>
static class CudaModule
{
    // CU_JIT_ERROR_LOG_BUFFER and its size.
    const int LogOption = 5, LogSizeOption = 6, LogBytes = 1 << 14;

    /// <summary>The entry as ILGPU names it.</summary>
    public const string Entry = "Kernel_Run";

    /// <summary>The kernel, ready to be launched.</summary>
    /// <param name="cuda">Where it will run.</param>
    /// <param name="compiled">Its entry has the name given, not ILGPU's.</param>
    /// <param name="name">Of the entry.</param>
    /// <param name="save">Saves a text that was refused, and says in which file.</param>
    /// <exception cref="NotSupportedException">The driver refuses the text; the message has its words.</exception>
    public static Kernel Load(CudaAccelerator cuda, PTXCompiledKernel compiled, string name, Func<string, string> save)
    {
        var text = KernelLoader.TextOf(compiled);
        cuda.Bind();
        var module = Load(text, save);
        CudaDriver.Check(CudaDriver.GetFunction(out var function, module, name));

        CudaKernel kernel;
        KernelLoader.TextOf(compiled) = StandIn(text);
        try
        {
            kernel = (CudaKernel)cuda.LoadKernel(compiled);
        }
        finally
        {
            KernelLoader.TextOf(compiled) = text;
        }

        CudaDriver.Check(CudaDriver.Unload(ModuleOf(kernel)));
        (ModuleOf(kernel), FunctionOf(kernel)) = (module, function);
        return kernel;
    }

    static unsafe nint Load(string text, Func<string, string> save)
    {
        var source = Marshal.StringToCoTaskMemUTF8(text);
        var log = NativeMemory.AllocZeroed(LogBytes);
        try
        {
            var options = stackalloc int[] { LogOption, LogSizeOption };
            var values = stackalloc void*[] { log, (void*)LogBytes };
            var error = CudaDriver.LoadModule(out var module, source, 2, options, values);
            if (error == 0) return module;
            var words = Marshal.PtrToStringUTF8((nint)log)!.Trim();
            throw new NotSupportedException($"{new CudaException((CudaError)error).Message}{(words.Length > 0 ? $": {words}" : "")}; the text that the driver refused is in {save(text)}");
        }
        finally
        {
            NativeMemory.Free(log);
            Marshal.FreeCoTaskMem(source);
        }
    }

    // Of the same version and target, so that it loads wherever the kernel does.
    static string StandIn(string text) => new StringBuilder()
        .AppendJoin('\n', text.Split('\n').Where(line => line.StartsWith(".version", StringComparison.Ordinal) || line.StartsWith(".target", StringComparison.Ordinal) || line.StartsWith(".address_size", StringComparison.Ordinal)))
        .Append($"\n.visible .entry {Entry}()\n{{\n\tret;\n}}\n").ToString();

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "modulePtr")]
    static extern ref nint ModuleOf(CudaKernel kernel);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "functionPtr")]
    static extern ref nint FunctionOf(CudaKernel kernel);
}
