using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// The gradients of an attention. The weights are computed again from the scores and the logarithms of their sums (Dao et al. 2022).
/// </summary>
/// <remarks>
/// A chunk has some blocks of keys of one sequence and head, with their gradients. Where a sequence and head has several chunks, each has its own part of the gradients of the
/// queries, and the parts are added up in order.
/// </remarks>
sealed unsafe class AttentionGradients
{
    const int QueryBlock = 66;

    readonly AttentionTiles tiles;
    readonly AttentionGeometry geometry;
    readonly float* dy, y, logSums, dQuery, dKey, dValue;
    readonly int keysOfGroup, groups;

    public AttentionGradients(AttentionTiles tiles, float* dy, float* y, float* logSums, float* dQuery, float* dKey, float* dValue)
    {
        (this.tiles, geometry) = (tiles, tiles.Geometry);
        this.dy = dy;
        this.y = y;
        this.logSums = logSums;
        this.dQuery = dQuery;
        this.dKey = dKey;
        this.dValue = dValue;
        int wanted = (AttentionTiles.ChunksWanted + Math.Max(1, geometry.Sequences) - 1) / Math.Max(1, geometry.Sequences), blocks = (geometry.Keys + tiles.KeyBlock - 1) / tiles.KeyBlock;
        keysOfGroup = Math.Max(1, (blocks + wanted - 1) / wanted) * tiles.KeyBlock;
        groups = Math.Max(1, (geometry.Keys + keysOfGroup - 1) / keysOfGroup);
    }

    // The floats of the gradients of the queries of one sequence and head.
    long QueryFloats => (long)geometry.Queries * tiles.Depth;

    public void Run()
    {
        if (dQuery == null || groups == 1)
        {
            ThreadTeam.Run(geometry.Sequences * groups, new Job(this, null));
            return;
        }

        using var parts = new CpuMemory(sizeof(float) * geometry.Sequences * groups * QueryFloats);
        ThreadTeam.Run(geometry.Sequences * groups, new Job(this, parts.Pointer));
        ThreadTeam.Run(geometry.Sequences, new SumJob(this, parts.Pointer));
    }

    readonly struct Job(AttentionGradients gradients, float* parts) : IChunkedJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int chunk) =>
            gradients.Keys(gradients.tiles.HeadOf(chunk / gradients.groups), chunk % gradients.groups * gradients.keysOfGroup, parts == null ? null : parts + chunk * gradients.QueryFloats);
    }

    readonly struct SumJob(AttentionGradients gradients, float* parts) : IChunkedJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int sequence)
        {
            var sum = parts + sequence * gradients.groups * gradients.QueryFloats;
            for (var group = 1; group < gradients.groups; group++)
                for (var row = 0; row < gradients.geometry.Queries; row++)
                {
                    var at = sum + (nint)row * gradients.tiles.Depth;
                    ChannelPass.Add(at + group * gradients.QueryFloats, gradients.tiles.Depth, at);
                }

            gradients.StoreQueries(gradients.tiles.HeadOf(sequence), sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Keys(AttentionHead head, int first, float* part)
    {
        int block = tiles.KeyBlock, step = tiles.RowStep, depth = tiles.Depth, valueDepth = tiles.ValueDepth, queries = geometry.Queries;
        var ownPart = part == null && dQuery != null;
        var memory = ThreadScratch.Operand((ownPart ? QueryFloats : 0) + queries + (long)block * (geometry.Depth + geometry.ValueDepth + 2 * depth + valueDepth) + (long)QueryBlock * (depth + valueDepth + 2 * step) + tiles.WordsOfBlock);
        if (ownPart)
        {
            part = memory;
            memory += QueryFloats;
        }

        float* deltas = memory, packedKeys = deltas + queries, packedValues = packedKeys + (nint)block * geometry.Depth, keys = packedValues + (nint)block * geometry.ValueDepth;
        float* ofKeys = keys + (nint)block * depth, ofValues = ofKeys + (nint)block * depth, ofBlock = ofValues + (nint)block * valueDepth, upstream = ofBlock + QueryBlock * depth;
        float* weights = upstream + QueryBlock * valueDepth, gradients = weights + QueryBlock * step;
        var words = (uint*)(gradients + QueryBlock * step);
        var longest = Math.Max(Math.Max(geometry.Depth, geometry.ValueDepth), block);
        int* along = ThreadScratch.Offsets(longest + QueryBlock), down = along + longest;
        for (var k = 0; k < longest; k++) along[k] = k;
        for (var k = 0; k < QueryBlock; k++) down[k] = k * step;

        if (part != null) new Span<float>(part, (int)QueryFloats).Clear();
        if (NeedsScores)
            Deltas(head, deltas);
        for (int key = first, end = Math.Min(geometry.Keys, first + keysOfGroup); key < end; key += block)
        {
            int keysOfBlock = Math.Min(block, end - key), seenOfBlock = Math.Clamp(head.Keys - key, 0, keysOfBlock);
            new Span<float>(ofKeys, keysOfBlock * depth).Clear();
            new Span<float>(ofValues, keysOfBlock * valueDepth).Clear();
            if (seenOfBlock > 0)
            {
                tiles.PackKeys(head, key, seenOfBlock, packedKeys);
                if (NeedsScores) tiles.PackValues(head, key, seenOfBlock, packedValues);
                if (dQuery != null) tiles.CopyKeys(head, key, seenOfBlock, keys);
            }

            for (var query = 0; query < queries && seenOfBlock > 0; query += QueryBlock)
            {
                var height = Math.Min(QueryBlock, queries - query);
                var seen = tiles.Seen(query + height - 1, key, seenOfBlock);
                if (seen == 0) continue;
                var panels = AttentionTiles.OfKeys(seenOfBlock);
                tiles.CopyQueries(head, query, height, ofBlock);
                AttentionTiles.CopyRows(dy + tiles.OutputAt(head, query), geometry.OutputStep, height, geometry.ValueDepth, 1f, upstream, valueDepth);
                AttentionTiles.MultiplyPacked(panels, seen, packedKeys, height, ofBlock, depth, along, geometry.Depth, weights, step);
                if (NeedsScores) AttentionTiles.MultiplyPacked(panels, seen, packedValues, height, upstream, valueDepth, along, geometry.ValueDepth, gradients, step);
                for (var r = 0; r < height; r++)
                    Weigh(head, query + r, key, seen, weights + r * step, gradients + r * step, deltas[query + r], words);
                if (dValue != null) AttentionTiles.MultiplyRows(tiles.OfValues, upstream, valueDepth, seen, weights, 1, down, height, ofValues, valueDepth, accumulate: true);
                if (dKey != null) AttentionTiles.MultiplyRows(tiles.OfDepth, ofBlock, depth, seen, gradients, 1, down, height, ofKeys, depth, accumulate: true);
                if (part != null) AttentionTiles.MultiplyRows(tiles.OfDepth, keys, depth, height, gradients, step, along, seen, part + (nint)query * depth, depth, accumulate: true);
            }

            if (dKey != null) AttentionTiles.StoreRows(ofKeys, depth, keysOfBlock, geometry.Depth, 1f, dKey + tiles.KeyAt(head, key), geometry.KeyStep);
            if (dValue != null) AttentionTiles.StoreRows(ofValues, valueDepth, keysOfBlock, geometry.ValueDepth, 1f, dValue + tiles.ValueAt(head, key), geometry.ValueStep);
        }

        if (ownPart) StoreQueries(head, part);
    }

    // delta = dy y of each query.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Deltas(AttentionHead head, float* deltas)
    {
        nint at = tiles.OutputAt(head, 0), ahead = (nint)AttentionTiles.RowsAhead * geometry.OutputStep;
        for (var i = 0; i < geometry.Queries; i++, at += geometry.OutputStep)
        {
            if (i < geometry.Queries - AttentionTiles.RowsAhead)
            {
                CacheLines.Prefetch(dy + at + ahead, geometry.ValueDepth);
                CacheLines.Prefetch(y + at + ahead, geometry.ValueDepth);
            }

            deltas[i] = AttentionRow.Product(dy + at, y + at, geometry.ValueDepth);
        }
    }

    bool NeedsScores => dQuery != null || dKey != null;

    // Turns the scores of a query into weights, and the gradients of the weights into those of the scores.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Weigh(AttentionHead head, int i, int key, int keys, float* scores, float* gradients, float delta, uint* words)
    {
        var width = AttentionRow.RoundUp(keys);
        tiles.Mask(head, i, key, tiles.Seen(i, key, keys), width, scores);
        var units = geometry.Dropout > 0f ? tiles.Units(head, i, key, width, words) : null;
        if (units != null && NeedsScores) AttentionRow.Drop(units, geometry.Dropout, width, gradients);

        AttentionRow.Gradients(scores, logSums[(nint)head.Sequence * geometry.Queries + i], delta, width, NeedsScores ? gradients : null);
        if (units != null) AttentionRow.Drop(units, geometry.Dropout, width, scores);
    }

    void StoreQueries(AttentionHead head, float* sum) =>
        AttentionTiles.StoreRows(sum, tiles.Depth, geometry.Queries, geometry.Depth, geometry.Scale, dQuery + tiles.QueryAt(head, 0), geometry.QueryStep);
}
