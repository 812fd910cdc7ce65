namespace QuadEngine.Tests.Operations;

/// <summary>Attention, with each of its options.</summary>
static class AttentionCases
{
    /// <summary>The options of a call, and the same as functions in double.</summary>
    sealed record Options(int Heads, bool Causal, IntTensor? Lengths, Tensor? Mask, float Dropout, float? Scale)
    {
        public override string ToString() => $"heads {Heads}, causal {Causal}, lengths {(Lengths is null ? "all" : string.Join(' ', Lengths.ToArray()))}, mask {Mask?.Shape}, dropout {Dropout}, scale {Scale}";
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Attention))]
    static OperationCall AttentionPlain(Dice dice) => Call(dice, maskExtents: 0, dropout: 0f);

    [CaseFor(typeof(Tensor), nameof(Tensor.Attention))]
    static OperationCall AttentionMasked(Dice dice) => Call(dice, maskExtents: dice.Between(2, 4), dropout: 0f);

    [CaseFor(typeof(Tensor), nameof(Tensor.Attention))]
    static OperationCall AttentionDropout(Dice dice) => Call(dice, maskExtents: dice.OneOf(0, 2), dropout: dice.OneOf(0.2f, 0.6f));

    // More tokens than a block of queries or of keys.
    [CaseFor(typeof(Tensor), nameof(Tensor.Attention))]
    static OperationCall AttentionLong(Dice dice) => Call(dice, maskExtents: 0, dropout: 0f, queries: dice.OneOf(1, 49, 70), keys: dice.OneOf(1, 257, 300), leading: 0);

    [CaseFor(typeof(Tensor), nameof(Tensor.SelfAttention))]
    static OperationCall AttentionPacked(Dice dice)
    {
        int heads = dice.Between(1, 3), depth = dice.Extent(6), tokens = dice.Extent(7);
        int[] leading = [.. dice.Shape(0, 2)];
        var options = Draw(dice, heads, leading, tokens, tokens, dice.OneOf(0, 2), dice.OneOf(0f, 0f, 0.3f));
        var width = heads * depth;
        return new([dice.Values([.. leading, tokens, 3 * width])],
            x => x[0].SelfAttention(heads, options.Causal, options.Lengths?.To(x[0].Device), options.Mask?.To(x[0].Device), options.Dropout, new Generator(dice.Seed), options.Scale), $"{options}")
        {
            Oracle = x => Formula(Part(x[0], 0, width), Part(x[0], width, width), Part(x[0], 2 * width, width), options, dice.Seed),
        };
    }

    static OperationCall Call(Dice dice, int maskExtents, float dropout, int? queries = null, int? keys = null, int? leading = null)
    {
        int heads = dice.Between(1, 3), depth = dice.Extent(6), valueDepth = dice.Coin() ? depth : dice.Extent(9), m = queries ?? dice.Extent(7), n = keys ?? dice.Extent(7);
        int[] batch = [.. dice.Shape(0, leading ?? 2)];
        var options = Draw(dice, heads, batch, m, n, maskExtents, dropout);
        return new([dice.Values([.. batch, m, heads * depth]), dice.Values([.. batch, n, heads * depth]), dice.Values([.. batch, n, heads * valueDepth])],
            x => x[0].Attention(x[1], x[2], heads, options.Causal, options.Lengths?.To(x[0].Device), options.Mask?.To(x[0].Device), options.Dropout, new Generator(dice.Seed), options.Scale), $"{options}")
        {
            Oracle = x => Formula(x[0], x[1], x[2], options, dice.Seed),
        };
    }

    static Options Draw(Dice dice, int heads, int[] batch, int queries, int keys, int maskExtents, float dropout)
    {
        int[] ofHeads = maskExtents < 3 ? [] : [dice.OneOf(1, heads)], ofBatch = maskExtents < 4 ? [] : dice.Coin() ? batch : [1];
        var mask = maskExtents == 0 ? null : Hidden(dice, dice.Values([.. ofBatch, .. ofHeads, queries, keys]));
        var lengths = dice.Coin() ? null : IntTensor.FromArray([.. Enumerable.Range(0, batch.Aggregate(1, (a, b) => a * b)).Select(_ => dice.Between(0, keys))]);
        return new(heads, dice.Coin(), lengths, mask, dropout, dice.Coin() ? null : 0.5f);
    }

    // A mask that hides some keys, sometimes all keys of a query.
    static Tensor Hidden(Dice dice, Tensor mask) => Tensor.FromArray([.. mask.ToArray().Select(value => dice.Between(0, 3) == 0 ? float.NegativeInfinity : value)], mask.Shape).Keep();

    static Array64 Part(Array64 x, int from, int width) => Array64.From([.. x.Shape.SkipLast(1), width], at => x[[.. at[..^1], from + at[^1]]]);

    /// <summary>The definition, one weight after the other.</summary>
    static Array64 Formula(Array64 q, Array64 k, Array64 v, Options options, ulong seed)
    {
        int heads = options.Heads, queries = q.Shape[^2], keys = k.Shape[^2], depth = q.Shape[^1] / heads, valueDepth = v.Shape[^1] / heads;
        var scale = options.Scale ?? 1 / Math.Sqrt(depth);
        var mask = options.Mask is null ? null : Array64.Of(options.Mask);
        var lengths = options.Lengths?.ToArray();
        var y = new Array64([.. q.Shape.SkipLast(1), heads * valueDepth]);
        var sequence = 0;
        foreach (var batch in Array64.Indices(q.Shape.SkipLast(2).ToArray()))
        {
            for (var h = 0; h < heads; h++)
                for (var i = 0; i < queries; i++)
                {
                    var weights = new double[keys];
                    for (var j = 0; j < keys; j++)
                    {
                        if (options.Causal && j > i || j >= (lengths?[sequence] ?? keys)) continue;
                        var score = Enumerable.Range(0, depth).Sum(c => scale * q[[.. batch, i, h * depth + c]] * k[[.. batch, j, h * depth + c]]);
                        weights[j] = Math.Exp(score + (mask?.Broadcast([.. batch, h, i, j]) ?? 0));
                    }

                    var sum = weights.Sum();
                    for (var j = 0; j < keys && sum > 0; j++)
                    {
                        var factor = options.Dropout == 0 ? 1 : Factor((((long)sequence * heads + h) * queries + i) * keys + j);
                        for (var c = 0; c < valueDepth; c++) y[[.. batch, i, h * valueDepth + c]] += weights[j] / sum * factor * v[[.. batch, j, h * valueDepth + c]];
                    }
                }

            sequence++;
        }

        return y;

        double Factor(long element)
        {
            var (a, b, c, d) = Philox.At(seed, 0, (ulong)element / 4);
            uint[] words = [a, b, c, d];
            return Philox.ToUnit(words[element % 4]) >= options.Dropout ? 1 / (1 - (double)options.Dropout) : 0;
        }
    }
}
