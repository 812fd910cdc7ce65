using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>
    /// Scaled dot-product attention of several heads (Vaswani et al. 2017): for each sequence and head, y_i = sum_j w_ij v_j with w_ij = softmax over j of scale q_i k_j + mask_ij.
    /// Neither the scores nor the weights are kept: forward and backward compute them in tiles (Dao et al. 2022), and only the logarithm of each query's sum of exponentials is saved.
    /// </summary>
    /// <remarks>
    /// A query that sees no key has y = 0 and gives no gradient. Backward, with delta_i = dy_i y_i: dv_j = sum_i w_ij dy_i, ds_ij = w_ij (dy_i v_j - delta_i), dq_i = scale sum_j ds_ij k_j,
    /// dk_j = scale sum_i ds_ij q_i.
    /// </remarks>
    /// <param name="key">k: [..., keys, heads * depth] with the leading axes of this tensor, which is q: [..., queries, heads * depth]. Heads are side by side, as a dense layer leaves them.</param>
    /// <param name="value">v: [..., keys, heads * value depth].</param>
    /// <param name="heads">The number of heads, which divides the channels.</param>
    /// <param name="causal">Whether query i sees only the keys 0 to i.</param>
    /// <param name="keyLengths">One integer for each sequence: only keys before this number are seen, e.g. because the rest is padding. Null for all keys.</param>
    /// <param name="mask">Added to the scaled scores, so -infinity hides a key: [queries, keys], [heads, queries, keys], or [..., heads, queries, keys] with the leading axes of q; heads and leading axes may be 1. It gets no gradient. Null for none.</param>
    /// <param name="dropout">The probability that a weight is dropped, in [0, 1); the others are divided by 1 - dropout.</param>
    /// <param name="generator">The generator that gives one stream for the dropout; <see cref="Generator.Default"/> if null.</param>
    /// <param name="scale">Multiplies the products q_i k_j; null for 1 / sqrt(depth).</param>
    /// <returns>[..., queries, heads * value depth]</returns>
    /// <exception cref="ArgumentException">Shapes, heads, mask, lengths or devices do not fit together, dropout is outside [0, 1), or the mask requires a gradient.</exception>
    public Tensor Attention(Tensor key, Tensor value, int heads = 1, bool causal = false, IntTensor? keyLengths = null, Tensor? mask = null, float dropout = 0f, Generator? generator = null, float? scale = null) =>
        AttentionOp.Apply(this, key, value, heads, causal, keyLengths, mask, dropout, generator, scale);

    /// <summary>
    /// <see cref="Attention"/> of a sequence to itself, where one tensor has queries, keys and values: [..., tokens, 3 * heads * depth], first all queries, then all keys, then all values, as one dense layer leaves them.
    /// Nothing is copied.
    /// </summary>
    /// <inheritdoc cref="Attention"/>
    /// <returns>[..., tokens, heads * depth]</returns>
    public Tensor SelfAttention(int heads = 1, bool causal = false, IntTensor? keyLengths = null, Tensor? mask = null, float dropout = 0f, Generator? generator = null, float? scale = null) =>
        AttentionOp.Packed(this, heads, causal, keyLengths, mask, dropout, generator, scale);
}

/// <summary>See <see cref="Tensor.Attention"/>.</summary>
static class AttentionOp
{
    public static Tensor Apply(Tensor query, Tensor key, Tensor value, int heads, bool causal, IntTensor? keyLengths, Tensor? mask, float dropout, Generator? generator, float? scale)
    {
        const string name = nameof(Tensor.Attention);
        Check.SameDevice(name, query, key);
        Check.SameDevice(name, query, value);
        CheckHeads(name, "query", query, heads, heads);
        CheckHeads(name, "key", key, heads, heads);
        CheckHeads(name, "value", value, heads, heads);
        Check.That(Sequences(query).SequenceEqual(Sequences(key)) && Sequences(query).SequenceEqual(Sequences(value)), name,
            $"the leading axes of query {query.Shape}, key {key.Shape} and value {value.Shape} differ; all but the last two axes must be equal.");
        Check.That(query.Shape[^1] == key.Shape[^1], name, $"a query has {query.Shape[^1]} channels ({query.Shape}) but a key {key.Shape[^1]} ({key.Shape}); they must be equal.");
        Check.That(key.Shape[^2] == value.Shape[^2], name, $"there are {key.Shape[^2]} keys ({key.Shape}) but {value.Shape[^2]} values ({value.Shape}); expected one value for each key.");
        var geometry = new AttentionGeometry(Shape.Create(Sequences(query)).Elements, heads, query.Shape[^2], key.Shape[^2], query.Shape[^1] / heads, value.Shape[^1] / heads, scale ?? 1f / MathF.Sqrt(query.Shape[^1] / heads)) { Causal = causal };
        return Run(name, geometry, [query, key, value], keyLengths, mask, dropout, generator);
    }

    public static Tensor Packed(Tensor x, int heads, bool causal, IntTensor? keyLengths, Tensor? mask, float dropout, Generator? generator, float? scale)
    {
        const string name = nameof(Tensor.SelfAttention);
        CheckHeads(name, "input", x, heads, 3 * heads);
        int tokens = x.Shape[^2], depth = x.Shape[^1] / (3 * heads);
        var geometry = new AttentionGeometry(Shape.Create(Sequences(x)).Elements, heads, tokens, tokens, depth, depth, scale ?? 1f / MathF.Sqrt(depth)) { Causal = causal, Packed = true };
        return Run(name, geometry, [x], keyLengths, mask, dropout, generator);
    }

    // The inputs are query, key and value, or one packed tensor.
    static Tensor Run(string name, AttentionGeometry geometry, Tensor[] inputs, IntTensor? keyLengths, Tensor? mask, float dropout, Generator? generator)
    {
        var query = inputs[0];
        Check.That(dropout is >= 0f and < 1f, name, $"the probability of dropout is {dropout}; it must be at least 0 and under 1.");
        Check.That(keyLengths is null || keyLengths.Length == geometry.Batch, name, $"there are {keyLengths?.Length} key lengths for {geometry.Batch} sequences (shape {query.Shape}); expected one for each.");
        Check.That(keyLengths is null || ReferenceEquals(keyLengths.Device, query.Device), name, $"the key lengths are on {keyLengths?.Device} and the queries on {query.Device}; move them with To(...).");
        if (mask is not null) geometry = WithMask(name, geometry, query, mask);
        var stream = dropout > 0f ? (generator ?? Generator.Default).Next() : default;
        geometry = geometry with { Dropout = dropout };

        var count = inputs.Length;
        Tensor y = Tensor.Empty([.. query.Shape.AsSpan()[..^1], geometry.OutputStep], query.Device), logSums = Tensor.Empty([geometry.Batch, geometry.Heads, geometry.Queries], query.Device);
        MultiplyAddCounter.Add(geometry.MultiplyAdds);
        query.Device.Backend.Attention(query, inputs[count / 2], inputs[count - 1], geometry, keyLengths, mask, stream, y, logSums);
        return y.WithBackward(name, inputs, [.. inputs, mask, y, logSums], (dy, saved) =>
        {
            var gradients = new Tensor?[count];
            for (var i = 0; i < count; i++) gradients[i] = saved.Needs(i) ? Tensor.Like(saved[i]) : null;
            dy.Device.Backend.AttentionBackward(dy, saved[0], saved[count / 2], saved[count - 1], geometry, saved.Indices, saved.Optional(count), stream, saved[count + 1], saved[count + 2],
                gradients[0], gradients[count / 2], gradients[count - 1]);
            return gradients;
        }, keyLengths);
    }

    static AttentionGeometry WithMask(string name, AttentionGeometry geometry, Tensor query, Tensor mask)
    {
        Check.SameDevice(name, query, mask);
        Check.That(!mask.RequiresGrad, name, $"the mask requires a gradient, and it gets none; pass mask.Detach(), or compute the attention from MatMul and Softmax.");
        Shape matrix = [geometry.Queries, geometry.Keys], matrices = [geometry.Heads, .. matrix];
        var extents = mask.Shape.AsSpan();
        var fits = extents.Length >= 2 && extents[^2..].SequenceEqual(matrix.AsSpan());
        int ofHead = extents.Length < 3 ? 1 : extents[^3], ofBatch = extents.Length < 4 ? 1 : Shape.Create(extents[..^3]).Elements;
        Check.That(fits && (ofHead == 1 || ofHead == geometry.Heads) && (ofBatch == 1 || extents[..^3].SequenceEqual(Sequences(query))), name,
            $"the mask has shape {mask.Shape}, but {geometry.Heads} heads of queries {query.Shape} with {geometry.Keys} keys need {matrix}, or {matrices} with the leading axes of the queries in front or without; each of these may be 1.");
        var perHead = geometry.Queries * geometry.Keys;
        return geometry with { MaskOfHead = ofHead == 1 ? 0 : perHead, MaskOfBatch = ofBatch == 1 ? 0 : ofHead * perHead };
    }

    static void CheckHeads(string name, string what, Tensor x, int heads, int parts)
    {
        Check.That(heads > 0, name, $"there are {heads} heads; expected 1 or more.");
        Check.That(x.Rank >= 2 && x.Shape[^1] > 0 && x.Shape[^1] % parts == 0, name,
            $"the {what} has shape {x.Shape}; it must be [..., tokens, channels], with a number of channels that {(parts == heads ? $"{heads} heads" : $"3 * {heads} (queries, keys and values of {heads} heads)")} divide.");
    }

    static ReadOnlySpan<int> Sequences(Tensor x) => x.Shape.AsSpan()[..^2];
}
