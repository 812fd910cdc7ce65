using System.Globalization;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>
/// The process that works on the device. It runs one item after the other and writes a line for each event: "begin N", a figure, "end N".
/// An item that fails ends the process, because after a failed kernel the process cannot use the card any more. The parent then starts another process after the item.
/// </summary>
static class Worker
{
    const int ItemFailed = 3;

    public static int Run(string[] args)
    {
        var bench = new GpuBench(args);
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };

        // Other output is not a figure.
        Console.SetOut(Console.Error);
        for (var i = bench.From; i < bench.Items.Count; i++)
        {
            var item = bench.Items[i];
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"begin {i}"));
            try
            {
                using var scope = new TensorScope();
                foreach (var (name, value, text) in item.Run()) output.WriteLine(new Figure(item.Part, item.Name, name, value, text).ToJson());
            }
            catch (Exception failure)
            {
                output.WriteLine(new Figure(item.Part, item.Name, Figure.Failed, Text: $"{failure.GetType().Name}: {failure.Message}").ToJson());
                return ItemFailed;
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"end {i}"));
        }

        return 0;
    }
}
