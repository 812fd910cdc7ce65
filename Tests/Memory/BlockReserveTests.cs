using QuadEngine.Devices;

namespace QuadEngine.Tests.Memory;

/// <summary>Blocks of a recorded step are taken again late, but before memory becomes short.</summary>
public class BlockReserveTests
{
    const long MiB = 1 << 20;

    long allocated, room;
    BufferPool pool = null!;

    [SetUp]
    public void Fill()
    {
        (allocated, room) = (0, long.MaxValue);
        pool = new BufferPool(bytes =>
        {
            if (bytes > room) throw new OutOfMemoryException();
            room -= bytes;
            allocated += bytes;
            return new Block(bytes);
        });
        pool.RentInto(new BlockReserve());
    }

    [TearDown]
    public void End() => pool.RentInto(null);

    [Test]
    public void A_small_block_rests_until_many_others_were_freed()
    {
        var first = pool.Rent(1000);
        pool.Return(first);
        var others = 0;
        for (var next = pool.Rent(1000); next != first; next = pool.Rent(1000))
        {
            pool.Return(next);
            Assert.That(++others, Is.LessThan(1000));
        }

        Assert.That(others, Is.GreaterThan(50));
    }

    [Test]
    public void A_large_block_is_taken_again_at_once()
    {
        var first = pool.Rent(32 * MiB);
        pool.Return(first);
        Assert.That(pool.Rent(32 * MiB), Is.SameAs(first));
    }

    [Test]
    public void Resting_costs_at_most_64_megabytes()
    {
        var random = new Random(1);
        var sizes = Enumerable.Range(0, 12).Select(i => 4096L << i).ToArray();
        for (var i = 0; i < 10_000; i++) pool.Return(pool.Rent(sizes[random.Next(sizes.Length)]));
        Assert.That(allocated, Is.GreaterThan(32 * MiB).And.LessThanOrEqualTo(64 * MiB + sizes.Sum()));
    }

    [TestCase(1000)]
    [TestCase(300)]
    public void Where_there_is_no_other_memory_no_block_rests(int bytes)
    {
        var before = pool.Statistics.InUse;
        var first = pool.Rent(1000);
        pool.Return(first);
        room = 0;
        var held = pool.Statistics.InUse;
        Assert.That(pool.Rent(bytes), Is.SameAs(first), "a larger block is taken too");
        Assert.That(pool.Statistics.InUse, Is.EqualTo(held).And.GreaterThan(before), "it counted as in use while it was free");
        Assert.Throws<OutOfMemoryException>(() => pool.Rent(bytes));
    }

    sealed class Block(long bytes) : DeviceMemory
    {
        public override long Bytes => bytes;

        public override void Dispose()
        {
        }
    }
}
