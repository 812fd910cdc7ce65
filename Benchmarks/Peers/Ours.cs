namespace QuadEngine.Benchmarks.Peers;

/// <summary>The work in QuadEngine.</summary>
static class Ours
{
    public static (Action Step, string Version) Prepare(Contender contender)
    {
        Device.CpuThreads = contender.Threads;
        return (contender.Layer is "" ? OfNetwork(contender) : LayerWork.Get(contender.Layer).Ours(), $"QuadEngine {typeof(Device).Assembly.GetName().Version!.ToString(3)}: {Machine.Describe()}");
    }

    static Action OfNetwork(Contender contender)
    {
        var work = new NetworkWork(contender.Network, contender.Rank, contender.Batch, Device.Cpu);
        return contender.Step == Step.Train ? () => work.Train() : () => work.Infer();
    }
}
