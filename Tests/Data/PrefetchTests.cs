using QuadEngine.Data;

namespace QuadEngine.Tests.Data;

public class PrefetchTests
{
    [Test]
    public void Items_come_in_order_from_a_bounded_number_of_buffers([Values(0, 1, 3)] int ahead)
    {
        int buffers = 0, running = 0, most = 0;
        var gate = new Lock();
        using var items = new Prefetch<int[]>(2, 40, ahead,
            () => { Interlocked.Increment(ref buffers); return new int[1]; },
            (item, buffer) =>
            {
                var now = Interlocked.Increment(ref running);
                lock (gate) most = Math.Max(most, now);
                Thread.Sleep(item % 3);             // so that later items are often ready first
                buffer[0] = item;
                Interlocked.Decrement(ref running);
            });

        var got = new List<int>();
        while (items.MoveNext())
            got.Add(items.Current[0]);

        Assert.That(got, Is.EqualTo(Enumerable.Range(2, 38)));
        Assert.That(buffers, Is.EqualTo(ahead + 1));
        Assert.That(most, Is.InRange(1, Math.Max(1, ahead)));
    }

    [Test]
    public void What_a_preparation_throws_surfaces_at_its_item([Values(0, 1, 3)] int ahead)
    {
        using var items = new Prefetch<int[]>(0, 10, ahead, () => new int[1], (item, buffer) =>
            buffer[0] = item < 4 ? item : throw new InvalidDataException($"item {item} is damaged"));

        for (var i = 0; i < 4; i++)
        {
            Assert.That(items.MoveNext());
            Assert.That(items.Current[0], Is.EqualTo(i));
        }
        Assert.That(() => items.MoveNext(), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("item 4 is damaged"));
        Assert.That(() => items.MoveNext(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Disposing_early_stops_the_preparation()
    {
        int prepared = 0, running = 0;
        var items = new Prefetch<int[]>(0, 1_000_000, 4, () => new int[1], (item, _) =>
        {
            Interlocked.Increment(ref running);
            Thread.Sleep(5);
            Interlocked.Increment(ref prepared);
            Interlocked.Decrement(ref running);
        });
        Assert.That(items.MoveNext());
        items.Dispose();

        Assert.That(running, Is.Zero, "nothing is under way after Dispose");
        Assert.That(prepared, Is.LessThanOrEqualTo(5));
        Assert.That(() => items.MoveNext(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Guards_and_scopes_of_the_consumer_are_not_for_the_preparation()
    {
        using var scope = new TensorScope("consumer");
        using var noGrad = new NoGrad();
        using var items = new Prefetch<(bool, string)[]>(0, 5, 2, () => new (bool, string)[1], (_, buffer) => buffer[0] = (NoGrad.Active, TensorScope.CurrentPath));
        while (items.MoveNext()) Assert.That(items.Current[0], Is.EqualTo((false, "")));
    }
}
