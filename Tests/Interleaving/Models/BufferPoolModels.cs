using QuadEngine.Devices;

namespace QuadEngine.Tests.Interleaving.Models;

/// <summary>The pool of blocks: no block has two owners, none is lost, and the counts are right while other threads rent, return and trim.</summary>
[TestFixture]
class BufferPoolModels
{
    [Test]
    public void Two_threads_rent_and_return()
    {
        var schedules = Interleavings.Explore(() => new Model(), [m => { m.Use(1, 64); m.Use(1, 64); }, m => { m.Use(2, 64); m.Use(2, 128); }], m => m.Check(), preemptions: 2);
        Report(schedules);
    }

    [Test]
    public void One_thread_rents_while_another_trims()
    {
        var schedules = Interleavings.Explore(() => new Model(), [m => { m.Use(1, 64); m.Use(1, 64); }, m => { m.Use(2, 64); m.Pool.Trim(); m.Pool.Trim(); }], m => m.Check(), preemptions: 2);
        Report(schedules);
    }

    [Test]
    public void Finalized_handles_are_released_by_whoever_comes_first()
    {
        var schedules = Interleavings.Explore(() => new Model(), [
            m => { m.Drop(1, 64); m.Use(1, 64); },
            m => { m.Drop(2, 64); m.Use(2, 64); m.Pool.Trim(); }], m => m.Check(), preemptions: 2);
        Report(schedules);
    }

    [Test]
    public void The_counts_are_never_wrong_meanwhile()
    {
        var schedules = Interleavings.Explore(() => new Model(), [
            m => m.Use(1, 64),
            m => m.Use(2, 64),
            m =>
            {
                var (inUse, peak, reserved) = m.Pool.Statistics;
                if (inUse is not (0 or 64 or 128) || reserved is not (0 or 64 or 128) || peak < inUse) throw new InvalidOperationException($"{inUse} of {reserved} bytes in use, at most {peak}");
            }], m => m.Check(), preemptions: 2);
        Report(schedules);
    }

    [Test]
    public void Where_there_is_memory_for_one_the_other_may_fail_and_the_counts_stay_right()
    {
        var schedules = Interleavings.Explore(() => new Model(capacity: 64), [m => m.TryUse(1, 64), m => m.TryUse(2, 64)], m => m.Check(), preemptions: 1);
        Report(schedules);
    }

    [Test]
    public void Three_threads_do_all_of_it_in_random_orders() =>
        Interleavings.Sample(() => new Model(), [
            m => { m.Use(1, 64); m.Drop(1, 128); m.Use(1, 128); },
            m => { m.Drop(2, 64); m.Pool.Trim(); m.Use(2, 64); },
            m => { m.Use(3, 128); m.Use(3, 64); m.Pool.Trim(); }], m => m.Check(), schedules: 1_000, changes: 4);

    static void Report(int schedules) => TestContext.Out.WriteLine($"{schedules} schedules");

    /// <summary>A pool of blocks that know their owners.</summary>
    sealed class Model
    {
        readonly List<Block> blocks = [];
        readonly Lock gate = new();
        readonly long capacity;
        long held;

        public Model(long capacity = long.MaxValue)
        {
            this.capacity = capacity;
            Pool = new(Allocate);
        }

        public BufferPool Pool { get; }

        public void Use(int thread, long bytes)
        {
            var block = Rent(thread, bytes);
            GiveBack(thread, block);
        }

        public void TryUse(int thread, long bytes)
        {
            try
            {
                Use(thread, bytes);
            }
            catch (OutOfMemoryException)
            {
            }
        }

        /// <summary>Releases a block like a handle that its owner has dropped and the collector has found.</summary>
        public void Drop(int thread, long bytes)
        {
            var block = Rent(thread, bytes);
            Pool.ReleaseLater(() => GiveBack(thread, block));
        }

        public void Check()
        {
            var (inUse, peak, reserved) = Pool.Statistics;
            Expect(inUse == 0, $"{inUse} bytes are in use");
            Expect(reserved == blocks.Where(block => !block.IsDisposed).Sum(block => block.Bytes), $"{reserved} bytes reserved");
            Expect(peak >= 0 && peak <= blocks.Count * 128 + 128, $"a peak of {peak} bytes");
            Pool.Trim();
            Expect(Pool.Statistics.Reserved == 0 && blocks.All(block => block.IsDisposed), "a block is lost");
        }

        Block Rent(int thread, long bytes)
        {
            var block = (Block)Pool.Rent(bytes);
            Expect(block.Bytes >= bytes, $"{block.Bytes} bytes instead of {bytes}");
            Expect(!block.IsDisposed, "a block that went back to the system was handed out");
            Expect(Interlocked.CompareExchange(ref block.Owner, thread, 0) == 0, "a block was handed out twice");
            return block;
        }

        void GiveBack(int thread, Block block)
        {
            Expect(!block.IsDisposed, "a block in use went back to the system");
            Expect(Interlocked.CompareExchange(ref block.Owner, 0, thread) == thread, "a block in use was handed out");
            Pool.Return(block);
        }

        DeviceMemory Allocate(long bytes)
        {
            lock (gate)
            {
                if (held + bytes > capacity) throw new OutOfMemoryException();
                held += bytes;
                var block = new Block(this, bytes);
                blocks.Add(block);
                return block;
            }
        }

        static void Expect(bool holds, string otherwise)
        {
            if (!holds) throw new InvalidOperationException(otherwise);
        }

        sealed class Block(Model model, long bytes) : DeviceMemory
        {
            public int Owner;

            public bool IsDisposed { get; private set; }

            public override long Bytes => bytes;

            public override void Dispose()
            {
                Expect(!IsDisposed, "a block went back to the system twice");
                Expect(Owner == 0, "a block in use went back to the system");
                IsDisposed = true;
                lock (model.gate) model.held -= bytes;
            }
        }
    }
}
