using System.Numerics;

namespace QuadEngine.Gpu;

/// <summary>
/// Division by a number that the host knows, as one multiplication and a shift (Granlund and Montgomery 1994): GPUs have no integer
/// division. For dividends from 0 to 2^31 - 1: with l = ceil(log2 d) and m = ceil(2^(31 + l) / d), n / d = (n m) >> (31 + l).
/// </summary>
readonly struct FastDivisor
{
    readonly uint multiplier;
    readonly int shift;

    public FastDivisor(int divisor)
    {
        Divisor = divisor;
        var d = (uint)Math.Max(1, divisor);
        shift = 31 + 32 - BitOperations.LeadingZeroCount(d - 1);
        multiplier = (uint)(((1UL << shift) + d - 1) / d);
    }

    public readonly int Divisor;

    public int Divide(int n) => (int)(((ulong)(uint)n * multiplier) >> shift);

    public int Remainder(int n) => n - Divide(n) * Divisor;

    /// <summary>The remainder, given the quotient.</summary>
    public int Rest(int n, int quotient) => n - quotient * Divisor;
}
