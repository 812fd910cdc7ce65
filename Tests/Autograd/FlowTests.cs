using QuadEngine.Layers;

namespace QuadEngine.Tests.Autograd;

/// <summary>Guards and scopes hold for the code that follows them, on any thread, and restore the earlier state, in whatever order they are closed.</summary>
public class FlowTests
{
    /// <summary>A guard, with functions that open it and say whether it holds here.</summary>
    public sealed record Guard(string Name, Func<IDisposable> Open, Func<bool> Holds)
    {
        public override string ToString() => Name;
    }

    static IEnumerable<Guard> Guards()
    {
        yield return new("NoGrad", () => new NoGrad(), () => NoGrad.Active);
        yield return new("NonFiniteGuard", () => new NonFiniteGuard(), () => NonFiniteGuard.Active);
        yield return new("EvaluationMode", () => new EvaluationMode(), () => EvaluationMode.Active);
        yield return new("TensorScope", () => new TensorScope("open"), () => TensorScope.CurrentPath.Length > 0);
    }

    static Task OtherThread() => Task.Factory.StartNew(() => Thread.Sleep(5), default, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    static T OnThread<T>(Func<T> body)
    {
        T result = default!;
        var thread = new Thread(() => result = body());
        thread.Start();
        thread.Join();
        return result;
    }

    [TestCaseSource(nameof(Guards))]
    public void A_second_dispose_closes_no_other(Guard guard)
    {
        var first = guard.Open();
        first.Dispose();
        first.Dispose();
        Assert.That(guard.Holds(), Is.False);
        using (guard.Open())
        {
            first.Dispose();
            Assert.That(guard.Holds());
        }

        Assert.That(guard.Holds(), Is.False);
    }

    [TestCaseSource(nameof(Guards))]
    public void Closed_in_any_order_it_holds_until_the_last(Guard guard)
    {
        IDisposable first = guard.Open(), second = guard.Open(), third = guard.Open();
        second.Dispose();
        Assert.That(guard.Holds());
        first.Dispose();
        Assert.That(guard.Holds());
        third.Dispose();
        Assert.That(guard.Holds(), Is.False);
    }

    [TestCaseSource(nameof(Guards))]
    public async Task It_goes_on_behind_an_await_and_ends_there(Guard guard)
    {
        using (guard.Open())
        {
            var before = Environment.CurrentManagedThreadId;
            await OtherThread().ConfigureAwait(false);
            Assert.That((guard.Holds(), Environment.CurrentManagedThreadId == before), Is.EqualTo((true, false)));
            Assert.That(await Task.Run(guard.Holds).ConfigureAwait(false), "a task started inside");
        }

        Assert.That(guard.Holds(), Is.False);
    }

    [TestCaseSource(nameof(Guards))]
    public void A_thread_that_started_an_async_method_is_not_left_inside(Guard guard) => Assert.That(OnThread(() =>
    {
        Serve().Wait();
        return guard.Holds();

        async Task Serve()
        {
            using var open = guard.Open();
            await OtherThread().ConfigureAwait(false);
        }
    }), Is.False);

    [TestCaseSource(nameof(Guards))]
    public void Closed_on_another_thread_it_is_closed_where_it_was_opened(Guard guard)
    {
        using var outer = guard.Open();
        var inner = guard.Open();
        OnThread(() => { inner.Dispose(); return 0; });
        Assert.That(guard.Holds(), "the outer one is open");
        outer.Dispose();
        Assert.That(guard.Holds(), Is.False);

        var alone = guard.Open();
        OnThread(() => { alone.Dispose(); return 0; });
        Assert.That(guard.Holds(), Is.False);
    }

    [TestCaseSource(nameof(Guards))]
    public void Tasks_that_close_their_own_leave_those_of_others(Guard guard)
    {
        using var outer = guard.Open();
        Parallel.For(0, 64, _ =>
        {
            using (guard.Open()) Thread.SpinWait(100);
            Assert.That(guard.Holds());
        });
        Assert.That(guard.Holds());
    }

    // Each guard opens before the previous one closes, as in overlapping requests.
    [TestCaseSource(nameof(Guards))]
    public void No_chain_of_closed_ones_grows(Guard guard)
    {
        var all = new List<WeakReference>();
        var last = guard.Open();
        for (var i = 0; i < 100; i++) last = Next(last);
        GC.Collect();
        Assert.That(all.Count(guard => guard.IsAlive), Is.LessThanOrEqualTo(3));
        last.Dispose();

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        IDisposable Next(IDisposable before)
        {
            var next = guard.Open();
            before.Dispose();
            all.Add(new WeakReference(LinkOf(next)));
            return next;
        }

        static object? LinkOf(IDisposable guard) => guard.GetType().GetFields(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic).Single().GetValue(guard);
    }

    [Test]
    public void A_thread_trains_on_after_it_served_under_NoGrad()
    {
        using (var guard = new NoGrad()) guard.Dispose();
        using (new NoGrad()) Assert.That(NoGrad.Active);
        var w = new Parameter(Tensor.Ones([2]));
        OnThread(() =>
        {
            Serve().Wait();
            (w * 2f).Sum().Backward();
            return 0;
        });
        Assert.That(w.Grad!.ToArray(), Is.All.EqualTo(2f));

        static async Task Serve()
        {
            using var no = new NoGrad();
            await OtherThread().ConfigureAwait(false);
        }
    }

    [Test]
    public void A_scope_closed_on_another_thread_drops_what_was_made_and_nothing_later()
    {
        var scope = new TensorScope();
        var inside = Tensor.Ones([4]);
        OnThread(() => { scope.Dispose(); return 0; });
        Assert.That(inside.IsDropped);

        using var outside = Tensor.Ones([4]);
        scope.Dispose();
        Assert.That(outside.IsDropped, Is.False);
        Assert.That(Alive(), Is.False, "nothing holds a handle that was made after it");

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static bool Alive()
        {
            var handle = Make();
            GC.Collect();
            return handle.IsAlive;
        }

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference Make() => new(Tensor.Ones([4]));
    }

    [Test]
    public void A_scope_takes_the_handles_of_all_tasks_inside()
    {
        var made = new System.Collections.Concurrent.ConcurrentBag<Tensor>();
        var scope = new TensorScope();
        var kept = Tensor.Ones([1]);
        Parallel.For(0, 4000, i => made.Add(i % 100 == 0 ? Tensor.Ones([2]).Keep() : Tensor.Ones([2])));
        scope.Result(kept);
        scope.Dispose();
        Assert.That(made.Count(tensor => !tensor.IsDropped), Is.EqualTo(40));
        Assert.That(kept.IsDropped, Is.False);
    }

    [Test]
    public async Task A_task_that_outlives_its_scope_makes_tensors_in_the_one_outside()
    {
        var (closed, checkedOut) = (new TaskCompletionSource(), new TaskCompletionSource());
        Task<Tensor> late;
        using (new TensorScope())
        {
            using (new TensorScope()) late = Late();
            closed.SetResult();
            var tensor = await late.ConfigureAwait(false);
            Assert.That(tensor.IsDropped, Is.False);
            checkedOut.SetResult();
        }

        Assert.That((await late.ConfigureAwait(false)).IsDropped);

        async Task<Tensor> Late()
        {
            await closed.Task.ConfigureAwait(false);
            return Tensor.Ones([2]);
        }
    }

    // The scope of the call is on the thread's stack, so no change of flow inside the call removes it.
    [Test]
    public void What_a_module_opens_or_waits_for_leaves_its_scope_as_it_was([Values] bool waits)
    {
        Tensor? before = null, within = null, after = null;
        var module = new Function("inner", x =>
        {
            before = x + 1f;
            if (waits) Wait().Wait();
            else
            {
                using (new TensorScope("open"))
                {
                    Assert.That(TensorScope.CurrentPath, Is.EqualTo("0.open"));
                    within = x + 2f;
                }
            }

            Assert.That(TensorScope.CurrentPath, Is.EqualTo("0"));
            after = x + 3f;
            return after * 2f;
        });
        using var y = new Sequential(module).Forward(Tensor.Ones([2]));
        Assert.That((before!.IsDropped, within?.IsDropped, after!.IsDropped), Is.EqualTo((true, waits ? null : (bool?)true, true)));
        Assert.That(y.ToArray(), Is.All.EqualTo(8f));
        Assert.That(TensorScope.CurrentPath, Is.Empty);

        static async Task Wait()
        {
            using var scope = new TensorScope();
            using var noGrad = new NoGrad();
            await OtherThread().ConfigureAwait(false);
        }
    }

    [Test]
    public void A_trace_and_a_counter_see_their_own_flow_and_only_while_open()
    {
        var (calls, relu) = (0, new Layers.Relu());
        Tensor x = Tensor.Ones([2, 2]), y = Tensor.Ones([2, 2]);
        ModuleTrace first = new((_, _, _) => calls++), second = new((_, _, _) => calls += 10);
        MultiplyAddCounter one = new(), two = new();
        first.Dispose();
        first.Dispose();
        one.Dispose();
        one.Dispose();
        Parallel.For(0, 8, _ =>
        {
            using var result = relu[x] * y;
            result.ToArray();
        });
        second.Dispose();
        two.Dispose();
        _ = (relu[x] * y).ToArray();
        Assert.That((calls, one.Count, two.Count), Is.EqualTo((80, 0L, 32L)));
    }
}
