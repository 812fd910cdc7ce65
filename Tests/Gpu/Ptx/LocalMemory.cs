using System.Numerics;
using System.Runtime.Intrinsics;

namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>The memory of each thread of a warp. The same word of all lanes is adjacent, because lanes usually access the same word.</summary>
sealed class LocalMemory(PtxKernel kernel)
{
    readonly uint[] values = new uint[kernel.LocalWords * Warp.Size];

    // For each word, one bit for each lane that has written it.
    readonly uint[] written = new uint[kernel.LocalWords];

    public void Clear() => Array.Clear(written);

    public uint Read(Warp warp, int lane, ulong address)
    {
        var word = WordOf(warp, lane, address);
        if ((written[word] >> lane & 1) == 0) throw warp.Fault(lane, $"local address {address} is read and was never written");
        return values[word * Warp.Size + lane];
    }

    public void Write(Warp warp, int lane, ulong address, uint value)
    {
        var word = WordOf(warp, lane, address);
        written[word] |= 1u << lane;
        values[word * Warp.Size + lane] = value;
    }

    /// <summary>Reads the same word of several lanes into a register.</summary>
    public void ReadAll(Warp warp, uint lanes, ulong address, int register)
    {
        var word = WordOf(warp, BitOperations.TrailingZeroCount(lanes), address);
        if ((~written[word] & lanes) is not 0 and var missing) throw warp.Fault(BitOperations.TrailingZeroCount(missing), $"local address {address} is read and was never written");
        for (var i = 0; i < Warp.Size; i += Vector512<uint>.Count) warp.Store(register, i, Vector512.Create(values, word * Warp.Size + i), lanes);
    }

    public void WriteAll(Warp warp, uint lanes, ulong address, int register)
    {
        var word = WordOf(warp, BitOperations.TrailingZeroCount(lanes), address);
        written[word] |= lanes;
        for (var i = 0; i < Warp.Size; i += Vector512<uint>.Count)
            Vector512.ConditionalSelect(Warp.Mask<uint>(lanes, i), warp.Load<uint>(register, i), Vector512.Create(values, word * Warp.Size + i)).CopyTo(values, word * Warp.Size + i);
    }

    int WordOf(Warp warp, int lane, ulong address) => address / 4 is var word && word < (ulong)written.Length && kernel.IsLocal[word]
        ? (int)word
        : throw warp.Fault(lane, $"local address {(long)address} is not in a variable of this kernel");
}
