using System.Runtime.InteropServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>A block outside the garbage-collected heap, aligned for the widest vectors and to cache lines.</summary>
sealed unsafe class CpuMemory : DeviceMemory
{
    const int Alignment = 64;
    const byte Canary = 0xA5;

    // The bytes after every block that kernels may read but must not use: a register that starts at the last float ends within them.
    const int Readable = 64;

    // Filled with this byte, every float is NaN.
    const byte Poisoned = 0xFF;

    // Linux gives memory in pages of 4 KB unless large pages are requested. With large pages a pass over an activation seldom waits for an
    // address to be translated, and new memory costs a page fault for each 2 MB.
    const int LargePage = 2 << 20;
    const int AdviseLargePages = 14;

    // Bytes before and after a guarded block that nobody may write.
    readonly int edge = BufferPool.IsGuarded ? Alignment : 0;
    bool isPoisoned;

    public CpuMemory(long bytes)
    {
        Bytes = bytes;
        var isLarge = OperatingSystem.IsLinux() && bytes >= 2 * LargePage;
        var start = (byte*)NativeMemory.AlignedAlloc((nuint)(bytes + Math.Max(Readable, 2 * edge)), isLarge ? (nuint)LargePage : Alignment);

        // A system that does not know the advice refuses it, which does no harm.
        if (isLarge) _ = Advise(start, (nuint)bytes, AdviseLargePages);
        Pointer = (float*)(start + edge);
        Front.Fill(Canary);
        Behind.Fill(Canary);
    }

    public float* Pointer { get; private set; }

    public override long Bytes { get; }

    [DllImport("libc", EntryPoint = "madvise"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Advise(void* start, nuint bytes, int advice);

    Span<byte> Front => new((byte*)Pointer - edge, edge);

    Span<byte> Behind => new((byte*)Pointer + Bytes, edge);

    public override void Dispose()
    {
        if (Pointer is not null) NativeMemory.AlignedFree((byte*)Pointer - edge);
        Pointer = null;
    }

    protected internal override void Poison()
    {
        if (Front.ContainsAnyExcept(Canary) || Behind.ContainsAnyExcept(Canary))
            throw new InvalidOperationException($"Memory: a kernel wrote {(Front.ContainsAnyExcept(Canary) ? "in front of" : "behind")} a block of {Bytes} bytes.");
        for (long start = 0; start < Bytes; start += Piece) PieceAt(start).Fill(Poisoned);
        isPoisoned = true;
    }

    protected internal override void CheckPoison()
    {
        if (!isPoisoned) return;
        isPoisoned = false;
        for (long start = 0; start < Bytes; start += Piece)
            if (PieceAt(start).IndexOfAnyExcept(Poisoned) is >= 0 and var at)
                throw new InvalidOperationException($"Memory: byte {start + at} of a block of {Bytes} bytes was written after the block had been freed.");
    }

    const int Piece = 1 << 30;

    Span<byte> PieceAt(long start) => new((byte*)Pointer + start, (int)Math.Min(Piece, Bytes - start));
}
