namespace QuadEngine.Tests.Cpu;

static class PoolMemory
{
    /// <summary>The bytes in use on the CPU after the collector has run, so that garbage of earlier tests is not returned during a measurement.</summary>
    public static long InUse()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Device.Cpu.Pool.Statistics.InUse;
    }
}
