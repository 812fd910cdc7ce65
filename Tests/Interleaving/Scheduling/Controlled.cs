extern alias real;
using Real = real::System.Threading;

namespace QuadEngine.Tests.Interleaving;

/// <summary>A thread that goes on only when the scheduler says so.</summary>
sealed class Controlled(Run run, int index, bool isBackground, Action body)
{
    [ThreadStatic] static Controlled? current;

    readonly object turn = new();
    Real.Thread? thread;
    bool mayGoOn;

    /// <summary>The controlled thread that calls, or null: the test's own thread, the finalizer's.</summary>
    public static Controlled? Current => current;

    public Run Run => run;

    public int Index => index;

    /// <summary>The run ends without waiting for it.</summary>
    public bool IsBackground => isBackground;

    public bool HasEnded { get; private set; }

    /// <summary>What it waits for; null where it can go on.</summary>
    public Func<bool>? WaitsFor { get; set; }

    /// <summary>What its next step does.</summary>
    public string Next { get; set; } = "start";

    /// <summary>It spins: it has nothing to do before another thread has written.</summary>
    public bool HasYielded { get; set; }

    /// <summary>Writes that this thread has made, and those that others had made when it last began a turn of its spinning.</summary>
    public long OwnWrites { get; set; }

    public long Seen { get; set; }

    public void Start()
    {
        thread = new Real.Thread(Live, maxStackSize: 1 << 20) { IsBackground = true, Name = $"Controlled {index}" };
        thread.UnsafeStart();
    }

    /// <summary>The thread goes on.</summary>
    public void Resume()
    {
        Real.Monitor.Enter(turn);
        mayGoOn = true;
        Real.Monitor.Pulse(turn);
        Real.Monitor.Exit(turn);
    }

    /// <summary>The calling thread, which is this one, sleeps until it is resumed. It does not spin before: the next thread wants the core.</summary>
    public void Pause()
    {
        Real.Monitor.Enter(turn);
        while (!mayGoOn) Real.Monitor.Wait(turn);
        mayGoOn = false;
        Real.Monitor.Exit(turn);
    }

    public void Join() => thread?.Join();

    void Live()
    {
        current = this;
        Pause();
        try
        {
            if (!run.IsOver) body();
        }
        catch (RunIsOverException)
        {
        }
        catch (Exception exception)
        {
            run.Fail(exception);
        }

        HasEnded = true;
        run.Ended(this);
    }
}

/// <summary>Unwinds a thread that a finished run has left behind.</summary>
sealed class RunIsOverException : Exception;
