namespace QuadEngine.Devices.Cpu;

/// <summary>Memory of the calling thread that a chunk may use until it ends. Its first content is undefined. It is kept for the next chunk.</summary>
static unsafe class ThreadScratch
{
    [ThreadStatic] static CpuMemory? window;
    [ThreadStatic] static CpuMemory? secondWindow;
    [ThreadStatic] static CpuMemory? operand;
    [ThreadStatic] static CpuMemory? offsets;

    /// <summary>Memory for a piece of an image with its border. Each call returns the same memory.</summary>
    public static float* Window(long floats) => AtLeast(ref window, floats);

    /// <summary>Memory for a piece of another image at the same time.</summary>
    public static float* SecondWindow(long floats) => AtLeast(ref secondWindow, floats);

    /// <summary>Memory for a rearranged operand of a product. Each call returns the same memory.</summary>
    public static float* Operand(long floats) => AtLeast(ref operand, floats);

    /// <summary>Memory for a table of <see cref="TileOperands.XOffsets"/>. Each call returns the same memory.</summary>
    public static int* Offsets(int count) => (int*)AtLeast(ref offsets, count);

    static float* AtLeast(ref CpuMemory? memory, long floats)
    {
        if (memory is { } enough && enough.Bytes >= sizeof(float) * floats) return enough.Pointer;
        memory?.Dispose();
        return (memory = new CpuMemory(sizeof(float) * floats)).Pointer;
    }
}
