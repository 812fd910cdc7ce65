using QuadEngine.Layers;

namespace QuadEngine.Tests.Autograd;

/// <summary>The owners of memory: handles, scopes and the tape.</summary>
public class ScopeTests
{
    static long InUse => Device.Cpu.Pool.Statistics.InUse;

    sealed class Leaking(Action<Tensor> see, bool keep) : Module
    {
        protected override Tensor Compute(Tensor x)
        {
            var inside = x * 2f;
            see(keep ? inside.Keep() : inside);
            return inside * 3f;
        }
    }

    [Test]
    public void Handles_made_inside_a_module_are_dropped_all_but_the_result()
    {
        Tensor? seen = null;
        var y = new Leaking(inside => seen = inside, keep: false).Forward(Tensor.Ones([2]));
        Assert.That(y.ToArray(), Is.EqualTo((float[])[6f, 6f]));
        Assert.That(seen!.IsDropped);
        Assert.That(() => seen.ToArray(), Throws.TypeOf<ObjectDisposedException>().With.Message.Contains("Keep()").And.Message.Contains("[2]"));
        Assert.That(() => seen + y, Throws.TypeOf<ObjectDisposedException>().With.Message.Contains("Keep()"));
    }

    [Test]
    public void Keep_takes_a_handle_out_of_its_module()
    {
        Tensor? seen = null;
        _ = new Sequential(new Leaking(inside => seen = inside, keep: true)).Forward(Tensor.Ones([2]));
        Assert.That(seen!.ToArray(), Is.EqualTo((float[])[2f, 2f]));
    }

    [Test]
    public void A_module_that_throws_closes_its_scope()
    {
        var broken = new Function("broken", _ => throw new InvalidOperationException("on purpose"));
        Assert.That(() => broken.Forward(Tensor.Ones([1])), Throws.InvalidOperationException);
        Assert.That(TensorScope.CurrentPath, Is.Empty);
        using var kept = Tensor.Ones([1]);
        Assert.That(kept.Item(), Is.EqualTo(1f));
    }

    [Test]
    public void What_the_tape_saved_survives_its_handles_and_returns_to_the_pool_as_backward_passes()
    {
        var w = new Parameter(Tensor.FromArray([2f], [1]));
        const int Length = 1 << 16, Layers = 6;
        var net = new Sequential([.. Enumerable.Range(0, Layers).Select(_ => new Function("layer", x => (x * w).Tanh()))]);
        var before = InUse;
        var y = net.Forward(Tensor.Ones([Length]));
        var taped = InUse - before;
        Assert.That(taped, Is.GreaterThanOrEqualTo(Layers * 2L * Length), "activations of all layers belong to the tape");

        y.Backward(Tensor.Ones([Length]));
        Assert.That(InUse - before, Is.LessThanOrEqualTo(3L * 4 * Length + 1024), "only the result, its gradient's seed and the input are left");
        Assert.That(y.ToArray(), Has.Length.EqualTo(Length), "the result stays readable");
    }

    [Test]
    public void A_dropped_graph_gives_its_memory_back_without_backward()
    {
        var w = new Parameter(Tensor.Ones([1]));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = InUse;
        for (var i = 0; i < 20; i++) Forget(w);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.That(InUse, Is.LessThanOrEqualTo(before));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget(Tensor w) => _ = (Tensor.Ones([1 << 14]) * w).Tanh().Exp();
    }

    [Test]
    public void Disposing_twice_and_disposing_views_is_harmless()
    {
        var x = Tensor.Full([4, 2], 3f);
        var view = x.Slice(0, 1, 2);
        x.Dispose();
        x.Dispose();
        Assert.That(view.ToArray(), Is.All.EqualTo(3f));
        Assert.That(() => x.Item(), Throws.TypeOf<ObjectDisposedException>().Or.TypeOf<ArgumentException>());
        view.Dispose();
    }
}
