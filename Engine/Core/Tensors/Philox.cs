namespace QuadEngine;

/// <summary>
/// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a counter-based generator. The same
/// (seed, stream, index) gives the same 128 bits on every device, in any order, on any number of threads.
/// </summary>
public static class Philox
{
    /// <summary>The 128 random bits at <paramref name="index"/> of <paramref name="stream"/> under <paramref name="seed"/>.</summary>
    /// <param name="seed">The key, two words.</param>
    /// <param name="stream">The upper half of the counter.</param>
    /// <param name="index">The lower half of the counter.</param>
    public static (uint X, uint Y, uint Z, uint W) At(ulong seed, ulong stream, ulong index)
    {
        uint k0 = (uint)seed, k1 = (uint)(seed >> 32);
        uint x = (uint)index, y = (uint)(index >> 32), z = (uint)stream, w = (uint)(stream >> 32);
        for (var round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)0xD2511F53u * x, p1 = (ulong)0xCD9E8D57u * z;
            (x, y, z, w) = ((uint)(p1 >> 32) ^ y ^ k0, (uint)p1, (uint)(p0 >> 32) ^ w ^ k1, (uint)p0);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }

        return (x, y, z, w);
    }

    /// <summary>24 bits of a word as a float in [0, 1).</summary>
    /// <param name="bits">A random word; its lowest 8 bits are not used.</param>
    public static float ToUnit(uint bits) => (bits >> 8) * (1f / (1 << 24));

    /// <summary>The largest float in [low, high); low if they are equal. The rounded value of low + (high - low) u must not exceed it.</summary>
    /// <param name="low">The least number of the range.</param>
    /// <param name="high">The end of the range, not included; low or above.</param>
    public static float Largest(float low, float high) => MathF.Max(low, MathF.BitDecrement(high));

    /// <summary>Turns a word into a number from 0 to bound - 1.</summary>
    /// <param name="bound">The bound, 1 or more.</param>
    /// <param name="bits">A random word.</param>
    public static int Below(int bound, uint bits) => (int)((ulong)bits * (uint)bound >> 32);
}
