using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// Copies from memory to shared memory that a thread starts without waiting for them (cp.async, from sm_80 on). On other devices they are plain copies,
/// done at once. Code that is correct with asynchronous copies is correct with plain ones, because a barrier separates a copy from its readers in both cases.
/// </summary>
static class AsyncCopy
{
    /// <summary>Starts to copy four floats; an index of -1 gives zeros.</summary>
    /// <param name="from">The source memory.</param>
    /// <param name="index">The index of the first float in the source, divisible by 4.</param>
    /// <param name="shared">The group's only shared memory.</param>
    /// <param name="address">The <see cref="SharedMemoryAddress"/> of the shared memory.</param>
    /// <param name="at">The index of the first float in shared memory, divisible by 4.</param>
    public static void Quad(Source from, int index, ArrayView<float> shared, int address, int at)
    {
        if (CudaAsm.IsSupported)
            CudaAsm.Emit("cp.async.cg.shared.global [%0], [%1], 16, %2;", address + sizeof(float) * at, from.Address + (long)sizeof(float) * (uint)Math.Max(index, 0), index < 0 ? 0 : 4 * sizeof(float));
        else
            shared.Cast<Quad>()[at / 4] = index < 0 ? default : from.Elements.Cast<Quad>()[index / 4];
    }

    /// <summary>Ends a batch of copies, for which a thread waits together.</summary>
    public static void Commit()
    {
        if (CudaAsm.IsSupported) CudaAsm.Emit("cp.async.commit_group;");
    }

    /// <summary>Waits until at most one batch is on its way.</summary>
    public static void WaitForAllButOne()
    {
        if (CudaAsm.IsSupported) CudaAsm.Emit("cp.async.wait_group 1;");
    }

    /// <summary>Waits for all copies.</summary>
    public static void WaitForAll()
    {
        if (CudaAsm.IsSupported) CudaAsm.Emit("cp.async.wait_group 0;");
    }

    /// <summary>The address of the shared memory, for <see cref="Quad"/>. ILGPU gives no addresses, but the name of a kernel's first shared memory is known.</summary>
    public static int SharedMemoryAddress()
    {
        if (!CudaAsm.IsSupported) return 0;
        CudaAsm.Emit("mov.u32 %0, __shared_alloca0;", out int address);
        return address;
    }
}

/// <summary>Memory that kernels read through a view, or by its address if an instruction needs the address.</summary>
/// <param name="elements">The memory on a device.</param>
readonly struct Source(ArrayView<float> elements)
{
    public readonly ArrayView<float> Elements = elements;

    public readonly long Address = elements.LoadEffectiveAddressAsPtr();
}
