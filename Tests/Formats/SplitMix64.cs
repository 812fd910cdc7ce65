namespace QuadEngine.Tests.Formats;

/// <summary>The generator of Steele, Lea and Flood 2014. It is good enough for test data, and independent of the engine's generator.</summary>
sealed class SplitMix64(ulong seed)
{
    ulong state = seed;

    public ulong Next()
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    public int Below(int limit) => (int)(Next() % (ulong)limit);

    /// <summary>Returns any float32: NaNs with payloads, infinities, subnormals, both zeros.</summary>
    public float[] AnyFloats(int count) => [.. Enumerable.Range(0, count).Select(_ => BitConverter.UInt32BitsToSingle((uint)Next()))];
}
