using System.Globalization;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Tests.Operations;

/// <summary>The laws that every operation obeys, for random shapes and arguments.</summary>
[TestFixtureSource(typeof(OperationCases), nameof(OperationCases.All))]
public class OperationTests(OperationCase operation)
{
    /// <summary>The number of calls of each operation; QUADENGINE_CALLS=100 draws 100 calls.</summary>
    static readonly int Calls = int.Parse(Environment.GetEnvironmentVariable("QUADENGINE_CALLS") ?? "12", CultureInfo.InvariantCulture);

    IEnumerable<(OperationCall Call, string Name)> Draw(int? calls = null)
    {
        for (var seed = 0ul; seed < (ulong)Math.Min(calls ?? Calls, Calls); seed++)
        {
            var call = operation.Draw(new Dice(seed));
            yield return (call, $"{operation}{call}, seed {seed}");
        }
    }

    [Test]
    public void Gradient_equals_finite_differences()
    {
        foreach (var (call, name) in Draw()) GradCheck.Check(name, call.Apply, call.Inputs);
    }

    [Test]
    public void Result_equals_the_formula_in_double()
    {
        foreach (var (call, name) in Draw())
        {
            if (call.Oracle is not { } oracle) continue;
            var got = call.Apply(call.Inputs);
            var expected = oracle([.. call.Inputs.Select(Array64.Of)]);
            Assert.That(got.Shape, Is.EqualTo(expected.Shape), name);
            Assert.That(got.ToArray(), Is.EqualTo(expected.Values.Select(value => (float)value)).Using<float>((a, b) => Math.Abs(a - b) <= 2e-5 * (1 + Math.Abs(b))), name);
        }
    }

    [Test]
    public void Same_bits_with_any_number_of_threads_and_again()
    {
        var threads = ThreadTeam.Threads;
        try
        {
            foreach (var (call, name) in Draw(4))
            {
                ThreadTeam.Threads = 1;
                var alone = ForwardAndBackward(call);
                foreach (var many in (int[])[1, 2, 3])
                {
                    ThreadTeam.Threads = many;
                    Assert.That(ForwardAndBackward(call), Is.EqualTo(alone), $"{name}, {many} threads");
                }
            }
        }
        finally
        {
            ThreadTeam.Threads = threads;
        }
    }

    [Test]
    public void Inputs_stay_as_they_are_and_no_gradient_means_no_graph()
    {
        foreach (var (call, name) in Draw(4))
        {
            var before = Bits(call.Inputs);
            var all = ForwardAndBackward(call);
            Assert.That(Bits(call.Inputs), Is.EqualTo(before), name);

            using var noGrad = new NoGrad();
            var leaves = Leaves(call);
            var y = call.Apply(leaves);
            Assert.That(y.RequiresGrad && !leaves.Contains(y), Is.False, name);
            Assert.That(Bits([y])[0], Is.EqualTo(all[0]).Using<int>(Near), name);
        }
    }

    [Test]
    public void Gradients_accumulate_and_one_alone_is_the_same()
    {
        foreach (var (call, name) in Draw(4))
        {
            var leaves = Leaves(call);
            var y = call.Apply(leaves);
            if (!y.RequiresGrad) continue;
            var seed = Tensor.Full(y.Shape, 0.75f);
            y.Backward(seed, retainGraph: true);
            var once = leaves.Select(leaf => leaf.Grad?.ToArray()).ToArray();
            y.Backward(seed);
            for (var i = 0; i < leaves.Length; i++)
                Assert.That(leaves[i].Grad?.ToArray(), Is.EqualTo(once[i]?.Select(value => 2 * value)), $"{name}: twice, input {i}");

            for (var i = 0; i < leaves.Length; i++)
            {
                var only = call.Inputs.Select(input => input.Detach()).ToArray();
                only[i].RequiresGrad = true;
                var alone = call.Apply(only);
                if (alone.RequiresGrad) alone.Backward(seed);
                Assert.That(only[i].Grad?.ToArray(), Is.EqualTo(once[i]), $"{name}: input {i} alone");
            }
        }
    }

    [Test]
    public void Memory_goes_back_to_the_pool()
    {
        foreach (var (call, name) in Draw(4))
        {
            // From the second use of a filter on, its arrangement for the kernel is kept.
            _ = ForwardAndBackward(call);
            _ = ForwardAndBackward(call);
            var before = Device.Cpu.Pool.Statistics.InUse;
            using (new TensorScope())
            {
                var leaves = Leaves(call);
                var y = call.Apply(leaves);
                if (y.RequiresGrad) y.Backward(Tensor.Ones(y.Shape));
                foreach (var leaf in leaves) leaf.Grad?.Dispose();
            }

            Assert.That(Device.Cpu.Pool.Statistics.InUse, Is.LessThanOrEqualTo(before), name);
        }
    }

    static Tensor[] Leaves(OperationCall call)
    {
        var leaves = call.Inputs.Select(input => input.Detach()).ToArray();
        foreach (var leaf in leaves) leaf.RequiresGrad = true;
        return leaves;
    }

    // Returns the bits of the result and of all gradients.
    static int[][] ForwardAndBackward(OperationCall call)
    {
        using var scope = new TensorScope();
        var leaves = Leaves(call);
        var y = call.Apply(leaves);
        var result = Bits([y])[0];
        if (y.RequiresGrad) y.Backward(Tensor.Uniform(y.Shape, -1f, 1f, new Generator(1)));
        var gradients = leaves.Select(leaf => leaf.Grad).ToArray();
        int[][] bits = [result, .. gradients.Select(gradient => gradient is null ? [] : Bits([gradient])[0])];
        foreach (var gradient in gradients) gradient?.Dispose();
        return bits;
    }

    static int[][] Bits(Tensor[] tensors) => [.. tensors.Select(tensor => Array.ConvertAll(tensor.ToArray(), BitConverter.SingleToInt32Bits))];

    // Without a graph more operations may join, so results may differ by the rounding of a multiply-add.
    static bool Near(int a, int b)
    {
        float x = BitConverter.Int32BitsToSingle(a), y = BitConverter.Int32BitsToSingle(b);
        return Math.Abs(x - y) <= 1e-5f * (1 + Math.Abs(y));
    }
}
