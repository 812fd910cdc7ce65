namespace QuadEngine.Tests.Interleaving;

/// <summary>The search finds the classic faults, and finds nothing in code without a fault.</summary>
[TestFixture]
class CheckerTests
{
    [Test]
    public void A_lost_update_is_found()
    {
        var found = Interleavings.Find(() => new Counter(), [c => c.AddInTwoSteps(), c => c.AddInTwoSteps()], c => Expect(c.Value == 2, $"{c.Value}"));
        AssertFault<InvalidOperationException>(found, schedules: 5);
    }

    [Test]
    public void An_atomic_update_passes_in_every_order()
    {
        var schedules = Interleavings.Explore(() => new Counter(), [c => c.Add(), c => c.Add(), c => c.Add()], c => Expect(c.Value == 3, $"{c.Value}"), preemptions: 3);
        Assert.That(schedules, Is.GreaterThan(6));
    }

    [Test]
    public void A_check_before_the_act_is_found()
    {
        var found = Interleavings.Find(() => new OneSeat(), [s => s.Take(), s => s.Take()], s => Expect(s.Taken == 1, $"{s.Taken} took the one seat"));
        AssertFault<InvalidOperationException>(found, schedules: 10);
    }

    [Test]
    public void A_missed_wake_up_is_found()
    {
        var found = Interleavings.Find(() => new Sleeper(), [s => s.WaitCarelessly(), s => s.Wake()]);
        AssertFault<DeadlockException>(found, schedules: 20);
        Interleavings.Explore(() => new Sleeper(), [s => s.WaitCarefully(), s => s.Wake()], preemptions: 5);
    }

    [Test]
    public void Two_locks_in_opposite_order_are_found()
    {
        Action<(Lock A, object B)> forth = locks => { lock (locks.A) lock (locks.B) { } };
        Action<(Lock A, object B)> back = locks => { lock (locks.B) lock (locks.A) { } };
        var found = Interleavings.Find(() => (new Lock(), new object()), [forth, back]);
        AssertFault<DeadlockException>(found, schedules: 10);
        Interleavings.Explore(() => (new Lock(), new object()), [forth, forth, forth], preemptions: 3);
    }

    [Test]
    public void Two_threads_that_wait_for_each_other_politely_are_found()
    {
        var found = Interleavings.Find(() => new int[2], [
            flags => { while (Volatile.Read(ref flags[1]) == 0) Thread.Yield(); Volatile.Write(ref flags[0], 1); },
            flags => { while (Volatile.Read(ref flags[0]) == 0) Thread.Yield(); Volatile.Write(ref flags[1], 1); }]);
        AssertFault<LivelockException>(found, schedules: 1);
    }

    [Test]
    public void A_loop_that_looks_ends_when_the_other_writes() =>
        Interleavings.Explore(() => new int[1], [
            flags => { while (Volatile.Read(ref flags[0]) == 0) Thread.SpinWait(8); },
            flags => Volatile.Write(ref flags[0], 1)], preemptions: 5);

    [Test]
    public void A_thread_started_in_a_run_is_part_of_it()
    {
        var found = Interleavings.Find(() => new Counter(), [c =>
        {
            var thread = new Thread(c.AddInTwoSteps);
            thread.Start();
            c.AddInTwoSteps();
            thread.Join();
            Expect(c.Value == 2, $"{c.Value}");
        }]);
        AssertFault<InvalidOperationException>(found, schedules: 10);
    }

    [Test]
    public void Waiting_under_a_monitor_passes()
    {
        Interleavings.Explore(() => new Queue<int>(), [
            queue => { lock (queue) { while (queue.Count == 0) Monitor.Wait(queue); queue.Dequeue(); } },
            queue => { lock (queue) { queue.Enqueue(1); Monitor.Pulse(queue); } }], queue => Expect(queue.Count == 0, "left"), preemptions: 4);
    }

    [Test]
    public void A_fault_is_seen_again_in_its_schedule()
    {
        var found = Interleavings.Find(() => new Counter(), [c => c.AddInTwoSteps(), c => c.AddInTwoSteps()], c => Expect(c.Value == 2, $"{c.Value}"));
        Assert.Throws<InterleavingException>(() => Interleavings.Replay(found.Schedule!, () => new Counter(), [c => c.AddInTwoSteps(), c => c.AddInTwoSteps()], c => Expect(c.Value == 2, $"{c.Value}")));
        Assert.That(found.Trace.Where(step => step.What == "Write"), Has.All.Property(nameof(TakenStep.Where)).StartsWith("CheckerTests.cs:"));
    }

    [Test]
    public void Random_orders_find_a_lost_update()
    {
        var found = Interleavings.FindBySample(() => new Counter(), [c => c.AddInTwoSteps(), c => c.AddInTwoSteps(), c => c.AddInTwoSteps()], c => Expect(c.Value == 3, $"{c.Value}"));
        AssertFault<InvalidOperationException>(found, schedules: 50);
    }

    [Test]
    public void Kernels_run_inside()
    {
        var threads = Device.CpuThreads;
        Device.CpuThreads = 1;
        try
        {
            Interleavings.Explore(() => Tensor.Ones([4]), [x => Read(x, 2), x => Read(x, 2)], preemptions: 1);
        }
        finally
        {
            Device.CpuThreads = threads;
        }

        static void Read(Tensor x, float expected)
        {
            using var y = x + x;
            Expect(y.ToArray() is [var first, ..] && first == expected, "wrong sum");
        }
    }

    static void Expect(bool holds, string otherwise)
    {
        if (!holds) throw new InvalidOperationException(otherwise);
    }

    static void AssertFault<TFault>(Found found, int schedules)
    {
        TestContext.Out.WriteLine(found);
        Assert.That(found.Fault, Is.TypeOf<TFault>());
        Assert.That(found.Schedules, Is.LessThanOrEqualTo(schedules));
    }

    sealed class Counter
    {
        int value;

        public int Value => value;

        public void Add() => Interlocked.Increment(ref value);

        public void AddInTwoSteps()
        {
            var old = Volatile.Read(ref value);
            Volatile.Write(ref value, old + 1);
        }
    }

    sealed class OneSeat
    {
        bool isTaken;

        public int Taken;

        public void Take()
        {
            if (Volatile.Read(ref isTaken)) return;
            Volatile.Write(ref isTaken, true);
            Interlocked.Increment(ref Taken);
        }
    }

    sealed class Sleeper
    {
        readonly SemaphoreSlim bell = new(0);
        int asleep, work;

        // The check comes before the flag, so a thread that adds work between the two wakes nobody.
        public void WaitCarelessly()
        {
            if (Volatile.Read(ref work) == 1) return;
            Volatile.Write(ref asleep, 1);
            bell.Wait();
        }

        public void WaitCarefully()
        {
            Volatile.Write(ref asleep, 1);
            if (Volatile.Read(ref work) == 1 && Interlocked.Exchange(ref asleep, 0) == 1) return;
            bell.Wait();
        }

        public void Wake()
        {
            Volatile.Write(ref work, 1);
            if (Interlocked.Exchange(ref asleep, 0) == 1) bell.Release();
        }
    }
}
