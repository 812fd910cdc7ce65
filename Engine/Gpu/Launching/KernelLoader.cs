using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace QuadEngine.Gpu;

/// <summary>Launches a kernel on a stream.</summary>
delegate void Launcher<TKernel>(AcceleratorStream stream, KernelConfig config, TKernel kernel) where TKernel : struct, IKernel;

/// <summary>
/// Compiles kernels; no other code does. ILGPU compiles C# to IR and then to PTX or OpenCL C. The text is rewritten, loaded by the driver, and
/// kept for the lifetime of the device.
/// </summary>
sealed class KernelLoader(Accelerator accelerator)
{
    static readonly Lock Compiling = new();

    Delegate?[] launchers = new Delegate?[64];

    /// <summary>The number of kernels compiled (or read from the cache) so far.</summary>
    public int Loaded { get; private set; }

    /// <summary>Whether kernels wait on the device for the kernels on which they depend (<see cref="GraphEdges.Programmatic"/>).</summary>
    public bool WaitsOnDevice => accelerator is CudaAccelerator cuda && PtxText.CanWait(cuda.Architecture, cuda.InstructionSet);

    /// <summary>The launcher of a kernel, compiled at the first request.</summary>
    /// <exception cref="InvalidOperationException">The kernel does not compile; the message names the kernel and the architecture.</exception>
    public Launcher<TKernel> Get<TKernel>() where TKernel : struct, IKernel
    {
        var id = KernelNumber<TKernel>.Value;
        if (id < launchers.Length && launchers[id] is { } launcher) return (Launcher<TKernel>)launcher;

        var loaded = Load<TKernel>();
        if (id >= launchers.Length) Array.Resize(ref launchers, Math.Max(id + 1, 2 * launchers.Length));
        launchers[id] = loaded;
        Loaded++;
        return loaded;
    }

    Launcher<TKernel> Load<TKernel>() where TKernel : struct, IKernel
    {
        try
        {
            using var scope = Compiling.EnterScope();

            // ILGPU distinguishes structures only by their flattened fields. So a structure of an earlier kernel, with the same fields nested in
            // another way, would be used instead of this kernel's structure.
            accelerator.Context.ClearCache(ClearCacheMode.Everything);
            var entry = KernelNaming.EntryPoint(typeof(TKernel));
            var specialization = KernelNaming.Specialization(typeof(TKernel));
            var kernel = accelerator switch
            {
                CudaAccelerator cuda => LoadOnCuda(cuda, entry, specialization),
                CLAccelerator openCl => openCl.LoadKernel(CompileForOpenCl(openCl, entry, specialization)),
                _ => accelerator.LoadKernel(entry.MethodSource),
            };
            return kernel.CreateLauncherDelegate<Launcher<TKernel>>();
        }
        catch (Exception exception) when (exception is not InsufficientExecutionStackException)
        {
            throw new InvalidOperationException(
                $"{KernelNaming.Display(typeof(TKernel))}: this kernel does not compile for {Architecture} ({Innermost(exception).Message}). Please report it with the output of `quad doctor`; meanwhile Device.Cpu runs everything.", exception);
        }
    }

    static Kernel LoadOnCuda(CudaAccelerator cuda, EntryPointDescription entry, KernelSpecialization specialization)
    {
        var kernel = entry.MethodSource.GetGenericArguments()[0];
        var cache = new PtxCache(kernel, $"{cuda.Architecture} {cuda.InstructionSet}");
        return CudaModule.Load(cuda, CompileForCuda(cuda, entry, specialization, cache), KernelNaming.Symbol(kernel), cache.Save);
    }

    static PTXCompiledKernel CompileForCuda(CudaAccelerator cuda, EntryPointDescription entry, KernelSpecialization specialization, PtxCache cache)
    {
        if (cache.Read(entry, specialization, cuda.Context) is { } cached) return cached;

        var compiled = CompilePtx(cuda.Backend, entry, specialization);
        ref var text = ref TextOf(compiled);
        if (PtxText.UnresolvedCalls(text) is { Count: > 0 } calls)
            throw new NotSupportedException($"it calls {string.Join(", ", calls)}, which has no PTX");
        cache.Write(text);
        return compiled;
    }

    /// <summary>The kernel with the text for the driver; its name is in the first line.</summary>
    public static PTXCompiledKernel CompilePtx(PTXBackend backend, EntryPointDescription entry, KernelSpecialization specialization)
    {
        var compiled = (PTXCompiledKernel)Compile(backend, entry, specialization);
        ref var text = ref TextOf(compiled);
        var kernel = entry.MethodSource.GetGenericArguments()[0];
        text = $"// {KernelNaming.Display(kernel)}\n{PtxText.Rewrite(text, PtxText.CanWait(backend.Architecture, backend.InstructionSet)).Replace($".entry {CudaModule.Entry}(", $".entry {KernelNaming.Symbol(kernel)}(", StringComparison.Ordinal)}";
        return compiled;
    }

    static CompiledKernel Compile(ILGPU.Backends.Backend backend, EntryPointDescription entry, KernelSpecialization specialization) => KernelNaming.Unrolled(entry.MethodSource.GetGenericArguments()[0])
        ? LoopUnroller.Run(backend.Context, () => backend.Compile(entry, specialization))
        : backend.Compile(entry, specialization);

    static CLCompiledKernel CompileForOpenCl(CLAccelerator openCl, EntryPointDescription entry, KernelSpecialization specialization)
    {
        var compiled = (CLCompiledKernel)Compile(openCl.Backend, entry, specialization);
        ref var text = ref TextOf(compiled);
        text = OpenClText.Rewrite(text);
        return compiled;
    }

    string Architecture => accelerator is CudaAccelerator cuda
        ? $"{cuda.Name}, {cuda.Architecture}, PTX {cuda.InstructionSet}, driver {cuda.DriverVersion}"
        : accelerator.Name;

    static Exception Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception;

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<PTXAssembly>k__BackingField")]
    public static extern ref string TextOf(PTXCompiledKernel kernel);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<Source>k__BackingField")]
    static extern ref string TextOf(CLCompiledKernel kernel);
}

/// <summary>A small number for each kernel type, so that a launch finds its launcher by index.</summary>
static class KernelNumber
{
    static int last = -1;

    public static int Next() => Interlocked.Increment(ref last);
}

static class KernelNumber<TKernel>
{
    public static readonly int Value = KernelNumber.Next();
}

/// <summary>The names of a kernel type for ILGPU and for messages.</summary>
static partial class KernelNaming
{
    static readonly MethodInfo Run = typeof(KernelEntry).GetMethod(nameof(KernelEntry.Run))!;

    public static EntryPointDescription EntryPoint(Type kernel) => EntryPointDescription.FromExplicitlyGroupedKernel(Run.MakeGenericMethod(kernel));

    public static KernelSpecialization Specialization(Type kernel) =>
        (KernelSpecialization)typeof(KernelNaming).GetMethod(nameof(SpecializationOf), BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(kernel).Invoke(null, null)!;

    public static bool Unrolled(Type kernel) =>
        (bool)typeof(KernelNaming).GetMethod(nameof(IsUnrolled), BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(kernel).Invoke(null, null)!;

    static bool IsUnrolled<TKernel>() where TKernel : struct, IKernel => TKernel.Unrolled;

    static KernelSpecialization SpecializationOf<TKernel>() where TKernel : struct, IKernel =>
        new(TKernel.Threads, TKernel.GroupsPerMultiprocessor > 0 ? TKernel.GroupsPerMultiprocessor : null);

    /// <summary>Unary_ReluOp: the name of the kernel's entry in PTX.</summary>
    public static string Symbol(Type kernel) => NoLetters().Replace(Display(kernel), "_").TrimEnd('_');

    [GeneratedRegex("[^A-Za-z0-9]+")]
    private static partial Regex NoLetters();

    /// <summary>Unary&lt;ReluOp&gt;</summary>
    public static string Display(Type type) => type.IsGenericType
        ? $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Display))}>"
        : type.Name;
}
