namespace QuadEngine.Tests.Interleaving;

/// <summary>The end of a search: the number of orders that were tried, and whether these were all orders within the bound.</summary>
sealed record Found(int Schedules, bool IsComplete, Exception? Fault, string? Schedule, IReadOnlyList<TakenStep> Trace)
{
    const int StepsShown = 100;

    /// <summary>The fault, the way to reproduce it, and the last steps before it.</summary>
    public override string ToString() => Fault is null
        ? $"No fault in {Schedules} schedules{(IsComplete ? "" : ", which are not all")}."
        : $"{Fault.GetType().Name} in schedule {Schedules}: {Fault.Message}\nReplay: \"{Schedule}\"\n{string.Join('\n', Trace.TakeLast(StepsShown))}\n{Fault.StackTrace}";
}

/// <summary>A fault that some order of the threads causes.</summary>
sealed class InterleavingException(Found found) : Exception(found.ToString(), found.Fault);

/// <summary>
/// Runs a model of a few threads in every order, or in many random orders. A model is the objects that the threads share; it is built anew for each
/// order. Each thread is a function of the model. The engine's own code runs, and each primitive of System.Threading that it calls is a step:
/// <code>
/// Interleavings.Explore(() => new Counter(),
///     threads: [c => c.Add(), c => c.Add()],
///     finallyCheck: c => Check.That(c.Value == 2), preemptions: 2);
/// </code>
/// A fault is an exception on any thread or in the check, a deadlock, or a run that does not end. The exception that reports it holds the
/// schedule, which <see cref="Replay{TModel}"/> runs again, and the trace.
/// </summary>
/// <remarks>
/// A model must behave the same in the same order: it builds everything that it uses, runs kernels with Device.CpuThreads = 1, and has enough memory in the pool.
/// </remarks>
static class Interleavings
{
    /// <summary>Runs all orders with up to <paramref name="preemptions"/> preemptions, those with fewer first. Throws if an order shows a fault, or if there are more orders than <paramref name="limit"/>.</summary>
    /// <returns>The number of orders.</returns>
    public static int Explore<TModel>(Func<TModel> model, Action<TModel>[] threads, Action<TModel>? finallyCheck = null, int preemptions = 2, int limit = 100_000, int stepLimit = 5_000)
    {
        var found = Find(model, threads, finallyCheck, preemptions, limit, stepLimit);
        if (found.Fault is not null) throw new InterleavingException(found);
        if (!found.IsComplete) throw new InvalidOperationException($"The model has more than {limit} schedules with {preemptions} preemptions: make it smaller, or use Sample.");
        return found.Schedules;
    }

    /// <summary>Like Explore, but returns the result.</summary>
    public static Found Find<TModel>(Func<TModel> model, Action<TModel>[] threads, Action<TModel>? finallyCheck = null, int preemptions = 2, int limit = 100_000, int stepLimit = 5_000)
    {
        var schedules = 0;
        for (var bound = 0; bound <= preemptions; bound++)
        {
            var order = new DepthFirst(bound);
            do
            {
                if (schedules == limit) return new(schedules, IsComplete: false, null, null, []);
                schedules++;
                var run = new Run(order, stepLimit);
                run.Execute(model, threads, finallyCheck);
                if (run.Fault is not null) return Report(run, schedules, model, threads, finallyCheck, stepLimit);
            }
            while (order.Advance());
        }

        return new(schedules, IsComplete: true, null, null, []);
    }

    /// <summary>Runs random orders, for models that have too many orders.</summary>
    /// <param name="changes">The number of steps at which a thread loses its turn. Each run finds a fault that needs d of them with a known probability.</param>
    public static void Sample<TModel>(Func<TModel> model, Action<TModel>[] threads, Action<TModel>? finallyCheck = null, int schedules = 1_000, int changes = 3, ulong seed = 1, int stepLimit = 20_000)
    {
        var found = FindBySample(model, threads, finallyCheck, schedules, changes, seed, stepLimit);
        if (found.Fault is not null) throw new InterleavingException(found);
    }

    /// <summary>Like Sample, but returns the result.</summary>
    public static Found FindBySample<TModel>(Func<TModel> model, Action<TModel>[] threads, Action<TModel>? finallyCheck = null, int schedules = 1_000, int changes = 3, ulong seed = 1, int stepLimit = 20_000)
    {
        var steps = 100;
        for (var schedule = 1; schedule <= schedules; schedule++)
        {
            var run = new Run(new RandomPriorities(seed + (ulong)schedule, changes, steps), stepLimit);
            run.Execute(model, threads, finallyCheck);
            if (run.Fault is not null) return Report(run, schedule, model, threads, finallyCheck, stepLimit);
            steps = Math.Max(1, run.Steps.Count);
        }

        return new(schedules, IsComplete: false, null, null, []);
    }

    /// <summary>Runs again the order that a fault has named. Throws what that order throws.</summary>
    public static void Replay<TModel>(string schedule, Func<TModel> model, Action<TModel>[] threads, Action<TModel>? finallyCheck = null, int stepLimit = 20_000)
    {
        var run = Again(schedule, model, threads, finallyCheck, stepLimit);
        if (run.Fault is not null) throw new InterleavingException(new(1, IsComplete: false, run.Fault, run.Schedule, run.Steps));
    }

    // The order of the fault runs once more, now with source lines.
    static Found Report<TModel>(Run failed, int schedules, Func<TModel> model, Action<TModel>[] threads, Action<TModel>? finallyCheck, int stepLimit)
    {
        var again = Again(failed.Schedule, model, threads, finallyCheck, stepLimit);
        var isSame = again.Steps.Count == failed.Steps.Count;
        return new(schedules, IsComplete: false, failed.Fault, failed.Schedule, isSame ? again.Steps : failed.Steps);
    }

    static Run Again<TModel>(string schedule, Func<TModel> model, Action<TModel>[] threads, Action<TModel>? finallyCheck, int stepLimit)
    {
        var run = new Run(new Replayed(Schedule.Parse(schedule)), stepLimit, locate: true);
        run.Execute(model, threads, finallyCheck);
        return run;
    }
}
