namespace QuadEngine.Gpu;

/// <summary>
/// A GPU kernel. Its fields are the arguments, and every thread of every group executes <see cref="Run"/>. Launch it with
/// <see cref="GpuDevice.Launch{TKernel}"/>. The first launch compiles it for the device.
/// </summary>
/// <remarks>
/// Kernels are explicitly grouped. Fields are <see cref="ILGPU.ArrayView{T}"/>, int, float and structs of these (no bool).
/// ILGPU compiles neither throw, lambdas, spans nor arrays whose length is not constant; indices are never negative.
/// </remarks>
public interface IKernel
{
    /// <summary>The number of threads of a group, unless a kernel says otherwise; a power of two.</summary>
    const int DefaultThreads = 256;

    /// <summary>The number of threads of a group.</summary>
    static virtual int Threads => DefaultThreads;

    /// <summary>The number of groups that a multiprocessor should hold at once, which bounds the registers per thread; 0 leaves the choice to the compiler.</summary>
    static virtual int GroupsPerMultiprocessor => 0;

    /// <summary>
    /// Whether loops of constant length are unrolled before PTX is written, so that local arrays become registers. ptxas does both by itself, but it no longer
    /// keeps arrays in registers if a kernel copies asynchronously (cp.async). Compilation then takes seconds.
    /// </summary>
    static virtual bool Unrolled => false;

    /// <summary>The code of one thread.</summary>
    void Run();
}

/// <summary>The entry point of every kernel.</summary>
static class KernelEntry
{
    public static void Run<TKernel>(TKernel kernel) where TKernel : struct, IKernel => kernel.Run();
}
