namespace QuadEngine.Benchmarks.Peers;

/// <summary>The measurements of a contender.</summary>
/// <param name="Contender">The contender.</param>
/// <param name="Milliseconds">The time of a step, for each round.</param>
/// <param name="SecondsToFirstStep">The time from the start of its process to the end of its first step.</param>
/// <param name="PeakBytes">The highest memory of its process.</param>
/// <param name="Version">The library's name and version, as it reports them.</param>
sealed record Performance(Contender Contender, double[] Milliseconds, double SecondsToFirstStep, long PeakBytes, string Version)
{
    public double Median => Statistics.Median(Milliseconds);
}

/// <summary>Contenders take turns: A B C A B C ..., one at a time, each in its own warm process.</summary>
static class Turns
{
    // Long enough for the threads of OpenMP and ONNX Runtime to stop spinning.
    const int PauseMilliseconds = 30;

    public static Performance[] Take(IReadOnlyList<Contender> contenders, int rounds)
    {
        var workers = new List<WorkerProcess>();
        try
        {
            foreach (var contender in contenders) workers.Add(new WorkerProcess(contender));
            var times = workers.Select(_ => new double[rounds]).ToArray();
            for (var round = 0; round < rounds; round++)
                for (var i = 0; i < workers.Count; i++)
                {
                    Thread.Sleep(PauseMilliseconds);
                    times[i][round] = workers[i].Run(StepsOf(contenders[i]));
                }

            return [.. workers.Select((worker, i) => new Performance(worker.Contender, times[i], worker.SecondsToFirstStep, worker.PeakBytes, worker.Version))];
        }
        finally
        {
            foreach (var worker in workers) worker.Dispose();
        }
    }

    // One turn takes a few tenths of a second.
    static int StepsOf(Contender contender) => contender switch
    {
        { Layer: not "" } => 10,
        { Step: Step.Train } => 3,
        { Network: NetworkShape.ResNet20, Batch: <= 8 } => 100 / contender.Batch,
        _ => 6,
    };
}
