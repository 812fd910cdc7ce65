using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void Attention(Operand query, Operand key, Operand value, AttentionGeometry geometry, Operand? keyLengths, Operand? mask, RandomStream stream, Operand y, Operand logSums) =>
        device.Launch(new AttentionRows(new(geometry, query, key, value, keyLengths, mask, device.Stream(stream, y.View()), stream.Seed), y.View(), logSums.View()), logSums.Length);

    public override void AttentionBackward(Operand dy, Operand query, Operand key, Operand value, AttentionGeometry geometry, Operand? keyLengths, Operand? mask, RandomStream stream, Operand y, Operand logSums, Operand? dQuery, Operand? dKey, Operand? dValue)
    {
        var inputs = new AttentionInputs(geometry, query, key, value, keyLengths, mask, device.Stream(stream, dy.View()), stream.Seed);
        using var deltas = Scratch<float>(Math.Max(1, logSums.Length));
        var gradients = new AttentionWeights(inputs, dy.View(), logSums.View(), deltas.View());
        Each(new AttentionDeltas(inputs, dy.View(), y.View(), deltas.View()), logSums.Length);
        if (dQuery is not null) device.Launch(new AttentionQueryGradient(gradients, dQuery.View()), logSums.Length);
        if (dKey is not null || dValue is not null)
            device.Launch(new AttentionKeyGradient(gradients, new(dKey, dy.View()), new(dValue, dy.View())), geometry.Sequences * geometry.Keys);
    }
}

/// <summary>The inputs of an attention. Rows are numbered (sequence * heads + head) * tokens + token.</summary>
readonly struct AttentionInputs
{
    readonly ArrayView<float> query, key, value;
    readonly ArrayView<int> keyLengths;
    readonly Optional mask;
    readonly StreamNumber stream;
    readonly ulong seed;
    readonly int heads, queryStep, valueStep, keyOffset, valueOffset, maskOfBatch, maskOfHead, causal, hasLengths;
    readonly float dropout, kept;

    public AttentionInputs(AttentionGeometry geometry, Operand query, Operand key, Operand value, Operand? keyLengths, Operand? mask, StreamNumber stream, ulong seed)
    {
        (this.query, this.key, this.value) = (query.View(), key.View(), value.View());
        (this.keyLengths, hasLengths) = ((keyLengths ?? query).Integers(), keyLengths is null ? 0 : 1);
        this.mask = new(mask, query.View());
        (this.stream, this.seed) = (stream, seed);
        (Queries, Keys, Depth, ValueDepth, Scale) = (geometry.Queries, geometry.Keys, geometry.Depth, geometry.ValueDepth, geometry.Scale);
        (heads, queryStep, valueStep, keyOffset, valueOffset) = (geometry.Heads, geometry.QueryStep, geometry.ValueStep, geometry.KeyOffset, geometry.ValueOffset);
        (maskOfBatch, maskOfHead, causal) = (geometry.MaskOfBatch, geometry.MaskOfHead, geometry.Causal ? 1 : 0);
        (dropout, kept) = (geometry.Dropout, 1f / (1f - geometry.Dropout));
    }

    public readonly int Queries, Keys, Depth, ValueDepth;

    public readonly float Scale;

    /// <summary>The keys that a sequence has; those after them are padding.</summary>
    public int KeysOf(int sequence) => hasLengths == 0 ? Keys : Math.Min(Keys, Math.Max(0, keyLengths[sequence / heads]));

    /// <summary>The number of keys that a query sees.</summary>
    public int Seen(int sequence, int i)
    {
        var keys = KeysOf(sequence);
        return causal != 0 ? Math.Min(keys, i + 1) : keys;
    }

    /// <summary>The first query that sees a key; the number of queries if none does.</summary>
    public int FirstQuery(int sequence, int j) => j >= KeysOf(sequence) ? Queries : causal != 0 ? Math.Min(j, Queries) : 0;

    public int QueryAt(int sequence, int i) => (sequence / heads * Queries + i) * queryStep + sequence % heads * Depth;

    public int KeyAt(int sequence, int j) => (sequence / heads * Keys + j) * queryStep + keyOffset + sequence % heads * Depth;

    public int ValueAt(int sequence, int j) => (sequence / heads * Keys + j) * valueStep + valueOffset + sequence % heads * ValueDepth;

    public int OutputAt(int sequence, int i) => (sequence / heads * Queries + i) * heads * ValueDepth + sequence % heads * ValueDepth;

    public float Query(int at) => query[at];

    public float Key(int at) => key[at];

    public float Value(int at) => value[at];

    public float Score(int sequence, int i, int j)
    {
        int q = QueryAt(sequence, i), k = KeyAt(sequence, j);
        var sum = 0f;
        for (var c = 0; c < Depth; c++) sum += Scale * query[q + c] * key[k + c];
        return sum + mask.Or(sequence / heads * maskOfBatch + sequence % heads * maskOfHead + i * Keys + j, 0f);
    }

    /// <summary>The factor of a weight under dropout: 0 or 1 / (1 - p).</summary>
    public float Factor(int sequence, int i, int j)
    {
        if (dropout <= 0f) return 1f;
        var element = ((ulong)(uint)(sequence * Queries + i)) * (ulong)(uint)Keys + (ulong)(uint)j;
        var (u0, u1, u2, u3) = Philox.At(seed, stream.Value, element >> 2);
        var place = (int)(element & 3);
        var word = place == 0 ? u0 : place == 1 ? u1 : place == 2 ? u2 : u3;
        return Philox.ToUnit(word) >= dropout ? kept : 0f;
    }
}

/// <summary>
/// A group computes one row of the result. For each tile of keys, a thread computes one weight, and then some channels of the sum of the values. When a later tile has
/// a larger score, the sums so far are multiplied by exp(old largest - new largest).
/// </summary>
readonly struct AttentionRows(AttentionInputs inputs, ArrayView<float> y, ArrayView<float> logSums) : IKernel
{
    public void Run()
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(2 * IKernel.DefaultThreads), weights = SharedMemory.Allocate<float>(IKernel.DefaultThreads);
        int row = Grid.IdxX, lane = Group.IdxX, sequence = row / inputs.Queries, i = row % inputs.Queries, seen = inputs.Seen(sequence, i), at = inputs.OutputAt(sequence, i);
        float largest = float.NegativeInfinity, sum = 0f;
        for (var c = lane; c < inputs.ValueDepth; c += IKernel.DefaultThreads) y[at + c] = 0f;
        for (var start = 0; start < seen; start += IKernel.DefaultThreads)
        {
            var j = start + lane;
            var score = j < seen ? inputs.Score(sequence, i, j) : float.NegativeInfinity;
            var next = Largest.Combine(GroupFold.Across<float, Largest>(score, 1, IKernel.DefaultThreads / 2, shared), largest);
            var weight = score == float.NegativeInfinity ? 0f : MathF.Exp(score - next);
            var factor = largest == float.NegativeInfinity ? 0f : MathF.Exp(largest - next);
            sum = sum * factor + GroupFold.Across<float, Addition>(weight, 1, IKernel.DefaultThreads / 2, shared);
            largest = next;
            weights[lane] = j < seen ? weight * inputs.Factor(sequence, i, j) : 0f;
            Group.Barrier();
            var count = Math.Min(IKernel.DefaultThreads, seen - start);
            for (var c = lane; c < inputs.ValueDepth; c += IKernel.DefaultThreads)
            {
                var total = 0f;
                for (var t = 0; t < count; t++) total += weights[t] * inputs.Value(inputs.ValueAt(sequence, start + t) + c);
                y[at + c] = y[at + c] * factor + total;
            }

            Group.Barrier();
        }

        for (var c = lane; c < inputs.ValueDepth; c += IKernel.DefaultThreads) y[at + c] = sum == 0f ? 0f : y[at + c] / sum;
        if (lane == 0) logSums[row] = sum == 0f ? float.PositiveInfinity : largest + MathF.Log(sum);
    }
}

/// <summary>delta_i = dy_i y_i.</summary>
readonly struct AttentionDeltas(AttentionInputs inputs, ArrayView<float> dy, ArrayView<float> y, ArrayView<float> deltas) : IPointwise<float>
{
    public float Compute(int row)
    {
        var at = inputs.OutputAt(row / inputs.Queries, row % inputs.Queries);
        var sum = new LongSum(0f, 0f);
        for (var c = 0; c < inputs.ValueDepth; c++) sum += dy[at + c] * y[at + c];
        return sum.Value;
    }

    public void Store(int row, float value) => deltas[row] = value;
}

/// <summary>The weight of a query and a key after dropout, and the gradient of their score.</summary>
readonly struct AttentionWeights(AttentionInputs inputs, ArrayView<float> dy, ArrayView<float> logSums, ArrayView<float> deltas)
{
    public readonly AttentionInputs Inputs = inputs;

    public float Upstream(int at) => dy[at];

    public Pair At(int sequence, int i, int j)
    {
        var row = sequence * Inputs.Queries + i;
        var weight = MathF.Exp(Inputs.Score(sequence, i, j) - logSums[row]);
        int at = Inputs.OutputAt(sequence, i), value = Inputs.ValueAt(sequence, j);
        float gradient = 0f, factor = Inputs.Factor(sequence, i, j);
        for (var c = 0; c < Inputs.ValueDepth; c++) gradient += dy[at + c] * Inputs.Value(value + c);
        return new(weight * factor, weight * (gradient * factor - deltas[row]));
    }
}

/// <summary>A group computes dq_i = scale sum_j ds_ij k_j of one query.</summary>
readonly struct AttentionQueryGradient(AttentionWeights gradients, ArrayView<float> dQuery) : IKernel
{
    public void Run()
    {
        ArrayView<float> scores = SharedMemory.Allocate<float>(IKernel.DefaultThreads);
        var inputs = gradients.Inputs;
        int row = Grid.IdxX, lane = Group.IdxX, sequence = row / inputs.Queries, i = row % inputs.Queries, seen = inputs.Seen(sequence, i), at = inputs.QueryAt(sequence, i);
        for (var c = lane; c < inputs.Depth; c += IKernel.DefaultThreads) dQuery[at + c] = 0f;
        for (var start = 0; start < seen; start += IKernel.DefaultThreads)
        {
            var j = start + lane;
            scores[lane] = j < seen ? gradients.At(sequence, i, j).B : 0f;
            Group.Barrier();
            var count = Math.Min(IKernel.DefaultThreads, seen - start);
            for (var c = lane; c < inputs.Depth; c += IKernel.DefaultThreads)
            {
                var total = 0f;
                for (var t = 0; t < count; t++) total += scores[t] * inputs.Key(inputs.KeyAt(sequence, start + t) + c);
                dQuery[at + c] = dQuery[at + c] + inputs.Scale * total;
            }

            Group.Barrier();
        }
    }
}

/// <summary>A group computes dk_j = scale sum_i ds_ij q_i and dv_j = sum_i w_ij dy_i of one key.</summary>
readonly struct AttentionKeyGradient(AttentionWeights gradients, Optional dKey, Optional dValue) : IKernel
{
    public void Run()
    {
        ArrayView<float> weights = SharedMemory.Allocate<float>(IKernel.DefaultThreads), scores = SharedMemory.Allocate<float>(IKernel.DefaultThreads);
        var inputs = gradients.Inputs;
        int row = Grid.IdxX, lane = Group.IdxX, sequence = row / inputs.Keys, j = row % inputs.Keys, key = inputs.KeyAt(sequence, j), value = inputs.ValueAt(sequence, j);
        for (var c = lane; c < inputs.Depth; c += IKernel.DefaultThreads) dKey.Set(key + c, 0f);
        for (var c = lane; c < inputs.ValueDepth; c += IKernel.DefaultThreads) dValue.Set(value + c, 0f);
        for (var start = inputs.FirstQuery(sequence, j); start < inputs.Queries; start += IKernel.DefaultThreads)
        {
            var i = start + lane;
            var pair = i < inputs.Queries ? gradients.At(sequence, i, j) : new Pair(0f, 0f);
            (weights[lane], scores[lane]) = (pair.A, pair.B);
            Group.Barrier();
            var count = Math.Min(IKernel.DefaultThreads, inputs.Queries - start);
            for (var c = lane; c < inputs.Depth; c += IKernel.DefaultThreads)
            {
                var total = 0f;
                for (var t = 0; t < count; t++) total += scores[t] * inputs.Query(inputs.QueryAt(sequence, start + t) + c);
                dKey.Set(key + c, dKey.Or(key + c, 0f) + inputs.Scale * total);
            }

            for (var c = lane; c < inputs.ValueDepth; c += IKernel.DefaultThreads)
            {
                var total = 0f;
                for (var t = 0; t < count; t++) total += weights[t] * gradients.Upstream(inputs.OutputAt(sequence, start + t) + c);
                dValue.Set(value + c, dValue.Or(value + c, 0f) + total);
            }

            Group.Barrier();
        }
    }
}
