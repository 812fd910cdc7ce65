using CsCheck;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class RandomNumberTests
{
    static readonly Gen<int> Lengths = Gen.Frequency((8, Gen.Int[0, 90]), (1, Gen.Int[1000, 70_000]));

    static readonly Gen<RandomStream> Streams = Gen.Select(Gen.ULong, Gen.ULong, (seed, stream) => new RandomStream(seed, stream));

    static float Unit(RandomStream stream, int i)
    {
        var (x, y, z, w) = Philox.At(stream.Seed, stream.Stream, (ulong)i / 4);
        return Philox.ToUnit((i % 4) switch { 0 => x, 1 => y, 2 => z, _ => w });
    }

    [Test]
    public void Uniform_numbers_are_those_of_the_generator() => Gen.Select(Lengths, Streams).ForAll((length, stream) =>
    {
        var y = SameOnAnyThreads(() => { var y = Result([length]); CpuBackend.Uniform(y, stream, -2f, 0.5f); return y; });
        Assert.That(y, Is.EqualTo(Enumerable.Range(0, length).Select(i => -2f + (0.5f - -2f) * Unit(stream, i))));
    });

    [Test]
    public void Normal_numbers_are_Box_Mullers_of_the_generator() => Gen.Select(Lengths, Streams).ForAll((length, stream) =>
    {
        var y = SameOnAnyThreads(() => { var y = Result([length]); CpuBackend.Normal(y, stream, 1f, 3f); return y; });
        AssertClose(y, [.. Enumerable.Range(0, length).Select(i =>
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - Unit(stream, i & ~1))), angle = 2 * Math.PI * Unit(stream, i | 1);
            return 1 + 3 * radius * (i % 2 == 0 ? Math.Cos(angle) : Math.Sin(angle));
        })], tolerance: 1e-6, scale: 3);
    });

    [Test]
    public void Dropout_keeps_where_the_number_is_at_least_p() => Gen.Select(Lengths, Streams, Gen.OneOf(0f, 0.1f, 0.5f, 1f)).ForAll((length, stream, p) =>
    {
        var values = Values(length, seed: 3);
        var y = SameOnAnyThreads(() => { var y = Unaligned(values, [length]); CpuBackend.Dropout(y, stream, p, y); return y; });
        Assert.That(y, Is.EqualTo(values.Select((value, i) => Unit(stream, i) >= p ? value * (1f / (1f - p)) : 0f)));
    });
}
