namespace QuadEngine.Data;

/// <summary>
/// The random draws of data loading. They are functions of (seed, epoch, index) only, so neither the number of threads nor the
/// place where a run was resumed can change them. Each use has its own family of Philox streams, with one stream for each epoch.
/// </summary>
static class EpochRandom
{
    const ulong ShuffleFamily = 0x53_48_55_46ul << 32;      // "SHUF"
    const ulong AugmentFamily = 0x41_55_47_4Dul << 32;      // "AUGM"

    /// <summary>Returns the order of an epoch: a permutation of 0 .. count - 1 (Fisher and Yates; Durstenfeld 1964).</summary>
    public static int[] Permutation(int count, ulong seed, int epoch)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
            order[i] = i;

        for (var i = count - 1; i > 0; i--)
        {
            var (x, y, _, _) = Philox.At(seed, ShuffleFamily | (uint)epoch, (ulong)i);
            var j = (int)Math.BigMul((ulong)x << 32 | y, (ulong)i + 1, out _);      // the high word: uniform in 0 .. i
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    /// <summary>Returns the random words for the augmentation in one epoch, four at the index of each image.</summary>
    public static RandomStream AugmentStream(ulong seed, int epoch) => new(seed, AugmentFamily | (uint)epoch);
}
