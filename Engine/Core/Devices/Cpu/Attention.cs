namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuKernels
{
    // Floor: two products of queries x keys x depth over the FMA peak, and one exponential for each pair of a query and a key.
    public override void Attention(Operand query, Operand key, Operand value, AttentionGeometry geometry, Operand? keyLengths, Operand? mask, RandomStream stream, Operand y, Operand logSums)
    {
        var tiles = new AttentionTiles(query, key, value, geometry, keyLengths, mask, stream);
        new AttentionForward(tiles, y.Pointer(), logSums.Pointer()).Run();
    }

    // Floor: five products of queries x keys x depth over the FMA peak, and the exponentials again.
    public override void AttentionBackward(Operand dy, Operand query, Operand key, Operand value, AttentionGeometry geometry, Operand? keyLengths, Operand? mask, RandomStream stream, Operand y, Operand logSums, Operand? dQuery, Operand? dKey, Operand? dValue)
    {
        var tiles = new AttentionTiles(query, key, value, geometry, keyLengths, mask, stream);
        new AttentionGradients(tiles, dy.Pointer(), y.Pointer(), logSums.Pointer(), dQuery.PointerOrNull(), dKey.PointerOrNull(), dValue.PointerOrNull()).Run();
    }
}
