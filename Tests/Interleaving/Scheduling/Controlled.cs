extern alias real;
using Real = real::System.Threading;

namespace QuadEngine.Tests.Interleaving;

/// <summary>A thread that continues only when the scheduler allows it.</summary>
sealed class Controlled(Run run, int index, bool isBackground, Action body)
{
    [ThreadStatic] static Controlled? current;

    readonly object turn = new();
    Real.Thread? thread;
    bool mayGoOn;

    /// <summary>The calling thread if it is controlled; null for the threads of the test and the finalizer.</summary>
    public static Controlled? Current => current;

    public Run Run => run;

    public int Index => index;

    /// <summary>Whether the run ends without waiting for the thread.</summary>
    public bool IsBackground => isBackground;

    public bool HasEnded { get; private set; }

    /// <summary>The condition that the thread waits for; null if it can continue.</summary>
    public Func<bool>? WaitsFor { get; set; }

    /// <summary>A description of the next step.</summary>
    public string Next { get; set; } = "start";

    /// <summary>Whether the thread spins, with nothing to do before another thread has written.</summary>
    public bool HasYielded { get; set; }

    /// <summary>The number of writes of this thread, and of other threads' writes at its last turn of spinning.</summary>
    public long OwnWrites { get; set; }

    public long Seen { get; set; }

    public void Start()
    {
        thread = new Real.Thread(Live, maxStackSize: 1 << 20) { IsBackground = true, Name = $"Controlled {index}" };
        thread.UnsafeStart();
    }

    /// <summary>Lets the thread continue.</summary>
    public void Resume()
    {
        Real.Monitor.Enter(turn);
        mayGoOn = true;
        Real.Monitor.Pulse(turn);
        Real.Monitor.Exit(turn);
    }

    /// <summary>Lets the calling thread, which is this one, sleep until it is resumed. It does not spin first, because the next thread needs the core.</summary>
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
