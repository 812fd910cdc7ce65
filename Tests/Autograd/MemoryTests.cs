using QuadEngine.Layers;

namespace QuadEngine.Tests.Autograd;

/// <summary>Training without any call of Dispose keeps memory constant over 10,000 steps: the first and the last figures are compared.</summary>
public class MemoryTests
{
    const int Steps = 10_000, Settled = 4_000;

    sealed record Figures(long InUse, long Reserved, long Process)
    {
        public static Figures Now()
        {
            var pool = Device.Cpu.Pool.Statistics;
            return new(pool.InUse, pool.Reserved, Environment.WorkingSet);
        }

        public override string ToString() => $"{InUse / 1024.0:N0} KB in use, {Reserved / 1024.0:N0} KB held, process {Process / 1024.0 / 1024:N0} MB";
    }

    static void HoldsMemoryLevel(Action<int> step)
    {
        Figures? first = null;
        for (var i = 1; i <= Steps; i++)
        {
            step(i);
            if (i == Settled) first = Figures.Now();
        }

        var last = Figures.Now();
        TestContext.Out.WriteLine($"step {Settled:N0}: {first}\nstep {Steps:N0}: {last}");
        Assert.That(last.InUse, Is.LessThanOrEqualTo(Device.Cpu.Pool.CollectsAt));
        // The process holds little more memory than the pool.
        Assert.That(last.Process - last.Reserved, Is.LessThanOrEqualTo(first!.Process - first.Reserved + (256 << 20)));
    }

    [Test]
    public void Through_modules()
    {
        var net = new Sequential(new Conv2d(2, 8, 3, padding: 1), new BatchNorm(8), new Relu(), new GlobalAvgPool2d(), new QuadraticLinear(8, 6, rank: 2), new Linear(6, 3));
        var sgd = new Sgd(net.ParameterGroups(), 0.05f, momentum: 0.9f);
        var labels = IntTensor.FromArray([0, 1, 2, 0]);
        HoldsMemoryLevel(step =>
        {
            var images = Tensor.Uniform([4, 5, 5, 2], generator: new Generator((ulong)(step % 7)));
            var loss = Losses.CrossEntropy(net.Forward(images), labels);
            loss.Backward();
            sgd.Step();
        });
    }

    // A step has 0.15 MB of intermediate results. The collector sees only the handles, so without the pool's calls it would let gigabytes accumulate.
    [Test]
    public void Composed_at_top_level()
    {
        Parameter w = new(Tensor.Full([1, 64], 0.1f)), b = new(Tensor.Zeros([64]));
        var sgd = new Sgd([w, b], 0.01f);
        var x = Tensor.Uniform([128, 1], generator: new Generator(1));
        HoldsMemoryLevel(_ =>
        {
            var y = ((x * w + b).Tanh() * w).Sum([1]);
            (y - 0.3f).Square().Mean().Backward();
            sgd.Step();
        });
        Assert.That(Device.Cpu.Pool.Statistics.InUse, Is.LessThan(600L << 20));
    }
}
