namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>Three extents or indices.</summary>
readonly record struct Index3(int X, int Y, int Z)
{
    public long Count => (long)X * Y * Z;
}

/// <summary>Numbers that a thread can ask for.</summary>
enum Special
{
    ThreadX, ThreadY, ThreadZ, BlockX, BlockY, BlockZ, ThreadsX, ThreadsY, ThreadsZ, BlocksX, BlocksY, BlocksZ, Lane, WarpNumber,
}

/// <summary>The threads that share memory and wait for each other at barriers.</summary>
sealed class Block
{
    readonly PtxKernel kernel;
    readonly Warp[] warps;
    readonly int threads;
    Index3 index;
    bool hasCounted;

    public Block(PtxKernel kernel, Launch launch)
    {
        (this.kernel, Launch, threads) = (kernel, launch, (int)launch.Threads.Count);
        Shared = new SharedMemory(kernel);
        warps = [.. Enumerable.Range(0, (threads + Warp.Size - 1) / Warp.Size).Select(number => new Warp(kernel, this, number))];
    }

    public Launch Launch { get; }

    public SharedMemory Shared { get; }

    /// <summary>The number of barriers that all threads have passed.</summary>
    public int Barriers { get; private set; }

    /// <summary>Threads of the grid are numbered block after block.</summary>
    public uint FirstThread { get; private set; }

    public uint NumberOf(uint thread) => thread / (uint)threads;

    public void Run(Index3 at, Random order)
    {
        index = at;
        (Barriers, hasCounted) = (0, false);
        FirstThread = (uint)(threads * (at.X + (long)Launch.Blocks.X * (at.Y + (long)Launch.Blocks.Y * at.Z)));
        Shared.StartBlock();
        foreach (var warp in warps) warp.Start(threads - warp.Number * Warp.Size is var left and < Warp.Size ? (1u << left) - 1 : uint.MaxValue);
        while (true)
        {
            // Between barriers warps may run in any order.
            order.Shuffle(warps);
            foreach (var warp in warps)
                if (!warp.IsDone) warp.Run();

            if (kernel.GroupRegisters.Count > 0) CheckGroups();
            if (Array.Find(warps, warp => warp.Barrier is not null) is not { } waiting) return;
            if (Array.Find(warps, warp => warp.Barrier != waiting.Barrier) is { } missing)
                throw PtxFault.At(kernel.Name, waiting.Barrier!, $"{Describe(waiting.Number * Warp.Size)}: ", missing.Barrier is { } other
                    ? $"warp {missing.Number} waits at another barrier, that of line {other.Line}"
                    : $"warp {missing.Number} has returned and never comes to this barrier");
            Shared.Barrier();
            Barriers++;
        }
    }

    // The four warps of a group must multiply together, by the same matrices.
    void CheckGroups()
    {
        foreach (var group in warps.GroupBy(warp => warp.Number / 4))
            if (group.Select(warp => warp.Products.Begun).Distinct().Count() > 1 || group.Count() < 4 && group.First().Products.Begun.Count > 0)
                throw new PtxFault($"{kernel.Name}: {Describe(4 * group.Key * Warp.Size)}: the four warps of this group do not execute the same wgmma.mma_async with the same descriptors");
    }

    /// <summary>Called for an atomic operation, which tells other blocks that earlier writes have arrived. Checks that they have.</summary>
    public void Count(Warp warp, int lane)
    {
        if (Array.Find(warps, other => other.Unfenced != 0) is { } late)
            throw warp.Fault(lane, $"thread {late.Number * Warp.Size + System.Numerics.BitOperations.TrailingZeroCount(late.Unfenced)} of this block has written to global memory and executed no fence (membar.gl) since: a block that counts this one may not see it");
        hasCounted = true;
    }

    public void Fence(Warp warp, uint lanes)
    {
        warp.Unfenced &= ~lanes;
        if (hasCounted) warp.Acquired |= lanes;
    }

    public int Special(Special special, int thread)
    {
        var (blocks, extent) = (Launch.Blocks, Launch.Threads);
        return special switch
        {
            Ptx.Special.ThreadX => thread % extent.X,
            Ptx.Special.ThreadY => thread / extent.X % extent.Y,
            Ptx.Special.ThreadZ => thread / extent.X / extent.Y,
            Ptx.Special.BlockX => index.X,
            Ptx.Special.BlockY => index.Y,
            Ptx.Special.BlockZ => index.Z,
            Ptx.Special.ThreadsX => extent.X,
            Ptx.Special.ThreadsY => extent.Y,
            Ptx.Special.ThreadsZ => extent.Z,
            Ptx.Special.BlocksX => blocks.X,
            Ptx.Special.BlocksY => blocks.Y,
            Ptx.Special.BlocksZ => blocks.Z,
            Ptx.Special.Lane => thread % Warp.Size,
            _ => thread / Warp.Size,
        };
    }

    public string Describe(int thread) => $"block ({index.X}, {index.Y}, {index.Z}), thread {thread}";
}
