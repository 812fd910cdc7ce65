namespace QuadEngine.Devices.Cpu;

/// <summary>Sums over a row, gathered in a few lanes and folded pairwise.</summary>
static unsafe class RowSums
{
    /// <summary>Lanes that gather: four vectors of 256 bits, enough to hide the latency of an addition.</summary>
    public const int Lanes = 32;

    /// <summary>The sum of all lanes.</summary>
    public static float Fold(float* lanes)
    {
        for (var half = Lanes / 2; half > 0; half /= 2)
            for (var lane = 0; lane < half; lane++) lanes[lane] += lanes[half + lane];
        return lanes[0];
    }
}
