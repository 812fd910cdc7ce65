using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// Loads the text of a kernel into the driver under the kernel's name, which profilers show, and reports the driver's message if it refuses the text. ILGPU gives
/// every entry the same name and loses the driver's message. So ILGPU loads a placeholder, whose function is then replaced by the kernel's.
/// </summary>
static class CudaModule
{
    // CU_JIT_ERROR_LOG_BUFFER, the option for its size, and that size.
    const int LogOption = 5, LogSizeOption = 6, LogBytes = 1 << 14;

    /// <summary>The entry as ILGPU names it.</summary>
    public const string Entry = "Kernel_Run";

    /// <summary>Loads the kernel, so that it can be launched.</summary>
    /// <param name="cuda">The device that will run it.</param>
    /// <param name="compiled">The compiled kernel; its entry has the given name, not ILGPU's.</param>
    /// <param name="name">The name of the entry.</param>
    /// <param name="save">Stores a refused text and returns its file.</param>
    /// <exception cref="NotSupportedException">The driver refuses the text; the message quotes the driver.</exception>
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

    // The placeholder has the same version and target, so that it loads wherever the kernel does.
    static string StandIn(string text) => new StringBuilder()
        .AppendJoin('\n', text.Split('\n').Where(line => line.StartsWith(".version", StringComparison.Ordinal) || line.StartsWith(".target", StringComparison.Ordinal) || line.StartsWith(".address_size", StringComparison.Ordinal)))
        .Append($"\n.visible .entry {Entry}()\n{{\n\tret;\n}}\n").ToString();

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "modulePtr")]
    static extern ref nint ModuleOf(CudaKernel kernel);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "functionPtr")]
    static extern ref nint FunctionOf(CudaKernel kernel);
}
