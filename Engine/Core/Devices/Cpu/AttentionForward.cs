using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// y = softmax(scale q k^T + mask) v, one block of keys after the other. For each query, the largest score so far and the sum of exp(score - largest) are kept. When a later block has a
/// larger score, sum and result are multiplied by exp(old largest - new largest) (Milakov and Gimelshein 2018; Dao et al. 2022).
/// </summary>
/// <remarks>A chunk has some queries of one sequence and head.</remarks>
sealed unsafe class AttentionForward
{
    const int QueryBlock = 48, MostQueries = 480;

    readonly AttentionTiles tiles;
    readonly AttentionGeometry geometry;
    readonly float* y, logSums;
    readonly int rows, groups;

    public AttentionForward(AttentionTiles tiles, float* y, float* logSums)
    {
        (this.tiles, geometry) = (tiles, tiles.Geometry);
        this.y = y;
        this.logSums = logSums;
        var wanted = (AttentionTiles.ChunksWanted + Math.Max(1, geometry.Sequences) - 1) / Math.Max(1, geometry.Sequences);
        rows = Math.Clamp(((geometry.Queries + wanted - 1) / wanted + QueryBlock - 1) / QueryBlock * QueryBlock, QueryBlock, MostQueries);
        groups = (geometry.Queries + rows - 1) / rows;
    }

    public void Run() => ThreadTeam.Run(geometry.Sequences * groups, new Job(this));

    readonly struct Job(AttentionForward attention) : IChunkedJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int chunk) => attention.Queries(attention.tiles.HeadOf(chunk / attention.groups), chunk % attention.groups * attention.rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Queries(AttentionHead head, int first)
    {
        var count = Math.Min(rows, geometry.Queries - first);
        int block = tiles.KeyBlock, step = tiles.RowStep, depth = tiles.Depth, valueDepth = tiles.ValueDepth;
        var queries = ThreadScratch.Operand((long)count * (depth + valueDepth + 2) + (long)block * (geometry.Depth + valueDepth) + (long)QueryBlock * step + tiles.WordsOfBlock);
        float* result = queries + (nint)count * depth, largest = result + (nint)count * valueDepth, sums = largest + count;
        float* keys = sums + count, values = keys + (nint)block * geometry.Depth, scores = values + (nint)block * valueDepth;
        var words = (uint*)(scores + QueryBlock * step);
        var offsets = ThreadScratch.Offsets(Math.Max(geometry.Depth, block));
        for (var k = 0; k < Math.Max(geometry.Depth, block); k++) offsets[k] = k;

        tiles.CopyQueries(head, first, count, queries);
        new Span<float>(largest, count).Fill(float.NegativeInfinity);
        new Span<float>(sums, count).Clear();
        var end = tiles.Seen(first + count - 1, 0, head.Keys);
        for (var key = 0; key < end; key += block)
        {
            var keysOfBlock = Math.Min(block, end - key);
            tiles.PackKeys(head, key, keysOfBlock, keys);
            tiles.CopyValues(head, key, keysOfBlock, values);
            for (var row = 0; row < count; row += QueryBlock)
            {
                var height = Math.Min(QueryBlock, count - row);
                var seen = tiles.Seen(first + row + height - 1, key, keysOfBlock);
                if (seen == 0) continue;
                AttentionTiles.MultiplyPacked(AttentionTiles.OfKeys(keysOfBlock), seen, keys, height, queries + (nint)row * depth, depth, offsets, geometry.Depth, scores, step);
                for (var r = 0; r < height; r++)
                    Weigh(head, first + row + r, key, seen, scores + r * step, words, largest + row + r, sums + row + r, result + (nint)(row + r) * valueDepth);
                AttentionTiles.MultiplyRows(tiles.OfValues, values, valueDepth, height, scores, step, offsets, seen, result + (nint)row * valueDepth, valueDepth, accumulate: key > 0);
            }
        }

        for (var row = 0; row < count; row++)
        {
            var at = y + tiles.OutputAt(head, first + row);
            if (row < count - AttentionTiles.RowsAhead) CacheLines.Prefetch(at + AttentionTiles.RowsAhead * geometry.OutputStep, geometry.ValueDepth);
            if (sums[row] == 0f) new Span<float>(at, geometry.ValueDepth).Clear();
            else AttentionRow.Scale(result + (nint)row * valueDepth, 1f / sums[row], geometry.ValueDepth, at);
            logSums[(nint)head.Sequence * geometry.Queries + first + row] = sums[row] == 0f ? float.PositiveInfinity : largest[row] + MathF.Log(sums[row]);
        }
    }

    // Turns the scores of a query into exp(score - largest), and brings its sum and result to the new largest score.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Weigh(AttentionHead head, int i, int key, int keys, float* scores, uint* words, float* largest, float* sum, float* result)
    {
        var width = AttentionRow.RoundUp(keys);
        tiles.Mask(head, i, key, tiles.Seen(i, key, keys), width, scores);
        float before = *largest, sumOfBlock = AttentionRow.Exponentials(scores, width, ref *largest), factor = before == *largest ? 1f : MathF.Exp(before - *largest);
        *sum = *sum * factor + sumOfBlock;
        if (key > 0 && factor != 1f) AttentionRow.Scale(result, factor, tiles.ValueDepth, result);
        if (geometry.Dropout > 0f) AttentionRow.Drop(tiles.Units(head, i, key, width, words), geometry.Dropout, width, scores);
    }
}
