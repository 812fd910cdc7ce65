using QuadEngine.Layers;

namespace QuadEngine.Tests.Memory;

/// <summary>A write first completes pending reads, and it counts as a change: results of the old content are never used as results of the new content.</summary>
public class WritingTests
{
    static Tensor Image() => Tensor.Uniform([1, 8, 8, 256], -1f, 1f, new Generator(1));

    static float[] Answer(Tensor filter)
    {
        using Tensor image = Image(), y = image.Conv2d(filter, padding: 1);
        return y.ToArray();
    }

    // If the transformed filter is made while the filter is written, it must not be kept.
    [Test]
    public void New_weights_give_new_answers_while_others_ask()
    {
        var filter = Tensor.Zeros([3, 3, 256, 256]);
        float[][] weights = [.. Enumerable.Range(2, 2).Select(seed => Tensor.Uniform(filter.Shape, -1f, 1f, new Generator((ulong)seed)).ToArray())];
        float[][] right = [.. weights.Select(values =>
        {
            filter.Assign(values);
            return Answer(filter);
        })];
        using var stop = new CancellationTokenSource();
        var serving = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested) Answer(filter);
        });
        for (var round = 0; round < 60; round++)
        {
            filter.Assign(weights[round % 2]);
            for (var ask = 1; ask <= 3; ask++) Assert.That(Answer(filter), Is.EqualTo(right[round % 2]), $"round {round}, asked {ask} times");
        }

        stop.Cancel();
        serving.Wait();
    }

    [Test]
    public void Looking_at_a_network_in_training_changes_nothing()
    {
        float[] Train(bool looked)
        {
            static Tensor Start(Shape shape, Generator? _) => Initializers.KaimingNormal(shape, new Generator(1));
            var net = new Sequential(new Layers.Conv2d(3, 16, 3, padding: 1, initializer: Start), new Layers.Relu(), new Layers.Conv2d(16, 16, 3, padding: 1, initializer: Start),
                new GlobalAvgPool2d(), new Linear(16, 10, initializer: Start));
            var sgd = new Sgd(net.Parameters(), 0.05f, 0.9f);
            using var stop = new CancellationTokenSource();
            var viewer = Task.Run(() =>
            {
                using var noGrad = new NoGrad();
                using var x = Tensor.Ones([1, 16, 16, 3]);
                while (looked && !stop.IsCancellationRequested)
                {
                    using var y = net[x];
                    Assert.That(y.ToArray(), Has.None.NaN);
                }
            });
            var labels = IntTensor.FromArray([.. Enumerable.Range(0, 16).Select(i => i % 10)]);
            for (var step = 0; step < 40; step++)
            {
                using var x = Tensor.Uniform([16, 16, 16, 3], -1f, 1f, new Generator((ulong)step));
                using var loss = Losses.CrossEntropy(net[x], labels);
                loss.Backward();
                sgd.Step();
            }

            stop.Cancel();
            viewer.Wait();
            return [.. net.Parameters().SelectMany(parameter => parameter.ToArray())];
        }

        Assert.That(Train(looked: true), Is.EqualTo(Train(looked: false)));
    }

    [Test]
    public void A_result_asked_for_before_a_write_has_the_old_values()
    {
        Tensor x = Tensor.Ones([8, 4]), w = Tensor.Full([4, 4], 1f);
        var before = x.MatMul(w);
        var taken = x.MatMul(w).Relu();
        w.Assign(Tensor.Full([4, 4], 2f));
        var between = x.MatMul(w);
        w.Assign(Tensor.Full([4, 4], 3f));
        x.Assign(Tensor.Zeros([8, 4]));
        Assert.That(before.ToArray(), Is.All.EqualTo(4f));
        Assert.That(taken.ToArray(), Is.All.EqualTo(4f));
        Assert.That(between.ToArray(), Is.All.EqualTo(8f));
        Assert.That(x.MatMul(w).ToArray(), Is.All.EqualTo(0f));
    }

    [Test]
    public void Write_without_room_for_the_old_values_changes_nothing()
    {
        var device = new LimitedDevice();
        Tensor x = Tensor.Ones([16, 4], device), w = Tensor.Ones([4, 4], device), y = x.MatMul(w);
        float[] values = [.. Enumerable.Repeat(2f, 16)];
        device.Left = 0;
        Assert.That(() => w.Assign(values), Throws.TypeOf<OutOfMemoryException>());
        device.Left = long.MaxValue;
        Assert.That(w.ToArray(), Is.All.EqualTo(1f));
        w.Assign(values);
        Assert.That(y.ToArray(), Is.All.EqualTo(4f));
    }

    [Test]
    public void Snapshots_have_memory_of_their_own()
    {
        var p = new Parameter(Tensor.Ones([2]));
        Tensor times = p.Detach() * 1f, dropout = p.Detach().Dropout(0f), clone = p.Detach().Clone(), expanded = p.Detach().Expand([2]);
        p.Assign([5f, 5f]);
        foreach (var snapshot in (Tensor[])[times, dropout, clone, expanded]) Assert.That(snapshot.ToArray(), Is.All.EqualTo(1f));
        clone.Assign([7f, 7f]);
        Assert.That(p.ToArray(), Is.All.EqualTo(5f));
    }

    [Test]
    public void Gradients_pass_through_a_clone()
    {
        var p = new Parameter(Tensor.Ones([2]));
        (p.Clone() * 3f).Sum().Backward();
        Assert.That(p.Grad!.ToArray(), Is.All.EqualTo(3f));
    }

    [Test]
    public void Labels_that_were_overwritten_are_refused_by_backward()
    {
        var logits = Tensor.FromArray([1f, 2f, 3f], [1, 3]);
        logits.RequiresGrad = true;
        var labels = IntTensor.FromArray([0]);
        var loss = Losses.CrossEntropy(logits, labels);
        labels.Assign(IntTensor.FromArray([2]));
        Assert.That(() => loss.Backward(), Throws.InvalidOperationException.With.Message.Contains("labels").And.Message.Contains("overwritten"));
    }

    // A user's kernel writes in this way. It needs no internal access, and the tape notices the change.
    [Test]
    public void Writing_through_an_operand_counts()
    {
        Parameter p = new(Tensor.Ones([4]));
        var loss = p.Square().Sum();
        using (var elements = p.Write()) p.Device.Kernels.Fill(elements, 2f);
        Assert.That(p.ToArray(), Is.All.EqualTo(2f));
        Assert.That(() => loss.Backward(), Throws.InvalidOperationException.With.Message.Contains("overwritten"));
    }
}
