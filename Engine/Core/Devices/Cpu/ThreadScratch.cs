namespace QuadEngine.Devices.Cpu;

/// <summary>Memory of the calling thread that a chunk may use until it ends; it holds anything at first, and stays for the next chunk.</summary>
static unsafe class ThreadScratch
{
    [ThreadStatic] static CpuMemory? window;
    [ThreadStatic] static CpuMemory? secondWindow;
    [ThreadStatic] static CpuMemory? operand;
    [ThreadStatic] static CpuMemory? offsets;

    /// <summary>For a piece of an image with its border: the same memory at each call.</summary>
    public static float* Window(long floats) => AtLeast(ref window, floats);

    /// <summary>For a piece of another image at the same time.</summary>
    public static float* SecondWindow(long floats) => AtLeast(ref secondWindow, floats);

    /// <summary>For a rearranged operand of a product: the same memory at each call.</summary>
    public static float* Operand(long floats) => AtLeast(ref operand, floats);

    /// <summary>For a table of <see cref="TileOperands.XOffsets"/>: the same memory at each call.</summary>
    public static int* Offsets(int count) => (int*)AtLeast(ref offsets, count);

    static float* AtLeast(ref CpuMemory? memory, long floats)
    {
        if (memory is { } enough && enough.Bytes >= sizeof(float) * floats) return enough.Pointer;
        memory?.Dispose();
        return (memory = new CpuMemory(sizeof(float) * floats)).Pointer;
    }
}
