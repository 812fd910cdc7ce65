using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>An address in memory: a register of 32 or 64 bits and a number of bytes.</summary>
readonly record struct Address(int Register, bool Wide, long Offset)
{
    public ulong Of(Warp warp, int lane) => (Wide ? warp.At<ulong>(Register, lane) : warp.At<uint>(Register, lane)) + (ulong)Offset;

    /// <summary>Whether all participating lanes use the same address.</summary>
    public bool IsSame(Warp warp, uint lanes, out ulong address)
    {
        address = Of(warp, BitOperations.TrailingZeroCount(lanes));
        if (!Wide) return false;
        var first = Vector512.Create(address - (ulong)Offset);
        for (var i = 0; i < Warp.Size; i += Vector512<ulong>.Count)
            if (((uint)Vector512.Equals(warp.Load<ulong>(Register, i), first).ExtractMostSignificantBits() << i | ~(0xffu << i) | ~lanes) != uint.MaxValue) return false;
        return true;
    }
}

/// <summary>
/// Moves one, two or four values between registers and memory. A value of 64 bits is two words; word w of a lane's values is at
/// <c>Word(w, lane)</c> of the registers.
/// </summary>
abstract class Transfer(Address address, int[] registers, int bytesEach) : Instruction
{
    protected Address From => address;

    protected int Words { get; } = registers.Length * bytesEach / 4;

    protected int Bytes => 4 * Words;

    protected ref uint Word(Warp warp, int word, int lane) => ref bytesEach == 4
        ? ref warp.At<uint>(registers[word], lane)
        : ref warp.At<uint>(registers[word / 2], 2 * lane + word % 2);

    protected int Single => Words == 1 ? registers[0] : -1;

    protected ulong Aligned(Warp warp, int lane)
    {
        var at = address.Of(warp, lane);
        return at % (ulong)Bytes == 0 ? at : throw warp.Fault(lane, $"address 0x{at:x} is not a multiple of the {Bytes} bytes that are moved at once");
    }

    public override void Execute(Warp warp, uint lanes)
    {
        for (var rest = lanes; rest != 0; rest &= rest - 1) Move(warp, BitOperations.TrailingZeroCount(rest));
    }

    protected abstract void Move(Warp warp, int lane);
}

sealed class Shared(Address address, int[] registers, int bytesEach, bool stores) : Transfer(address, registers, bytesEach)
{
    protected override void Move(Warp warp, int lane)
    {
        var at = Aligned(warp, lane);
        var memory = warp.Block.Shared;
        for (var word = 0; word < Words; word++)
            if (stores) memory.Write(warp, lane, at + 4ul * (ulong)word, Word(warp, word, lane));
            else Word(warp, word, lane) = memory.Read(warp, lane, at + 4ul * (ulong)word);
    }
}

sealed class Local(Address address, int[] registers, int bytesEach, bool stores) : Transfer(address, registers, bytesEach)
{
    public override void Execute(Warp warp, uint lanes)
    {
        if (Single < 0 || !From.IsSame(warp, lanes, out var same) || same % 4 != 0) base.Execute(warp, lanes);
        else if (stores) warp.Local.WriteAll(warp, lanes, same, Single);
        else warp.Local.ReadAll(warp, lanes, same, Single);
    }

    protected override void Move(Warp warp, int lane)
    {
        var at = Aligned(warp, lane);
        for (var word = 0; word < Words; word++)
            if (stores) warp.Local.Write(warp, lane, at + 4ul * (ulong)word, Word(warp, word, lane));
            else Word(warp, word, lane) = warp.Local.Read(warp, lane, at + 4ul * (ulong)word);
    }
}

/// <summary>Memory of the device.</summary>
sealed class Global(Address address, int[] registers, int bytesEach, bool stores) : Transfer(address, registers, bytesEach)
{
    protected override void Move(Warp warp, int lane)
    {
        var at = Aligned(warp, lane);
        var memory = warp.Block.Launch.Memory;
        for (var word = 0; word < Words; word++)
            if (stores) memory.Write(warp, lane, at + 4ul * (ulong)word, Word(warp, word, lane));
            else Word(warp, word, lane) = memory.Read(warp, lane, at + 4ul * (ulong)word);
    }
}

/// <summary>Reads a value of one or two bytes, without sign.</summary>
sealed class SmallGlobal(int d, Address address, int bytes) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var rest = lanes; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            var at = address.Of(warp, lane);
            if (at % (ulong)bytes != 0) throw warp.Fault(lane, $"address 0x{at:x} is not a multiple of {bytes}");
            warp.At<uint>(d, lane) = warp.Block.Launch.Memory.ReadSmall(warp, lane, at, bytes);
        }
    }
}

/// <summary>Arguments of the launch: the same for all threads.</summary>
sealed class Parameter<T>(int d, int offset) : Instruction where T : struct
{
    public override void Execute(Warp warp, uint lanes)
    {
        var value = Vector512.Create(MemoryMarshal.Read<T>(warp.Block.Launch.Parameters.AsSpan(offset)));
        for (var i = 0; i < Warp.Size; i += Vector512<T>.Count) warp.Store(d, i, value, lanes);
    }
}

/// <summary>Reads a word of global memory and changes it in one step, lane after lane.</summary>
sealed unsafe class Atomic(int d, Address address, int b, Func<uint, uint, uint> f) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var rest = lanes; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            var at = address.Of(warp, lane);
            if (at % 4 != 0) throw warp.Fault(lane, $"address 0x{at:x} is not a multiple of 4");
            ref var word = ref *warp.Block.Launch.Memory.Count(warp, lane, at);
            uint before;
            do before = Volatile.Read(ref word);
            while (Interlocked.CompareExchange(ref word, f(before, warp.At<uint>(b, lane)), before) != before);
            warp.At<uint>(d, lane) = before;
        }
    }
}

/// <summary>A fence: others see earlier writes before they see later writes.</summary>
sealed class Fence : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        warp.Block.Fence(warp, lanes);
        Interlocked.MemoryBarrier();
    }
}

/// <summary>Dependent grids may start; here grids run one after the other.</summary>
sealed class LetDependentsStart : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
    }
}

/// <summary>Waits until the grids that this one depends on have ended and their writes are visible.</summary>
sealed class WaitForGrids : Instruction
{
    public override void Execute(Warp warp, uint lanes) => warp.Waited |= lanes;
}

/// <summary>Starts to copy 16 bytes from global to shared memory; those past the length are zeros and are not read.</summary>
sealed class CopyAsync(Address target, Address source, int length) : Instruction
{
    const int Bytes = 16;

    public override void Execute(Warp warp, uint lanes)
    {
        var memory = warp.Block.Launch.Memory;
        for (var rest = lanes; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            var (to, from, bytes) = (target.Of(warp, lane), source.Of(warp, lane), warp.At<int>(length, lane));
            if (to % Bytes != 0 || from % Bytes != 0) throw warp.Fault(lane, $"addresses {to} and 0x{from:x} are not both multiples of {Bytes}");
            if (bytes is < 0 or > Bytes || bytes % 4 != 0) throw warp.Fault(lane, $"a length of {bytes}; 0, 4, 8, 12 and 16 are known");
            for (var at = 0; at < Bytes; at += 4)
            {
                warp.Block.Shared.BeginCopy(warp, lane, to + (ulong)at);
                warp.Copies.Add(lane, to + (ulong)at, at < bytes ? memory.Read(warp, lane, from + (ulong)at) : 0);
            }
        }
    }
}

sealed class CommitCopies : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var rest = lanes; rest != 0; rest &= rest - 1) warp.Copies.Commit(BitOperations.TrailingZeroCount(rest));
    }
}

/// <summary>Waits for all batches but the last few.</summary>
sealed class WaitForCopies(int butLast) : Instruction
{
    public override void Execute(Warp warp, uint lanes) => warp.Copies.Wait(warp, lanes, butLast);
}

/// <summary>Waits for all copies, committed or not.</summary>
sealed class WaitForAllCopies : Instruction
{
    public override void Execute(Warp warp, uint lanes) => warp.Copies.WaitForAll(warp, lanes);
}
