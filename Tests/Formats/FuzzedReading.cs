using System.Diagnostics;
using System.Globalization;

namespace QuadEngine.Tests.Formats;

/// <summary>
/// Reads thousands of damaged inputs. Each must be read, or refused by an <see cref="InvalidFileException"/>, with the same result each time, soon, and with memory in
/// proportion to its length. QUADENGINE_FUZZ=100000 reads 100,000 of each kind. A failure names the number of the input, which alone determines the input.
/// </summary>
static class FuzzedReading
{
    const int UsualCount = 2000;

    static readonly TimeSpan longest = TimeSpan.FromSeconds(10);

    /// <param name="name">The name in the report.</param>
    /// <param name="make">Makes the input of a number.</param>
    /// <param name="read">Reads an input and returns what is compared.</param>
    /// <param name="bytesOfAByte">The most memory that a byte of input may cost.</param>
    /// <param name="bytesOfAny">The most memory that any input may cost in addition.</param>
    public static void Run(string name, Func<int, byte[]> make, Func<byte[], byte[]> read, int bytesOfAByte, int bytesOfAny = 2_000_000)
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("QUADENGINE_FUZZ") ?? $"{UsualCount}", CultureInfo.InvariantCulture);
        var (taken, most, slowest) = (0, 0L, TimeSpan.Zero);
        for (var number = 0; number < count; number++)
        {
            var input = make(number);
            var (watch, before) = (Stopwatch.StartNew(), GC.GetAllocatedBytesForCurrentThread());
            var (first, error) = Outcome(input, read, number);
            var (allocated, elapsed) = (GC.GetAllocatedBytesForCurrentThread() - before, watch.Elapsed);
            var (again, sameError) = Outcome(input, read, number);
            if (error != sameError || !first.AsSpan().SequenceEqual(again)) Assert.Fail($"{name}: input {number} gives two different results");
            if (allocated > bytesOfAny + (long)bytesOfAByte * input.Length || elapsed > longest) Assert.Fail($"{name}: input {number} of {input.Length} bytes takes {allocated:N0} bytes and {elapsed}");
            (taken, most, slowest) = (taken + (error is null ? 1 : 0), Math.Max(most, allocated), elapsed > slowest ? elapsed : slowest);
        }

        TestContext.Out.WriteLine($"{name}: {count:N0} inputs, {taken:N0} read, {count - taken:N0} refused; most memory {most:N0} bytes, longest {slowest.TotalMilliseconds:0.0} ms");
        Assert.That(taken, Is.InRange(count / 100, count * 9 / 10), "inputs that were read");
    }

    static (byte[] Read, string? Error) Outcome(byte[] input, Func<byte[], byte[]> read, int number)
    {
        try
        {
            return (read(input), null);
        }
        catch (InvalidFileException e)
        {
            return ([], e.Message);
        }
        catch (Exception e)
        {
            Assert.Fail($"Input {number} is answered by {e}");
            throw;
        }
    }

    /// <summary>Returns a damaged copy of one of some files.</summary>
    public static byte[] Damaged(byte[][] seeds, int number) => FuzzTests.Mutate(seeds[number % seeds.Length], new SplitMix64((ulong)number));
}
