using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

// Attention.
static partial class BackendCases
{
    static IEnumerable<BackendCase> Attentions =>
    [
        new(nameof(Backend.Attention), "", s =>
        {
            var (geometry, query, key, value, lengths, mask) = Attention(s);
            Tensor y = s.Output([geometry.Batch, geometry.Queries, geometry.OutputStep]), logSums = s.Output([geometry.Batch, geometry.Heads, geometry.Queries]);
            s.Backend.Attention(query, key, value, geometry, lengths, mask, new RandomStream(3, 5), y, logSums);
            s.Result("y", y);
            s.Result("logSums", logSums);
        }),
        new(nameof(Backend.AttentionBackward), "", s =>
        {
            var (geometry, query, key, value, lengths, mask) = Attention(s);
            Shape output = [geometry.Batch, geometry.Queries, geometry.OutputStep];
            Tensor dy = s.Values(output), y = s.Output(output), logSums = s.Output([geometry.Batch, geometry.Heads, geometry.Queries]);
            s.Backend.Attention(query, key, value, geometry, lengths, mask, new RandomStream(3, 5), y, logSums);
            var dQuery = s.Output(query.Shape);
            var (dKey, dValue) = geometry.Packed ? (dQuery, dQuery) : (s.Output(key.Shape), s.Output(value.Shape));
            s.Backend.AttentionBackward(dy, query, key, value, geometry, lengths, mask, new RandomStream(3, 5), y, logSums, dQuery, dKey, dValue);
            s.Result("dQuery", dQuery);
            s.Result("dKey", dKey);
            s.Result("dValue", dValue);
        }),
    ];

    static (AttentionGeometry Geometry, Tensor Query, Tensor Key, Tensor Value, IntTensor? Lengths, Tensor? Mask) Attention(Sample s)
    {
        int batch = s.Pick(1, 2), heads = s.Pick(1, 3), depth = s.Extent(80), queries = s.Extent(300), keys = s.Extent(300);
        var packed = s.Chance(3);
        var geometry = new AttentionGeometry(batch, heads, packed ? keys : queries, keys, depth, packed || s.Chance() ? depth : s.Extent(80), 1f / MathF.Sqrt(depth))
        {
            Causal = s.Chance(), Packed = packed, Dropout = s.Chance(3) ? 0.3f : 0f, MaskOfHead = s.Chance() ? (packed ? keys : queries) * keys : 0,
        };
        Shape matrix = [geometry.Queries, keys];
        var query = s.Values([batch, geometry.Queries, geometry.QueryStep]);
        return (geometry, query, packed ? query : s.Values([batch, keys, geometry.KeyStep]), packed ? query : s.Values([batch, keys, geometry.ValueStep]),
            s.Chance(3) ? s.Labels(batch, keys + 1) : null, s.Maybe(geometry.MaskOfHead == 0 ? matrix : [heads, .. matrix]));
    }
}
