namespace QuadEngine.Gpu;

/// <summary>
/// A GPU kernel: its fields are the arguments, <see cref="Run"/> is what every thread of every group does. Launch it with
/// <see cref="GpuDevice.Launch{TKernel}"/>; it is compiled for the device at its first launch.
/// </summary>
/// <remarks>
/// Kernels are explicitly grouped. Fields are <see cref="ILGPU.ArrayView{T}"/>, int, float and structs of these (no bool).
/// ILGPU compiles neither throw, lambdas, spans nor arrays whose length is not constant; indices are never negative.
/// </remarks>
public interface IKernel
{
    /// <summary>Threads of a group unless a kernel says otherwise; a power of two.</summary>
    const int DefaultThreads = 256;

    /// <summary>Threads of a group.</summary>
    static virtual int Threads => DefaultThreads;

    /// <summary>Groups that a multiprocessor should hold at once, which bounds the registers of a thread; 0 leaves it to the compiler.</summary>
    static virtual int GroupsPerMultiprocessor => 0;

    /// <summary>
    /// Loops of constant length are unrolled before PTX is written, and local arrays become registers there. ptxas does both by itself, but no longer
    /// keeps arrays in registers once a kernel copies asynchronously (cp.async). It takes seconds to compile.
    /// </summary>
    static virtual bool Unrolled => false;

    /// <summary>What one thread does.</summary>
    void Run();
}

/// <summary>The entry point of every kernel.</summary>
static class KernelEntry
{
    public static void Run<TKernel>(TKernel kernel) where TKernel : struct, IKernel => kernel.Run();
}
