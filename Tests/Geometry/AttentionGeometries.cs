using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>Attention with each of its options.</summary>
static class AttentionGeometries
{
    public static IEnumerable<GeometryCase> All =>
    [
        new(nameof(Backend.Attention), s =>
        {
            var call = new Call(s);
            Tensor y = s.Output([call.Outputs]), logSums = s.Output([call.Rows]);
            s.Backend.Attention(call.Query, call.Key, call.Value, call.Geometry, call.Lengths, call.Mask, call.Stream, y, logSums);
            var expected = new Lazy<(Approximate[] Y, Approximate[] LogSums)>(() => call.Forward());
            s.Expect("y", y, () => expected.Value.Y);
            s.Expect("logSums", logSums, () => expected.Value.LogSums);
        }),
        new(nameof(Backend.AttentionBackward), s =>
        {
            var call = new Call(s);
            Tensor dy = s.Values([call.Outputs]);
            var (exactY, exactLogSums) = call.Forward();
            Tensor y = s.Values([.. exactY.Select(value => (float)value.Value)], [call.Outputs]), logSums = s.Values([.. exactLogSums.Select(value => (float)value.Value)], [call.Rows]);
            Tensor? dQuery, dKey, dValue;
            if (call.Geometry.Packed) dQuery = dKey = dValue = s.Output([call.Query.Length]);
            else (dQuery, dKey, dValue) = (Maybe(call.Query.Length), Maybe(call.Key.Length), Maybe(call.Value.Length));
            s.Backend.AttentionBackward(dy, call.Query, call.Key, call.Value, call.Geometry, call.Lengths, call.Mask, call.Stream, y, logSums, dQuery, dKey, dValue);
            var expected = new Lazy<Approximate[][]>(() => call.Backward(s.Initial(dy), s.Initial(y), s.Initial(logSums)));
            s.Expect("dQuery", dQuery, () => expected.Value[0]);
            if (call.Geometry.Packed) return;
            s.Expect("dKey", dKey, () => expected.Value[1]);
            s.Expect("dValue", dValue, () => expected.Value[2]);

            Tensor? Maybe(int length) => s.Chance(5) ? null : s.Output([length]);
        }),
    ];

    sealed class Call
    {
        readonly float[] q, k, v;
        readonly float[]? mask;
        readonly int[]? lengths;

        public Call(Draw s)
        {
            int sequences = s.Between(1, 3), heads = s.Between(1, 3);
            var packed = s.Chance(3);
            // The oracle computes queries x keys x channels, and a tensor has tokens x channels.
            int keys = s.Extent(Math.Min(s.MostProducts / 16, s.MostElements / 2)), queries = packed ? keys : s.Extent(s.MostProducts / 8 / Math.Max(1, keys));
            if (packed) queries = keys = Math.Min(keys, (int)Math.Sqrt(s.MostProducts / 8));
            var most = Math.Max(1, Math.Min(s.MostElements / Math.Max(1, Math.Max(queries, keys)), s.MostProducts / Math.Max(1, queries * keys)) / (sequences * heads));
            int depth = s.Positive(Math.Min(most, 300)), valueDepth = packed || s.Chance() ? depth : s.Positive(Math.Min(most, 300));
            var perHead = queries * keys;
            bool ofHead = s.Chance(), ofBatch = s.Chance();
            Geometry = s.Noted(new AttentionGeometry(sequences, heads, queries, keys, depth, valueDepth, s.OneOf(1f, 0.25f, 1f / MathF.Sqrt(depth)))
            {
                Causal = s.Chance(), Packed = packed, Dropout = s.OneOf(0f, 0f, 0.1f, 0.7f),
                MaskOfHead = ofHead ? perHead : 0, MaskOfBatch = ofBatch ? perHead * (ofHead ? heads : 1) : 0,
            });
            Query = s.Values([sequences * queries * Geometry.QueryStep]);
            Key = packed ? Query : s.Values([sequences * keys * Geometry.KeyStep]);
            Value = packed ? Query : s.Values([sequences * keys * Geometry.ValueStep]);
            Mask = s.Chance(3) ? s.Values([.. s.Array((ofBatch ? sequences : 1) * (ofHead ? heads : 1) * perHead).Select(value => s.Chance(5) ? float.NegativeInfinity : value)], [(ofBatch ? sequences : 1) * (ofHead ? heads : 1) * perHead]) : null;
            lengths = s.Chance(3) ? [.. Enumerable.Range(0, sequences).Select(_ => s.Between(-1, keys + 1))] : null;
            Lengths = lengths is null ? null : s.Integers(lengths, [sequences]);
            Stream = new RandomStream(17, (ulong)s.Between(0, 9));
            (q, k, v, mask) = (s.Initial(Query), s.Initial(Key), s.Initial(Value), Mask is null ? null : s.Initial(Mask));
        }

        public AttentionGeometry Geometry { get; }

        public Tensor Query { get; }

        public Tensor Key { get; }

        public Tensor Value { get; }

        public Tensor? Mask { get; }

        public IntTensor? Lengths { get; }

        public RandomStream Stream { get; }

        public int Rows => Geometry.Sequences * Geometry.Queries;

        public int Outputs => Rows * Geometry.ValueDepth;

        int QueryAt(int row) => (row / Geometry.Queries / Geometry.Heads * Geometry.Queries + row % Geometry.Queries) * Geometry.QueryStep + row / Geometry.Queries % Geometry.Heads * Geometry.Depth;

        int KeyAt(int row, int j) => (row / Geometry.Queries / Geometry.Heads * Geometry.Keys + j) * Geometry.KeyStep + Geometry.KeyOffset + row / Geometry.Queries % Geometry.Heads * Geometry.Depth;

        int ValueAt(int row, int j) => (row / Geometry.Queries / Geometry.Heads * Geometry.Keys + j) * Geometry.ValueStep + Geometry.ValueOffset + row / Geometry.Queries % Geometry.Heads * Geometry.ValueDepth;

        int OutputAt(int row) => ((row / Geometry.Queries / Geometry.Heads * Geometry.Queries + row % Geometry.Queries) * Geometry.Heads + row / Geometry.Queries % Geometry.Heads) * Geometry.ValueDepth;

        bool Sees(int row, int j) => !(Geometry.Causal && j > row % Geometry.Queries) && (lengths is null || j < lengths[row / Geometry.Queries / Geometry.Heads]);

        double Factor(int row, int j)
        {
            if (Geometry.Dropout == 0f) return 1;
            var element = (long)row * Geometry.Keys + j;
            var (x, y, z, w) = Philox.At(Stream.Seed, Stream.Stream, (ulong)element / 4);
            uint[] words = [x, y, z, w];
            return Philox.ToUnit(words[element % 4]) >= Geometry.Dropout ? 1f / (1f - Geometry.Dropout) : 0;
        }

        // The scores of a query; null for keys that it does not see.
        Approximate?[] Scores(int row)
        {
            int sequence = row / Geometry.Queries, i = row % Geometry.Queries, at = sequence / Geometry.Heads * Geometry.MaskOfBatch + sequence % Geometry.Heads * Geometry.MaskOfHead + i * Geometry.Keys;
            return [.. Enumerable.Range(0, Geometry.Keys).Select(j =>
            {
                var hidden = !Sees(row, j) || mask is not null && float.IsNegativeInfinity(mask[at + j]);
                if (hidden) return (Approximate?)null;
                var product = Approximate.Sum(Enumerable.Range(0, Geometry.Depth).Select(c => (Approximate)Geometry.Scale * q[QueryAt(row) + c] * k[KeyAt(row, j) + c]));
                return mask is null ? product : product + mask[at + j];
            })];
        }

        public (Approximate[] Y, Approximate[] LogSums) Forward()
        {
            Approximate[] y = new Approximate[Outputs], logSums = new Approximate[Rows];
            for (var row = 0; row < Rows; row++)
            {
                var scores = Scores(row);
                var seen = Enumerable.Range(0, Geometry.Keys).Where(j => scores[j] is not null).ToArray();
                logSums[row] = double.PositiveInfinity;
                if (seen.Length == 0) continue;
                var largest = seen.Max(j => scores[j]!.Value.Value);
                // Weights are multiplied by a factor when a later block of keys has a larger score: about two more roundings.
                Approximate[] weights = [.. seen.Select(j => (scores[j]!.Value - largest).Exp() * 1 * 1)];
                var sum = Approximate.Sum(weights);
                logSums[row] = largest + sum.Log();
                for (var c = 0; c < Geometry.ValueDepth; c++)
                    y[OutputAt(row) + c] = Approximate.Sum(seen.Select((j, place) => weights[place] * Factor(row, j) * v[ValueAt(row, j) + c])) / sum;
            }

            return (y, logSums);
        }

        public Approximate[][] Backward(float[] dy, float[] y, float[] logSums)
        {
            Approximate[] dq = new Approximate[q.Length], dk = Geometry.Packed ? dq : new Approximate[k.Length], dv = Geometry.Packed ? dq : new Approximate[v.Length];
            var terms = new Dictionary<(Approximate[] Target, int Place), (double Sum, double Size, double Error, int Count)>();
            for (var row = 0; row < Rows; row++)
            {
                var scores = Scores(row);
                var delta = Approximate.Sum(Enumerable.Range(0, Geometry.ValueDepth).Select(c => (Approximate)dy[OutputAt(row) + c] * y[OutputAt(row) + c]));
                for (var j = 0; j < Geometry.Keys; j++)
                {
                    if (scores[j] is not { } score) continue;
                    var weight = (score - (double)logSums[row]).Exp();
                    var factor = Factor(row, j);
                    var gradient = Approximate.Sum(Enumerable.Range(0, Geometry.ValueDepth).Select(c => (Approximate)dy[OutputAt(row) + c] * v[ValueAt(row, j) + c])) * factor;
                    var ofScore = weight * (gradient - delta);
                    for (var c = 0; c < Geometry.ValueDepth; c++) Add(dv, ValueAt(row, j) + c, weight * factor * dy[OutputAt(row) + c]);
                    for (var c = 0; c < Geometry.Depth; c++)
                    {
                        Add(dq, QueryAt(row) + c, ofScore * k[KeyAt(row, j) + c] * Geometry.Scale);
                        Add(dk, KeyAt(row, j) + c, ofScore * (q[QueryAt(row) + c] * (Approximate)Geometry.Scale));
                    }
                }
            }

            foreach (var ((target, place), (sum, size, error, count)) in terms) target[place] = Approximate.OfTerms(sum, size, count + 1, error);
            return [dq, dk, dv];

            void Add(Approximate[] target, int place, Approximate term)
            {
                var (sum, size, error, count) = terms.GetValueOrDefault((target, place));
                terms[(target, place)] = (sum + term.Value, size + Math.Abs(term.Value), error + term.Error, count + 1);
            }
        }
    }
}
