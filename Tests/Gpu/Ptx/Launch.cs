namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>A kernel with its grid and a copy of its arguments from the time of the call.</summary>
sealed class Launch(PtxKernel kernel, Index3 blocks, Index3 threads, byte[] parameters)
{
    public PtxKernel Kernel => kernel;

    public Index3 Blocks => blocks;

    public Index3 Threads => threads;

    public byte[] Parameters => parameters;

    /// <summary>The memory of the device while the kernel runs.</summary>
    public GlobalMemory Memory { get; private set; } = new();

    /// <summary>Runs all blocks in an order that depends on the seed. Some of them run at the same time.</summary>
    public void Run(GlobalMemory memory, int seed)
    {
        if (threads.Count == 0 || threads.Count > kernel.MostThreads) throw new PtxFault($"{kernel.Name} is launched with {threads.Count} threads a block; it allows {kernel.MostThreads}.");
        Memory = memory;
        var order = new int[blocks.Count];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        new Random(seed).Shuffle(order);

        var next = -1;
        PtxFault? fault = null;
        var workers = Math.Min(order.Length, Environment.ProcessorCount);
        if (workers == 1) Work();
        else Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, _ => Work());
        if (fault is not null) throw fault;

        void Work()
        {
            var block = new Block(kernel, this);
            while (fault is null && Interlocked.Increment(ref next) is var i && i < order.Length)
            {
                var at = order[i];
                try
                {
                    block.Run(new Index3(at % blocks.X, at / blocks.X % blocks.Y, at / blocks.X / blocks.Y), new Random(seed ^ at));
                }
                catch (PtxFault found)
                {
                    Interlocked.CompareExchange(ref fault, found, null);
                }
            }
        }
    }
}
