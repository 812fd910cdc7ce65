using QuadEngine.Layers;

namespace QuadEngine.Tests.Operations;

/// <summary>Attention of sequences that have several blocks of queries and keys, and its promises about hidden keys, large scores and memory.</summary>
public class AttentionTests
{
    static Tensor Draw(ulong seed, params int[] shape) => Tensor.Normal(Shape.Create(shape), generator: new Generator(seed));

    static Tensor Leaf(ulong seed, params int[] shape)
    {
        var leaf = Draw(seed, shape);
        leaf.RequiresGrad = true;
        return leaf;
    }

    // [batch, tokens, heads * depth] to [batch, heads, tokens, depth].
    static Tensor Heads(Tensor x, int heads) => x.Reshape(x.Shape[0], x.Shape[1], heads, -1).Transpose(0, 2, 1, 3);

    static Tensor Composed(Tensor q, Tensor k, Tensor v, int heads, Tensor? mask)
    {
        var scores = Heads(q, heads).MatMul(Heads(k, heads), transposeOther: true) / MathF.Sqrt(q.Shape[^1] / heads);
        var y = (mask is null ? scores : scores + mask).Softmax().MatMul(Heads(v, heads));
        return y.Transpose(0, 2, 1, 3).Reshape(q.Shape[0], q.Shape[1], -1);
    }

    [TestCase(600, 600, true)]
    [TestCase(600, 600, false)]
    [TestCase(70, 900, false)]
    [TestCase(900, 70, true)]
    public void It_equals_products_and_a_softmax(int queries, int keys, bool causal)
    {
        const int heads = 2, depth = 20;
        Tensor[] one = Leaves(), other = Leaves();
        var hidden = Tensor.FromArray([.. from i in Enumerable.Range(0, queries) from j in Enumerable.Range(0, keys) select causal && j > i ? float.NegativeInfinity : 0f], [queries, keys]);
        var upstream = Draw(9, 1, queries, heads * depth);
        Tensor y = one[0].Attention(one[1], one[2], heads, causal), expected = Composed(other[0], other[1], other[2], heads, hidden);
        y.Backward(upstream);
        expected.Backward(upstream);
        Near("y", y, expected);
        for (var i = 0; i < 3; i++) Near($"input {i}", one[i].Grad!, other[i].Grad!);

        // Later keys have larger scores, so that the largest score changes in every block.
        Tensor[] Leaves()
        {
            Tensor q = Leaf(1, 1, queries, heads * depth), k = (Draw(2, 1, keys, heads * depth) * Tensor.Linspace(0.1, 2, keys).Reshape(keys, 1)).Detach(), v = Leaf(3, 1, keys, heads * depth);
            k.RequiresGrad = true;
            return [q, k, v];
        }
    }

    static void Near(string name, Tensor got, Tensor expected) =>
        Assert.That(got.ToArray(), Is.EqualTo(expected.ToArray()).Using<float>((a, b) => Math.Abs(a - b) <= 1e-5f * (1 + Math.Abs(b))), name);

    [Test]
    public void A_query_that_sees_no_key_gives_0_and_no_gradient()
    {
        Tensor q = Leaf(1, 2, 3, 4), k = Leaf(2, 2, 5, 4), v = Leaf(3, 2, 5, 4);
        var mask = Tensor.FromArray([.. Enumerable.Range(0, 15).Select(i => i / 5 == 1 ? float.NegativeInfinity : 0f)], [3, 5]);
        var y = q.Attention(k, v, heads: 2, keyLengths: IntTensor.FromArray([5, 0]), mask: mask);
        y.Backward(Tensor.Ones(y.Shape));
        var values = y.ToArray();
        Assert.That(values[4..8], Is.All.Zero, "the mask hides all keys from query 1");
        Assert.That(values[12..], Is.All.Zero, "sequence 1 has no keys");
        Assert.That(values[..4], Has.None.Zero);
        Assert.That(q.Grad!.ToArray()[4..8].Concat(q.Grad.ToArray()[12..]), Is.All.Zero);
        foreach (var leaf in (Tensor[])[k, v]) Assert.That(leaf.Grad!.ToArray()[20..], Is.All.Zero);
    }

    [Test]
    public void Padding_is_not_read_and_a_NaN_that_is_seen_shows()
    {
        Tensor q = Draw(1, 1, 4, 8), k = Draw(2, 1, 300, 8), v = Draw(3, 1, 300, 8);
        var expected = q.Attention(k.Slice(1, 0, 290), v.Slice(1, 0, 290)).ToArray();
        Tensor nan = Tensor.Full([1, 10, 8], float.NaN), padded = Tensor.Concat([k.Slice(1, 0, 290), nan], 1), values = Tensor.Concat([v.Slice(1, 0, 290), nan], 1);
        Assert.That(q.Attention(padded, values, keyLengths: IntTensor.FromArray([290])).ToArray(), Is.EqualTo(expected).Within(1e-6f));
        Assert.That(q.Attention(padded, v).ToArray(), Is.All.NaN);
        var first = Tensor.Concat([Tensor.Full([1, 1, 8], float.NaN), q.Slice(1, 1, 3)], 1).Attention(k, v, causal: true).ToArray();
        Assert.That(first[..8], Is.All.NaN);
        Assert.That(first[8..], Has.None.NaN);
    }

    [Test]
    public void Large_scores_do_not_overflow()
    {
        Tensor q = Leaf(1, 1, 3, 4), k = Draw(2, 1, 500, 4) * 1000f, v = Draw(3, 1, 500, 4);
        var y = (q * 1000f).Attention(k, v);
        y.Backward(Tensor.Ones(y.Shape));
        Near("y", y, Composed(q * 1000f, k, v, 1, null));
        Assert.That(q.Grad!.ToArray().All(float.IsFinite));
    }

    [Test]
    public void The_matrix_of_scores_is_never_in_memory()
    {
        const int tokens = 3000;
        var x = Leaf(1, 1, tokens, 3 * 8);
        var before = Device.Cpu.Pool.Statistics.InUse;
        Device.Cpu.Pool.ResetPeak();
        var y = x.SelfAttention(2, causal: true);
        y.Backward(Tensor.Ones(y.Shape));
        Assert.That(Device.Cpu.Pool.Statistics.Peak - before, Is.LessThan(8L * sizeof(float) * x.Length), "a few tensors of the size of the input; one matrix of scores has 62 times its size");
    }

    [Test]
    public void Masks_of_heads_and_sequences_are_added_to_their_own_scores()
    {
        Tensor q = Draw(1, 2, 3, 8), k = Draw(2, 2, 5, 8), v = Draw(3, 2, 5, 8);
        foreach (var shape in (int[][])[[3, 5], [1, 3, 5], [2, 3, 5], [1, 1, 3, 5], [2, 1, 3, 5], [1, 2, 3, 5], [2, 2, 3, 5]])
        {
            var mask = Draw(4, shape);
            Near($"[{string.Join(", ", shape)}]", q.Attention(k, v, heads: 2, mask: mask), Composed(q, k, v, 2, mask));
        }
    }

    [Test]
    public void A_layer_is_its_projections_and_the_attention()
    {
        var layer = new MultiHeadAttention(12, 3, causal: true, dropout: 0.5f);
        foreach (var parameter in layer.Parameters()) parameter.Assign(Draw(5, [.. parameter.Shape]) * 0.3f);
        var x = Draw(1, 2, 7, 12);
        var trained = layer.Forward(x).ToArray();
        layer.Eval();
        var state = layer.StateDictionary();
        Assert.That(state.ToDictionary(entry => entry.Key, entry => entry.Value.ToString()), Is.EquivalentTo(new Dictionary<string, string>
        {
            ["in_proj_weight"] = "[36, 12]", ["in_proj_bias"] = "[36]", ["out_proj.weight"] = "[12, 12]", ["out_proj.bias"] = "[12]",
        }), "the names and shapes of PyTorch's MultiheadAttention");

        Tensor Stored(string name) => Tensor.FromArray(state[name].Values, state[name].Shape);
        Tensor Projected(int part) => x.MatMul(Stored("in_proj_weight").Slice(0, 12 * part, 12), transposeOther: true, bias: Stored("in_proj_bias").Slice(0, 12 * part, 12));
        var mixed = Projected(0).Attention(Projected(1), Projected(2), heads: 3, causal: true);
        Near("y", layer.Forward(x), mixed.MatMul(Stored("out_proj.weight"), transposeOther: true, bias: Stored("out_proj.bias")));
        Assert.That(layer.Forward(x).ToArray(), Is.Not.EqualTo(trained), "dropout is for training alone");
    }

    [Test]
    public void A_block_has_the_names_of_torchvisions_and_learns()
    {
        var block = new TransformerBlock(12, 3, 20);
        var layer = new[] { "ln_1.weight", "ln_1.bias", "self_attention.in_proj_weight", "self_attention.in_proj_bias", "self_attention.out_proj.weight", "self_attention.out_proj.bias", "ln_2.weight", "ln_2.bias", "mlp.0.weight", "mlp.0.bias", "mlp.3.weight", "mlp.3.bias" };
        Assert.That(block.StateDictionary().Keys, Is.EquivalentTo(layer));

        Tensor x = Draw(1, 4, 9, 12), target = Draw(2, 4, 9, 12);
        var adam = new AdamW(block.ParameterGroups(), learningRate: 0.01f);
        float Step()
        {
            var loss = Losses.MeanSquaredError(block.Forward(x), target);
            loss.Backward();
            adam.Step();
            return loss.Item();
        }

        var first = Step();
        for (var i = 0; i < 60; i++) Step();
        Assert.That(Step(), Is.LessThan(0.7f * first));
    }

    [Test]
    public void Multiply_adds_of_a_layer_are_those_that_it_computes()
    {
        var layer = new MultiHeadAttention(12, 3);
        var x = Draw(1, 2, 7, 12);
        using var noGrad = new NoGrad();
        using var counter = new MultiplyAddCounter();
        _ = layer.Forward(x).ToArray();
        Assert.That(layer.MultiplyAdds(x.Shape, x.Shape) + 14 * 12 * 12, Is.EqualTo(counter.Count), "with those of the projection of the result");
    }
}
