using System.Collections.Concurrent;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Stress;

/// <summary>The objects that the threads share, the work of each thread with them, and the expected results, which one thread computes first.</summary>
sealed class SharedWork : IDisposable
{
    const int Kinds = 4;

    // Results that one thread leaves for another, deferred or not, with the expected values.
    readonly ConcurrentQueue<(Tensor Value, float[] Expected)> handedOn = [];
    readonly ConcurrentDictionary<string, int> counts = [];
    readonly Lock assigning = new();

    readonly Module served = Network(seed: 1).Eval();
    readonly Tensor image = Tensor.Uniform([2, 8, 8, 3], -1f, 1f, new Generator(2));
    readonly float[] answer;

    // A filter that some threads read while one thread at a time overwrites it.
    readonly Tensor filter = Tensor.Zeros([3, 3, 128, 128]), wide = Tensor.Uniform([1, 8, 8, 128], -1f, 1f, new Generator(3));
    readonly float[][] weights, answers;

    // Images that a network evaluates while it stays in training mode.
    readonly Module judged = Network(seed: 7);
    readonly ImageDataset images = new("stress", Enumerable.Range(0, 12 * 192).Select(i => (byte)(31 * i)).ToArray(), Enumerable.Range(0, 12).Select(i => i % 3).ToArray(), ["a", "b", "c"], 8, 8, 3);
    readonly Evaluation judgement;

    readonly float[] trained;
    readonly Tensor left = Tensor.Uniform([32, 64], -1f, 1f, new Generator(4)), right = Tensor.Uniform([64, 32], -1f, 1f, new Generator(5)), residual = Tensor.Uniform([32, 32], -1f, 1f, new Generator(6));
    readonly float[][] products;

    // The network of a thread in training, which others use for inference.
    volatile Module? inTraining;

    public SharedWork()
    {
        answer = Serve();
        weights = [.. Enumerable.Range(10, 2).Select(seed => Tensor.Uniform(filter.Shape, -1f, 1f, new Generator((ulong)seed)).ToArray())];
        answers = [.. weights.Select(values =>
        {
            filter.Assign(values);
            return Convolve();
        })];
        judgement = Evaluation.Run(judged, images, batchSize: 4);
        trained = Train(shown: false);
        products = [.. Enumerable.Range(0, Kinds).Select(kind => Product(kind).ToArray())];
    }

    /// <summary>Runs all threads for the given time; returns the number of times that each kind of work was done.</summary>
    public IReadOnlyDictionary<string, int> Run(int threads, TimeSpan time, ulong seed)
    {
        var failures = new ConcurrentQueue<Exception>();
        using var stop = new CancellationTokenSource(time);
        Thread[] all = [.. Enumerable.Range(0, threads).Select(thread => new Thread(() =>
        {
            var dice = new Operations.Dice(1000 * seed + (ulong)thread + 1);
            try
            {
                while (!stop.IsCancellationRequested) Act(dice.Between(0, 99), dice);
            }
            catch (Exception failure)
            {
                failures.Enqueue(failure);
                stop.Cancel();
            }
        }))];
        foreach (var thread in all) thread.Start();
        foreach (var thread in all) thread.Join();
        if (failures.TryDequeue(out var first)) throw new AggregateException($"seed {seed}", [first, .. failures]);
        return counts;
    }

    public void Dispose()
    {
        while (handedOn.TryDequeue(out var left)) left.Value.Dispose();
    }

    void Act(int die, Operations.Dice dice)
    {
        switch (die)
        {
            case < 20: Drop(dice.Between(1, 9)); break;
            case < 40: HandOn(dice.Between(0, Kinds - 1)); break;
            case < 60: TakeUp(dice.Between(0, 5)); break;
            case < 72: Same("answer of a shared network", Serve(), answer); break;
            case < 75: Judge(cancelled: dice.Coin()); break;
            case < 82: Overwrite(dice.Between(0, 1)); break;
            case < 88: Look(); break;
            case < 93: Same("training", Train(shown: true), trained); break;
            case < 97: Fail(); break;
            default: Collect(dice.Coin()); break;
        }
    }

    // Nothing is disposed, so the collector finds the handles while other threads compute.
    void Drop(int k)
    {
        const int Length = 30_000;
        Same("sum of dropped handles", (Tensor.Full([Length], k) + 1f + Tensor.Full([Length], k)).ToArray(), [.. Enumerable.Repeat(2f * k + 1f, Length)]);
    }

    void HandOn(int kind)
    {
        handedOn.Enqueue((Product(kind), products[kind]));
        if (handedOn.Count > 64 && handedOn.TryDequeue(out var old)) Same("result handed on", old.Value.ToArray(), old.Expected);
    }

    // Several threads may hold the same result. Each computes with it, reads it or drops it.
    void TakeUp(int what)
    {
        if (!handedOn.TryDequeue(out var taken)) return;
        var (z, expected) = taken;
        if (what == 0) handedOn.Enqueue(taken);
        switch (what)
        {
            case 1: Same("result taken over", z.Relu().ToArray(), [.. expected.Select(value => MathF.Max(value, 0f))]); break;
            case 2: Same("result read", (z * 2f).ToArray(), [.. expected.Select(value => 2f * value)]); break;
            case 3: if (handedOn.IsEmpty) z.Dispose(); break;
            default: Same("result handed on", z.ToArray(), expected); break;
        }
    }

    Tensor Product(int kind)
    {
        using var noGrad = new NoGrad();
        var z = left.MatMul(right);
        return kind switch { 0 => z, 1 => z + residual, 2 => z.Relu(), _ => (z + residual).Relu() };
    }

    float[] Serve()
    {
        using var noGrad = new NoGrad();
        return served[image].ToArray();
    }

    void Judge(bool cancelled)
    {
        using var source = new CancellationTokenSource();
        if (cancelled)
        {
            Assert.That(() => Evaluation.Run(judged, images, batchSize: 4, _ => source.Cancel(), source.Token), Throws.InstanceOf<OperationCanceledException>());
            Count("evaluation that is canceled");
            return;
        }

        var again = Evaluation.Run(judged, images, batchSize: 4);
        if (again.Loss != judgement.Loss || again.Correct != judgement.Correct || !judged.Training) throw new AssertionException($"evaluation: {again}, expected {judgement}");
        Count("evaluation");
    }

    float[] Convolve()
    {
        using var y = wide.Conv2d(filter, padding: 1);
        return y.ToArray();
    }

    // The thread that has just written the filter is the only writer and gets the new answer. Threads that read at the same time get any number, but no NaN.
    void Overwrite(int version)
    {
        if (!assigning.TryEnter())
        {
            Assert.That(Convolve(), Has.None.NaN);
            return;
        }

        try
        {
            using var before = wide.Conv2d(filter, padding: 1);      // requested before the write, so it has the old weights at any time
            var old = Convolve();
            filter.Assign(weights[version]);
            Same("answer after new weights", Convolve(), answers[version]);
            Same("answer after new weights, again", Convolve(), answers[version]);
            Same("answer asked for before new weights", before.ToArray(), old);
        }
        finally
        {
            assigning.Exit();
        }
    }

    void Look()
    {
        if (inTraining is not { } network) return;
        using var noGrad = new NoGrad();
        using var y = network[image];
        Assert.That(y.ToArray(), Has.None.NaN);
        Count("look at a network in training");
    }

    float[] Train(bool shown)
    {
        var network = Network(seed: 20);
        var sgd = new Sgd(network.ParameterGroups(), 0.05f, momentum: 0.9f);
        // Without batch statistics, because inference by other threads would change them.
        network.Eval();
        if (shown) inTraining = network;
        for (var step = 0; step < 3; step++)
        {
            var x = Tensor.Uniform([4, 8, 8, 3], -1f, 1f, new Generator((ulong)step + 30));
            Losses.CrossEntropy(network[x], IntTensor.FromArray([0, 1, 2, 0])).Backward();
            sgd.Step();
        }

        return network.Parameters().First().ToArray();
    }

    // A failure during the work leaves nothing behind.
    void Fail()
    {
        using var noGrad = new NoGrad();
        Assert.That(() => (left.MatMul(right) + Tensor.Ones([7])).ToArray(), Throws.ArgumentException);
        var dropped = left.MatMul(right);
        dropped.Dispose();
        Assert.That(() => dropped.ToArray(), Throws.TypeOf<ObjectDisposedException>());
        Count("failure");
    }

    void Collect(bool trim)
    {
        GC.Collect(0);
        if (trim) Device.Cpu.Pool.Trim();
        Count("collection");
    }

    void Same(string what, float[] got, float[] expected)
    {
        var at = -1;
        for (var i = 0; i < expected.Length && at < 0; i++)
            if (BitConverter.SingleToInt32Bits(got[i]) != BitConverter.SingleToInt32Bits(expected[i])) at = i;
        if (at >= 0) throw new AssertionException($"{what}: element {at} is {got[at]:R}, expected {expected[at]:R}");
        Count(what);
    }

    void Count(string what) => counts.AddOrUpdate(what, 1, (_, count) => count + 1);

    static Sequential Network(ulong seed)
    {
        Tensor Start(Shape shape, Generator? _) => Initializers.KaimingNormal(shape, new Generator(seed));
        return new Sequential(
            new Conv2d(3, 16, 3, padding: 1, initializer: Start), new BatchNorm(16), new Relu(),
            new Conv2d(16, 16, 3, padding: 1, initializer: Start), new BatchNorm(16), new Relu(),
            new GlobalAvgPool2d(), new QuadraticLinear(16, 8, rank: 3, initializer: Start), new Linear(8, 3, initializer: Start));
    }
}
