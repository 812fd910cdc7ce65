using QuadEngine.Devices;
using QuadEngine.Layers;
using QuadEngine.Tests.Memory;

namespace QuadEngine.Tests.Autograd;

/// <summary>Deferred results have the values of results that are computed at once, whatever happens before they are read, and cost no more.</summary>
public class DeferredTests
{
    [Test]
    public void A_result_that_found_no_memory_is_there_once_there_is()
    {
        var device = new LimitedDevice();
        Tensor x = Tensor.Ones([64, 2], device), w = Tensor.Ones([2, 128], device), y = x.MatMul(w);
        device.Left = 0;
        Assert.That(() => y.ToArray(), Throws.TypeOf<OutOfMemoryException>());
        Assert.That(() => y + x.MatMul(w), Throws.TypeOf<OutOfMemoryException>());
        device.Left = long.MaxValue;
        Assert.That(y.ToArray(), Is.All.EqualTo(2f));
    }

    [Test]
    public void A_result_whose_kernel_failed_is_computed_by_the_next_reader()
    {
        var device = new LimitedDevice();
        var before = device.Pool.Statistics.InUse;
        var tries = 0;
        using (var y = new Failing(device, () => tries++ == 0).Result())
        {
            Assert.That(() => y.ToArray(), Throws.InvalidOperationException);
            Assert.That(y.ToArray(), Is.All.EqualTo(3f));
        }

        Assert.That(device.Pool.Statistics.InUse, Is.EqualTo(before));
    }

    sealed class Failing(Device device, Func<bool> fails) : DeferredStep([5], device, [])
    {
        public override bool IsFree(Tensor z) => false;

        protected override bool Run(Held held, ChannelStatistics<Operand>? statistics, Operand y)
        {
            if (fails()) throw new InvalidOperationException("on purpose");
            Device.Kernels.Fill(y, 3f);
            return false;
        }
    }

    // h = relu(x w) has two operations in the code, but runs as one pass. x w alone is never computed, because its handle is garbage when h is read.
    [Test]
    public void An_unread_product_behind_a_relu_is_not_computed_when_the_optimizer_steps()
    {
        var w = new Parameter(Tensor.Full([8, 4], 0.5f));
        var sgd = new Sgd([w], 0.1f);
        using var counter = new MultiplyAddCounter();
        Tensor x = Tensor.Ones([64, 8]), z = x.MatMul(w), y = z.Relu();
        y.Sum().Backward();
        sgd.Step();
        Assert.That(counter.Count, Is.EqualTo(2 * 64 * 8 * 4), "forward once, and the gradient of w");
        Assert.That(z.ToArray(), Is.All.EqualTo(4f), "when it is read later, it has the values from before the step");
        Assert.That(z.Relu().ToArray(), Is.All.EqualTo(4f));
        Assert.That(w.ToArray(), Is.All.EqualTo(0.5f - 0.1f * 64f).Within(1e-5f));
    }

    [Test]
    public void Deferred_results_of_many_steps_leave_nothing_behind()
    {
        var device = new LimitedDevice();
        Tensor w = Tensor.Ones([2, 2], device), x = Tensor.Ones([16, 2], device);
        var before = device.Pool.Statistics.InUse;
        for (var i = 0; i < 100; i++)
        {
            using Tensor large = x.MatMul(w), small = x.Slice(0, 0, 1).MatMul(w);
            w.Assign([i, i, i, i]);
            var value = i == 0 ? 2f : 2f * (i - 1);
            Assert.That(large.ToArray(), Is.All.EqualTo(value));
            Assert.That(small.ToArray(), Is.All.EqualTo(value));
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.That(device.Pool.Statistics.InUse, Is.EqualTo(before));
    }

    // The backward of the neurons reads [y, f]. So [y, f] is written at once, and the projection does not run a second time for it.
    [Test]
    public void Quadratic_neurons_behind_a_relu_run_their_projection_once()
    {
        var layer = new QuadraticLinear(16, 16, rank: 3);
        using var counter = new MultiplyAddCounter();
        layer[Tensor.Ones([8, 16])].Relu().Sum().Backward();
        Assert.That(counter.Count, Is.EqualTo(2 * 8 * 16 * 16 + 2 * 8 * layer.Lambda.Length));
    }

    [Test]
    public void Threads_share_a_network()
    {
        var net = new Sequential(new Linear(4, 4), new Layers.BatchNorm(4), new Layers.Relu(), new QuadraticLinear(4, 5, rank: 2));
        net.Eval();
        var x = Tensor.Uniform([2, 4], generator: new Generator(1));
        using var noGrad = new NoGrad();
        var expected = net[x].ToArray();
        InParallel(_ =>
        {
            using var noGrad = new NoGrad();
            for (var i = 0; i < 3000; i++)
            {
                using var y = net[x];
                Assert.That(y.ToArray(), Is.EqualTo(expected));
            }
        });
    }

    [Test]
    public void Threads_read_one_deferred_result()
    {
        for (var round = 0; round < 300; round++)
        {
            Tensor x = Tensor.Ones([32, 16]), w = Tensor.Full([16, 8], round), y = x.MatMul(w);
            InParallel(_ => Assert.That(y.ToArray(), Is.All.EqualTo(16f * round)), threads: 3);
        }
    }

    // One thread reads the result while another computes with it. Both get the right values in any order.
    [Test]
    public void A_result_is_read_and_taken_over_at_once()
    {
        Tensor x = Tensor.Ones([32, 64]), w = Tensor.Ones([64, 32]), r = Tensor.Ones([32, 32]), z = r;
        const int Rounds = 3000;
        using var gate = new Barrier(2);
        InParallel(thread =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                if (thread == 0) z = x.MatMul(w);
                gate.SignalAndWait();
                if (thread == 0) Assert.That((z + r).ToArray(), Is.All.EqualTo(65f));
                else Assert.That(z.ToArray(), Is.All.EqualTo(64f));
                gate.SignalAndWait();
            }
        }, threads: 2);
    }

    [Test]
    public void Threads_train_networks_of_their_own_with_the_bits_of_one_alone()
    {
        float[] Train()
        {
            static Tensor Start(Shape shape, Generator? _) => Initializers.KaimingNormal(shape, new Generator(1));
            var net = new Sequential(new Linear(6, 32, initializer: Start), new Layers.BatchNorm(32), new Layers.Relu(), new QuadraticLinear(32, 4, rank: 3, initializer: Start));
            var sgd = new Sgd(net.ParameterGroups(), 0.05f, momentum: 0.9f);
            var labels = IntTensor.FromArray([.. Enumerable.Range(0, 24).Select(i => i % 4)]);
            for (var step = 0; step < 100; step++)
            {
                var x = Tensor.Uniform([24, 6], generator: new Generator((ulong)step));
                Losses.CrossEntropy(net[x], labels).Backward();
                sgd.Step();
            }

            return net.Parameters().First().ToArray();
        }

        var alone = Train();
        var got = new float[3][];
        InParallel(thread => got[thread] = Train(), threads: got.Length);
        Assert.That(got, Is.All.EqualTo(alone));
    }

    static void InParallel(Action<int> body, int threads = 4)
    {
        var failures = new Exception?[threads];
        Thread[] all = [.. Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            try
            {
                using (new NUnit.Framework.Internal.TestExecutionContext.IsolatedContext()) body(i);
            }
            catch (Exception failure)
            {
                failures[i] = failure;
            }
        }))];
        foreach (var thread in all) thread.Start();
        foreach (var thread in all) thread.Join();
        Assert.That(failures, Is.All.Null);
    }
}
