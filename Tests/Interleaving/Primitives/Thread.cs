extern alias real;
using QuadEngine.Tests.Interleaving;
using Real = real::System.Threading;

namespace System.Threading;

/// <summary>A thread of the run if it is started within a run, else a real thread.</summary>
sealed class Thread(ThreadStart body)
{
    Controlled? controlled;
    Real.Thread? free;

    public bool IsBackground { get; set; }

    public string? Name { get; set; }

    public void Start()
    {
        Run.Step("Thread.Start");
        controlled = Run.Spawn(IsBackground, () => body());
        if (controlled is not null) return;
        free = new(() => body()) { IsBackground = IsBackground, Name = Name };
        free.Start();
    }

    public void UnsafeStart() => Start();

    public void Join()
    {
        if (controlled is { } thread) Run.Block("Thread.Join", () => thread.HasEnded, () => { });
        else free?.Join();
    }

    public static void SpinWait(int iterations)
    {
        if (Controlled.Current is null) Real.Thread.SpinWait(iterations);
        else Run.Spin("SpinWait");
    }

    public static bool Yield()
    {
        if (Controlled.Current is null) return Real.Thread.Yield();
        Run.Spin("Yield");
        return true;
    }

    public static void Sleep(int milliseconds)
    {
        if (Controlled.Current is null) Real.Thread.Sleep(milliseconds);
        else Run.Spin("Sleep");
    }
}

struct SpinWait
{
    public int Count { get; private set; }

    public readonly bool NextSpinWillYield => true;

    public void SpinOnce() => SpinOnce(20);

    public void SpinOnce(int sleep1Threshold)
    {
        Count++;
        Thread.Yield();
    }

    public void Reset() => Count = 0;
}
