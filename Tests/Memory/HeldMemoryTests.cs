using System.Runtime.CompilerServices;
using QuadEngine.Devices;

namespace QuadEngine.Tests.Memory;

/// <summary>Memory that a kernel or a copy uses is kept until the kernel or copy ends, even if the collector or another thread drops the handle.</summary>
public class HeldMemoryTests
{
    // The last use of each handle is the call itself. Other threads rent the memory that the collector frees during the call.
    [Test]
    public void Threads_get_their_own_numbers() => Parallel.For(0, 4, k =>
    {
        for (var i = 0; i < 60; i++)
        {
            var values = (Tensor.Full([1_000_000], k) + 1f).ToArray();
            if (values.AsSpan().ContainsAnyExcept(k + 1f)) throw new AssertionException($"thread {k}, round {i}: {values.First(value => value != k + 1)} for {k + 1}");
        }
    });

    [Test]
    public void An_operand_keeps_the_memory_of_a_dropped_tensor()
    {
        using var operand = Tensor.Full([77_777], 3f).Read();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var other = Tensor.Full([77_777], 4f);
        Assert.That(operand.AsSpan().ContainsAnyExcept(3f), Is.False);

        var x = Tensor.Full([77_777], 5f);
        using var read = x.Read();
        x.Dispose();
        using var another = Tensor.Full([77_777], 6f);
        Assert.That(read.AsSpan().ContainsAnyExcept(5f), Is.False);
    }

    [Test]
    public void An_operand_is_given_back_once()
    {
        var before = Cpu.PoolMemory.InUse();
        using (var x = Tensor.Ones([1000]))
        {
            var operand = x.Read();
            operand.Dispose();
            operand.Dispose();
            Assert.That(x.ToArray(), Is.All.EqualTo(1f));
            Assert.That(() => operand.Storage, Throws.TypeOf<ObjectDisposedException>().With.Message.Contains("Read()"));
        }

        Assert.That(Cpu.PoolMemory.InUse(), Is.EqualTo(before));
    }

    [Test]
    public void A_dropped_tensor_can_be_neither_read_nor_written()
    {
        var x = Tensor.Ones([3]);
        x.Dispose();
        Assert.That(() => x.Read(), Throws.TypeOf<ObjectDisposedException>().With.Message.Contains("Keep()"));
        Assert.That(() => x.Write(), Throws.TypeOf<ObjectDisposedException>());
        var labels = IntTensor.FromArray([1]);
        labels.Dispose();
        Assert.That(() => labels.Read(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void What_is_read_after_it_was_freed_is_found()
    {
        Assume.That(BufferPool.IsGuarded);
        using var first = Tensor.Full([999], 1f);
        Assert.That(Freed(999)[0], Is.NaN);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static unsafe float[] Freed(int length)
    {
        float* pointer;
        using (var x = Tensor.Full([length], 2f))
        using (var operand = x.Read()) pointer = Devices.Cpu.CpuPointers.Pointer(operand);
        return new ReadOnlySpan<float>(pointer, length).ToArray();
    }

    [Test]
    public unsafe void What_is_written_beside_a_block_or_after_it_was_freed_is_found()
    {
        Assume.That(BufferPool.IsGuarded);
        using (var memory = new Devices.Cpu.CpuMemory(256))
        {
            memory.Poison();
            memory.CheckPoison();
            memory.Poison();
            memory.Pointer[63] = 0f;
            Assert.That(memory.CheckPoison, Throws.InvalidOperationException.With.Message.Contains("252").And.Message.Contains("freed"));
        }

        foreach (var outside in (int[])[-1, 64])
        {
            using var memory = new Devices.Cpu.CpuMemory(256);
            memory.Pointer[outside] = 0f;
            Assert.That(memory.Poison, Throws.InvalidOperationException.With.Message.Contains(outside < 0 ? "in front of" : "behind"));
        }
    }

    // The collector's own timing does not matter, because the pool runs it before live bytes pass the bound.
    [Test]
    public void Live_bytes_stay_within_the_pools_bound()
    {
        var device = new LimitedDevice();
        const int Length = 1 << 20;
        long highest = 0;
        for (var i = 0; i < 400; i++)
        {
            Leave(device, Length);
            var bound = Math.Max(256L << 20, device.Pool.CollectsAt);
            highest = Math.Max(highest, device.Pool.Statistics.InUse);
            Assert.That(highest, Is.LessThanOrEqualTo(bound), $"step {i}");
        }

        Assert.That(device.Pool.CollectsAt, Is.EqualTo(256L << 20), "garbage does not raise the bound");
        Assert.That(device.Pool.Statistics.Peak, Is.LessThanOrEqualTo(256L << 20));
    }

    [Test]
    public void An_owner_is_asked_once_for_its_memory_however_often_it_registered()
    {
        var pool = new LimitedDevice().Pool;
        Owner one = new(), other = new();
        pool.Register(one);
        pool.Register(other);
        pool.Register(one);
        pool.Reclaim();
        Assert.That((one.Asked, other.Asked), Is.EqualTo((1, 1)));
        pool.Register(one);
        pool.Reclaim();
        Assert.That((one.Asked, other.Asked), Is.EqualTo((2, 1)), "an owner that registers again is asked again");
    }

    sealed class Owner : IReclaimable
    {
        public int Asked { get; private set; }

        public void Reclaim() => Asked++;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Leave(Device device, int length) => _ = Tensor.Ones([length], device) + 1f;

    [Test]
    public void Tensors_of_more_than_2_GiB_go_and_come_back()
    {
        if (Environment.GetEnvironmentVariable("QUADENGINE_LARGE") != "1") Assert.Ignore("This test takes 10 GB of memory; set QUADENGINE_LARGE=1 to run this test.");
        const int Length = (1 << 29) + 3;
        var values = new float[Length];
        for (var i = 0; i < Length; i += 1 << 20) values[i] = i;
        values[^1] = 7f;
        using var x = Tensor.FromArray(values, [Length]);
        Array.Clear(values);
        x.CopyTo(values);
        Assert.That((values[0], values[1 << 28], values[1 << 29], values[^1]), Is.EqualTo((0f, (float)(1 << 28), (float)(1 << 29), 7f)));
        values[1 << 29] = 5f;
        x.Assign(values);
        using var end = x.Slice(0, 1 << 29, 3);
        Assert.That(end.ToArray(), Is.EqualTo([5f, 0f, 7f]));
        Assert.That(x.BeginToArray()()[^1], Is.EqualTo(7f));
    }
}
