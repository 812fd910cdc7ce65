namespace QuadEngine.Devices.Cpu;

/// <summary>Runs the chunks of a kernel on the cores. What a chunk is must not depend on the number of threads.</summary>
static class ThreadTeam
{
    /// <summary>Threads that kernels use, the calling one included; all cores at start.</summary>
    public static int Threads { get; set; } = Environment.ProcessorCount;

    /// <summary>Calls body(chunk) for every chunk in [0, chunks), on any thread, in any order.</summary>
    public static void Run(int chunks, Action<int> body)
    {
        if (chunks <= 1 || Threads == 1)
        {
            for (var chunk = 0; chunk < chunks; chunk++) body(chunk);
            return;
        }

        Parallel.For(0, chunks, new ParallelOptions { MaxDegreeOfParallelism = Threads }, body);
    }
}
