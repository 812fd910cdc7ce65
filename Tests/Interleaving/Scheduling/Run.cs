extern alias real;
using Real = real::System.Threading;

namespace QuadEngine.Tests.Interleaving;

/// <summary>One step of a run: its thread, its action, and its place in the source if that was requested.</summary>
readonly record struct TakenStep(int Thread, string What, string? Where)
{
    public override string ToString() => Where is null ? $"{Thread}: {What}" : $"{Thread}: {What}  {Where}";
}

/// <summary>
/// One execution of a model in one order. Threads are real threads, of which one runs at a time. Before each call of a primitive
/// (<see cref="Step"/>) the running thread asks which thread continues. If it is another thread, it resumes that thread and sleeps until its own turn.
/// </summary>
/// <remarks>
/// The code between two primitives is one indivisible step, so the search does not find races on plain fields or effects of a weak memory order.
/// A thread that spins gives up its turn until another has written, so a spinning loop does not fill the search.
/// </remarks>
sealed class Run(IOrder order, int stepLimit, bool locate = false)
{
    [ThreadStatic] static Run? preparing;

    // Threads outside the run (the finalizer's) may use a primitive too, so its state changes under this lock.
    static readonly object Gate = new();

    readonly List<Controlled> threads = [];
    readonly List<TakenStep> steps = [];
    readonly Real.ManualResetEventSlim over = new();
    long writes;
    bool unwinding;

    public bool IsOver { get; private set; }

    public Exception? Fault { get; private set; }

    public IReadOnlyList<TakenStep> Steps => steps;

    public string Schedule => Interleaving.Schedule.Format([.. steps.Select(step => step.Thread)]);

    /// <summary>Builds the model and runs its threads until all have ended and their background threads have nothing left to do.</summary>
    public void Execute<TModel>(Func<TModel> build, IReadOnlyList<Action<TModel>> bodies, Action<TModel>? finallyCheck)
    {
        try
        {
            preparing = this;
            var model = build();
            foreach (var body in bodies) Add(isBackground: false, () => body(model));
            preparing = null;

            Pass(from: null);
            over.Wait();
            Unwind();
            if (Fault is null) finallyCheck?.Invoke(model);
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
        finally
        {
            preparing = null;
        }
    }

    Controlled Add(bool isBackground, Action body)
    {
        var thread = new Controlled(this, threads.Count, isBackground, body);
        threads.Add(thread);
        thread.Start();
        return thread;
    }

    /// <summary>Starts a thread of the calling thread's run; returns null if there is no run.</summary>
    public static Controlled? Spawn(bool isBackground, Action body) => (Controlled.Current?.Run ?? preparing)?.Add(isBackground, body);

    // ---- calls of primitives

    /// <summary>Called before a primitive that cannot block. A primitive that only reads wakes no thread that spins.</summary>
    public static void Step(string what, bool reads = false)
    {
        if (Controlled.Current is not { } me) return;
        me.Run.Point(me, what);
        if (!reads) me.Run.Wrote(me);
    }

    /// <summary>Called with a change that needs no step before it, e.g. the release of a lock. Threads that wait for it may continue at the next step.</summary>
    public static void Changed()
    {
        if (Controlled.Current is { } me) me.Run.Wrote(me);
    }

    /// <summary>Called before a primitive that blocks until <paramref name="ready"/>; then runs <paramref name="done"/>, with no other thread between them. Both may run on any thread.</summary>
    public static void Block(string what, Func<bool> ready, Action done)
    {
        while (true)
        {
            if (Controlled.Current is { } me)
            {
                me.WaitsFor = ready;
                me.Run.Point(me, what);
                me.WaitsFor = null;
                me.Run.Wrote(me);
            }

            if (Atomic(() => { if (!ready()) return false; done(); return true; })) return;
            Real.Thread.Yield();
        }
    }

    /// <summary>Called in a loop that waits by repeated checks.</summary>
    public static void Spin(string what)
    {
        if (Controlled.Current is not { } me) return;
        var others = me.Run.writes - me.OwnWrites;
        me.HasYielded = me.Seen == others;
        me.Seen = others;
        me.Run.Point(me, what, yields: true);
        me.HasYielded = false;
    }

    /// <summary>Changes a primitive's state without interruption by any thread, inside or outside the run.</summary>
    public static T Atomic<T>(Func<T> change)
    {
        Real.Monitor.Enter(Gate);
        try
        {
            return change();
        }
        finally
        {
            Real.Monitor.Exit(Gate);
        }
    }

    // ---- the choice of the next thread

    void Point(Controlled me, string what, bool yields = false)
    {
        if (IsOver) throw new RunIsOverException();
        me.Next = what;
        Pass(me, yields);
        if (IsOver) throw new RunIsOverException();
        if (locate) steps[^1] = steps[^1] with { Where = Source.OfCaller() };
    }

    void Wrote(Controlled me)
    {
        writes++;
        me.OwnWrites++;
    }

    public void Fail(Exception fault)
    {
        Fault ??= fault;
        IsOver = true;
    }

    public void Ended(Controlled me)
    {
        if (unwinding) return;
        writes++;
        me.OwnWrites++;
        if (IsOver) over.Set();
        else Pass(me, yields: true);
    }

    void Pass(Controlled? from, bool yields = false)
    {
        if (Choose(from, yields) is not { } next)
        {
            IsOver = true;
            over.Set();
            if (from is { HasEnded: false }) from.Pause();
            return;
        }

        steps.Add(new(next.Index, next.Next, null));
        if (next == from) return;
        next.Resume();
        if (from is { HasEnded: false }) from.Pause();
    }

    Controlled? Choose(Controlled? from, bool yields)
    {
        var open = threads.Where(thread => !thread.HasEnded && thread.WaitsFor?.Invoke() is not false).ToList();
        if (open.Count == 0)
        {
            if (threads.Any(thread => !thread.HasEnded && !thread.IsBackground))
                Fail(new DeadlockException("Nobody can go on: " + string.Join(", ", threads.Where(thread => !thread.HasEnded).Select(thread => $"{thread.Index} waits in {thread.Next}"))));
            return null;
        }

        if (steps.Count >= stepLimit)
        {
            Fail(new LivelockException($"Not ended after {stepLimit} steps."));
            return null;
        }

        var able = open.Where(thread => !IsIdle(thread)).ToList();
        if (able.Count == 0) able = open;
        var stays = from is not null && able.Remove(from);
        if (stays) able.Insert(0, from!);
        return able[order.Next(new([.. able.Select(thread => thread.Index)], stays, yields))];
    }

    bool IsIdle(Controlled thread) => thread.HasYielded && writes - thread.OwnWrites == thread.Seen;

    // Threads that sleep at the end of the run leave through their finally blocks, one after the other.
    void Unwind()
    {
        unwinding = true;
        foreach (var thread in threads)
        {
            if (!thread.HasEnded) thread.Resume();
            thread.Join();
        }
    }
}

/// <summary>No thread can continue, and some have not ended.</summary>
sealed class DeadlockException(string message) : Exception(message);

/// <summary>The threads take steps and do not end.</summary>
sealed class LivelockException(string message) : Exception(message);
