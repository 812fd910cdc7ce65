using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Tests.Interleaving.Models;

/// <summary>
/// Handles, operands, snapshots, deferred results and arrangements. If several threads read, compute, overwrite and drop at the same time, values are
/// those that a single thread gets, and every block is returned once.
/// </summary>
[TestFixture]
class MemoryModels
{
    [OneTimeSetUp]
    public void Settle()
    {
        Device.CpuThreads = 1;
        using var model = new Model();
        using var z = model.Defer(model.X);
        model.Expect(z, 1f);
    }

    // ---- handles

    [Test]
    public void A_handle_dropped_while_it_is_read() => Explore([
        m => m.TryExpect(m.X, 1f),
        m => m.X.Dispose(),
        m =>
        {
            using var other = m.Full(9f);
            m.Expect(other, 9f);
        }]);

    [Test]
    public void Views_of_one_memory_dropped_by_two_threads()
    {
        var views = new List<Tensor>();
        Explore([
            m => Dropped(m, 0),
            m => Dropped(m, 1)], prepare: m =>
            {
                views.Clear();
                views.AddRange([m.X.Detach(), m.X.Detach()]);
                m.X.Dispose();
            }, preemptions: 3);

        void Dropped(Model m, int view)
        {
            m.Expect(views[view], 1f);
            views[view].Dispose();
        }
    }

    // ---- deferred results

    [Test]
    public void A_result_read_by_two_threads() => Explore([m => m.Expect(m.Z!, 1f), m => m.Expect(m.Z!, 1f)], prepare: m => m.Z = m.Defer(m.X));

    [Test]
    public void A_result_read_by_one_thread_and_taken_over_by_another() => Explore([
        m => m.Expect(m.Z!, 1f),
        m =>
        {
            using var sum = m.Z! + m.R;
            m.Expect(sum, 11f);
        }], prepare: m => m.Z = m.Defer(m.X), preemptions: 1);

    [Test]
    public void A_result_taken_over_by_one_thread_and_dropped_by_another() => Explore([
        m =>
        {
            try
            {
                using var sum = FusionTable.JoinSum(m.Z!, m.R);
                if (sum is not null) m.Expect(sum, 11f);
            }
            catch (ObjectDisposedException)
            {
            }
        },
        m => m.Z!.Dispose()], prepare: m => m.Z = m.Defer(m.X), preemptions: 1);

    [Test]
    public void A_result_whose_kernel_fails_once() => Explore([m => m.TryExpect(m.Z!, 1f), m => m.TryExpect(m.Z!, 1f)], m => m.Expect(m.Z!, 1f), prepare: m =>
    {
        m.Failures = 1;
        m.Z = m.Defer(m.X);
    });

    [Test]
    public void A_result_has_two_places_in_the_graph_asked_for()
    {
        Node?[] places = new Node?[2];
        Explore([m => places[0] = m.Z!.EnterGraph(), m => places[1] = m.Z!.EnterGraph()], m =>
        {
            if (places[0] is null || !ReferenceEquals(places[0], places[1])) throw new InvalidOperationException("two entries in the graph");
            places[0]!.Release();
        }, prepare: m =>
        {
            m.X.RequiresGrad = true;
            m.Z = m.Normalize();
        });
    }

    // ---- writing

    [Test]
    public void An_operand_overwritten_while_the_result_is_computed() => Explore([
        m => m.Expect(m.Z!, 1f),
        m => m.Overwrite(m.X, 2f)], m => m.Expect(m.X, 2f), prepare: m => m.Z = m.Defer(m.X));

    [Test]
    public void An_operand_overwritten_twice_while_two_threads_read() => Explore([
        m => m.Expect(m.Z!, 1f),
        m =>
        {
            m.Overwrite(m.X, 2f);
            using var later = m.Defer(m.X);
            m.Overwrite(m.X, 3f);
            m.Expect(later, 2f);
        }], m => m.Expect(m.X, 3f), prepare: m => m.Z = m.Defer(m.X), preemptions: 1);

    [Test]
    public void Two_threads_overwrite_what_a_deferred_result_reads() => Explore([m => m.Overwrite(m.X, 2f), m => m.Overwrite(m.X, 3f)], m => m.Expect(m.Z!, 1f), prepare: m => m.Z = m.Defer(m.X));

    [Test]
    public void An_operand_overwritten_while_the_result_is_dropped() => Explore([m => m.Z!.Dispose(), m => m.Overwrite(m.X, 2f)], m => m.Expect(m.X, 2f), prepare: m => m.Z = m.Defer(m.X));

    [Test]
    public void Three_threads_do_all_of_it_in_random_orders() => Interleavings.Sample(() => Prepared(m => m.Z = m.Defer(m.X)), [
        m =>
        {
            m.Expect(m.Z!, 1f);
            m.Overwrite(m.R, 20f);
        },
        m =>
        {
            using var next = m.Defer(m.R);
            m.Overwrite(m.X, 2f);
            m.ExpectEachOf(next, 10f, 20f);
        },
        m =>
        {
            using var sum = m.Z! + m.R;
            m.Overwrite(m.X, 3f);
        }], m => m.Dispose(), schedules: 2_000, changes: 4);

    // ---- kept arrangements

    [Test]
    public void An_arrangement_made_while_its_memory_is_overwritten() => Explore([
        m =>
        {
            m.Arrange();
            m.Arrange();
            m.Arrange();
        },
        m => m.Overwrite(m.X, 2f)], m =>
        {
            for (var use = 0; use < 3; use++) Check(m.Arrange() is null or 2f, "an arrangement of old content");
        });

    [Test]
    public void An_arrangement_used_while_its_memory_is_dropped() => Explore([
        m =>
        {
            for (var use = 0; use < 3; use++) Check(m.TryArrange() is null or 1f, "an arrangement of other content");
        },
        m => m.X.Dispose()]);

    static void Check(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException(what);
    }

    static Model Prepared(Action<Model>? prepare)
    {
        var model = new Model();
        prepare?.Invoke(model);
        return model;
    }

    static void Explore(Action<Model>[] threads, Action<Model>? finallyCheck = null, Action<Model>? prepare = null, int preemptions = 2)
    {
        var schedules = Interleavings.Explore(() => Prepared(prepare), threads, m =>
        {
            finallyCheck?.Invoke(m);
            m.Dispose();
        }, preemptions);
        TestContext.Out.WriteLine($"{schedules} schedules");
    }

    /// <summary>Tensors of two equal elements, so that a torn write is visible, on a device that counts its blocks.</summary>
    sealed class Model : IDisposable
    {
        readonly CountedDevice device = new();

        public Model() => (X, R) = (Full(1f), Full(10f));

        public Tensor X { get; }

        public Tensor R { get; }

        public Tensor? Z { get; set; }

        /// <summary>The number of the next calls of the kernel that fail.</summary>
        public int Failures { get; set; }

        public Tensor Full(float value)
        {
            var tensor = Tensor.Empty([2], device);
            Overwrite(tensor, value);
            return tensor;
        }

        /// <summary>Returns a deferred x, or x plus a residual that joins it.</summary>
        public Tensor Defer(Tensor x) => DeferredProjection.Project([2], x, R, null, normalizes: false, (Kernels _, Operand x, NormTerm<Operand>? _, Operand _, in Epilogue<Operand> epilogue, Operand y) =>
        {
            if (Failures > 0)
            {
                Failures--;
                throw new TimeoutException("on purpose");
            }

            for (var i = 0; i < 2; i++) At(y, i) = Volatile.Read(ref At(x, i)) + (epilogue.Residual is { } residual ? Volatile.Read(ref At(residual, i)) : 0f);
        });

        public Tensor Normalize() => DeferredNormalization.Normalize(X, R, R, null, null, new(1e-5f, BatchStatistics: false));

        public void Overwrite(Tensor tensor, float value)
        {
            using var elements = tensor.Write();
            for (var i = 0; i < 2; i++) Volatile.Write(ref At(elements, i), value);
        }

        public void Expect(Tensor tensor, float value) => ExpectEachOf(tensor, value, value);

        /// <summary>Checks elements that were read while another thread wrote: each may have the old or the new value.</summary>
        public void ExpectEachOf(Tensor tensor, float value, float other)
        {
            using var elements = tensor.Read();
            float first = At(elements, 0), second = At(elements, 1);
            Check((first == value || first == other) && (second == value || second == other), $"[{first}, {second}] instead of {value} or {other}");
        }

        /// <summary>Like Expect, unless another thread has dropped the tensor, or its kernel fails.</summary>
        public void TryExpect(Tensor tensor, float value)
        {
            try
            {
                Expect(tensor, value);
            }
            catch (Exception exception) when (exception is ObjectDisposedException or TimeoutException)
            {
            }
        }

        /// <summary>Returns the first element of a kept copy of X, whose elements are equal; null if none is kept.</summary>
        public float? Arrange()
        {
            using var x = X.Read();
            var kept = x.Storage.Arranged(new ArrangedForm("copy", 0, 1, 2), () =>
            {
                var copy = Tensor.Empty([2], device);
                using (var to = copy.Write())
                    for (var i = 0; i < 2; i++) At(to, i) = Volatile.Read(ref At(x, i));
                var storage = copy.RetainStorage();
                copy.Dispose();
                return storage;
            });
            if (kept is null) return null;
            using var result = Operand.ToRead(kept, 0, [2]);
            return At(result, 0);
        }

        public float? TryArrange()
        {
            try
            {
                return Arrange();
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
        }

        public void Dispose()
        {
            Z?.Dispose();
            X.Dispose();
            R.Dispose();
            Check(device.Pool.Statistics.InUse == 0, $"{device.Pool.Statistics.InUse} bytes were not given back");
            device.Pool.Trim();
            Check(device.Pool.Statistics.Reserved == 0, $"{device.Pool.Statistics.Reserved} bytes are lost");
        }

        static unsafe ref float At(Operand operand, int i) => ref operand.Pointer()[i];
    }

    sealed class CountedDevice() : Device("counted")
    {
        public override Kernels Kernels => Cpu.Kernels;

        protected override DeviceMemory AllocateMemory(long bytes) => new CpuMemory(bytes);

        public override void Upload(ReadOnlySpan<byte> source, Operand target, long offset = 0) => Cpu.Upload(source, target, offset);

        public override void Download(Operand source, long offset, Span<byte> target) => Cpu.Download(source, offset, target);

        public override void Synchronize()
        {
        }
    }
}
