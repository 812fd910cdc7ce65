namespace QuadEngine.Tests.Interleaving;

/// <summary>The order of a run as text: which thread took each step, "0*3 1 0" for 0, 0, 0, 1, 0.</summary>
static class Schedule
{
    public static string Format(IReadOnlyList<int> threads)
    {
        List<string> runs = [];
        for (var i = 0; i < threads.Count;)
        {
            var end = i;
            while (end < threads.Count && threads[end] == threads[i]) end++;
            runs.Add(end - i == 1 ? $"{threads[i]}" : $"{threads[i]}*{end - i}");
            i = end;
        }

        return string.Join(' ', runs);
    }

    public static IReadOnlyList<int> Parse(string schedule) =>
    [
        .. schedule.Split(' ', StringSplitOptions.RemoveEmptyEntries).SelectMany(run => run.Split('*') switch
        {
            [var thread] => [int.Parse(thread)],
            [var thread, var count] => Enumerable.Repeat(int.Parse(thread), int.Parse(count)),
            _ => throw new FormatException($"Schedule: \"{run}\" is neither a thread nor thread*count."),
        }),
    ];
}
