namespace QuadEngine.Tests.Cpu;

static class PoolMemory
{
    /// <summary>Bytes in use on the CPU once nothing waits for the collector: what earlier tests left to it shall not go back in the middle of a measurement.</summary>
    public static long InUse()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Device.Cpu.Pool.Statistics.InUse;
    }
}
