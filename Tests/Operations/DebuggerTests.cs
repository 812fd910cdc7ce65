using System.Diagnostics;
using System.Reflection;
using QuadEngine.Devices;

namespace QuadEngine.Tests.Operations;

/// <summary>Tests the text that a debugger shows for a tensor. The tests read it like a debugger: from the member that the attribute names.</summary>
public class DebuggerTests
{
    static string Shown(object tensor)
    {
        var attribute = tensor.GetType().GetCustomAttribute<DebuggerDisplayAttribute>()!;
        Assert.That(attribute.Value, Does.Match(@"^\{\w+,nq\}$"));
        var member = tensor.GetType().GetProperty(attribute.Value[1..^4], BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)!;
        return (string)member.GetValue(tensor)!;
    }

    [Test]
    public void First_values_are_shown() => Assert.Multiple(() =>
    {
        Assert.That(Shown(Tensor.FromArray([1, 2.5f, float.NaN], [3])), Is.EqualTo("Tensor[3] on cpu: 1, 2.5, NaN"));
        Assert.That(Shown(Tensor.Arange(8).Reshape(2, 4).Slice(0, 1, 1)), Is.EqualTo("Tensor[1, 4] on cpu: 4, 5, 6, 7"));
        Assert.That(Shown(Tensor.Arange(1000).Reshape(10, 100)), Is.EqualTo("Tensor[10, 100] on cpu: 0, 1, 2, 3, 4, 5, ..."));
        Assert.That(Shown(Tensor.Scalar(7f)), Is.EqualTo("Tensor[] on cpu: 7"));
        Assert.That(Shown(IntTensor.FromArray([3, -1])), Is.EqualTo("IntTensor[2] on cpu: 3, -1"));
        Assert.That(Shown(new Parameter(Tensor.Ones([2]))), Is.EqualTo("Parameter[2] on cpu: 1, 1"));
        Assert.That(Shown(new BufferTensor(Tensor.Ones([2]))), Is.EqualTo("BufferTensor[2] on cpu: 1, 1"));
    });

    [Test]
    public void What_has_no_values_to_show_says_why() => Assert.Multiple(() =>
    {
        Assert.That(Shown(Tensor.Zeros([0, 3])), Is.EqualTo("Tensor[0, 3] on cpu, empty"));
        Assert.That(Shown(IntTensor.FromArray([])), Is.EqualTo("IntTensor[0] on cpu, empty"));
        Assert.That(Shown(Tensor.Ones([2], TestDevices.Simulator)), Is.EqualTo($"Tensor[2] on {TestDevices.Simulator}, values are there"));
        var dropped = Tensor.Ones([2, 3]);
        dropped.Dispose();
        Assert.That(Shown(dropped), Is.EqualTo("Tensor[2, 3], dropped"));
        var integers = IntTensor.FromArray([1]);
        integers.Dispose();
        Assert.That(Shown(integers), Is.EqualTo("IntTensor[1], dropped"));
    });

    [Test]
    public void To_look_at_a_deferred_result_does_not_compute_it()
    {
        var y = Tensor.Ones([2, 2]).MatMul(Tensor.Ones([2, 2]));
        Assert.That(Shown(y), Is.EqualTo("Tensor[2, 2] on cpu, not computed yet"));
        Assert.That(y.Storage.Deferred, Is.Not.Null);
        Assert.That(y.ToArray(), Is.All.EqualTo(2f));
        Assert.That(Shown(y), Is.EqualTo("Tensor[2, 2] on cpu: 2, 2, 2, 2"));
    }

    [Test]
    public void To_look_at_a_tensor_does_not_keep_a_step_from_being_recorded()
    {
        var device = TestDevices.Simulator;
        var x = Tensor.Ones([2], device);
        using var recording = new Nothing(device);
        recording.Begin();
        try
        {
            Assert.That(Shown(x), Is.EqualTo($"Tensor[2] on {device}, in a step that is being recorded"));
        }
        finally
        {
            recording.End();
        }

        Assert.That(recording.Refusal, Is.Null);
        Assert.That(x.ToArray(), Is.All.EqualTo(1f));
    }

    // A thread that computes a result holds its lock. A debugger that stops the thread there still shows the result.
    [Test]
    public void A_result_that_another_thread_computes_can_be_looked_at()
    {
        using ManualResetEventSlim inside = new(), leave = new();
        var y = Tensor.On(new Storage(new Slow(() => { inside.Set(); leave.Wait(); })), [2]);
        var reader = Task.Run(y.ToArray);
        inside.Wait();
        try
        {
            Assert.That(Task.Run(() => Shown(y)).Wait(TimeSpan.FromSeconds(30)), "the debugger waits for the thread");
        }
        finally
        {
            leave.Set();
        }

        Assert.That(reader.Result, Is.All.EqualTo(3f));
    }

    sealed class Nothing(Device device) : Recording(device)
    {
        protected override void Launch()
        {
        }
    }

    sealed class Slow(Action during) : DeferredStep([2], Device.Cpu, [])
    {
        public override bool IsFree(Tensor z) => false;

        protected override bool Run(Held held, ChannelStatistics<Operand>? statistics, Operand y)
        {
            during();
            Device.Kernels.Fill(y, 3f);
            return false;
        }
    }
}
