using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// Copies from memory to shared memory that a thread starts and does not wait for (cp.async, from sm_80 on). Elsewhere they are plain copies,
/// done at once, and whoever is right with the slow kind is right with these: a barrier separates a copy from its readers on both.
/// </summary>
static class AsyncCopy
{
    /// <summary>Starts to copy four floats; an index of -1 gives zeros.</summary>
    /// <param name="from">Where they come from.</param>
    /// <param name="index">The first of them, divisible by 4.</param>
    /// <param name="shared">The group's only shared memory.</param>
    /// <param name="address">Its <see cref="SharedMemoryAddress"/>.</param>
    /// <param name="at">Where the first goes, divisible by 4.</param>
    public static void Quad(Source from, int index, ArrayView<float> shared, int address, int at)
    {
        if (CudaAsm.IsSupported)
            CudaAsm.Emit("cp.async.cg.shared.global [%0], [%1], 16, %2;", address + sizeof(float) * at, from.Address + (long)sizeof(float) * (uint)Math.Max(index, 0), index < 0 ? 0 : 4 * sizeof(float));
        else
            shared.Cast<Quad>()[at / 4] = index < 0 ? default : from.Elements.Cast<Quad>()[index / 4];
    }

    /// <summary>Ends a batch of copies: they are waited for together.</summary>
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

    /// <summary>Where shared memory begins, for <see cref="Quad"/>: ILGPU gives no addresses, but names the first shared memory of a kernel so.</summary>
    public static int SharedMemoryAddress()
    {
        if (!CudaAsm.IsSupported) return 0;
        CudaAsm.Emit("mov.u32 %0, __shared_alloca0;", out int address);
        return address;
    }
}

/// <summary>Memory that kernels read through a view, or by its address where an instruction wants that.</summary>
/// <param name="elements">On a device.</param>
readonly struct Source(ArrayView<float> elements)
{
    public readonly ArrayView<float> Elements = elements;

    public readonly long Address = elements.LoadEffectiveAddressAsPtr();
}
