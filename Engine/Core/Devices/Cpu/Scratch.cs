using System.Runtime.InteropServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>Uninitialized working memory of one kernel call, e.g. for partial results.</summary>
readonly unsafe struct Scratch<T>(int length) : IDisposable where T : unmanaged
{
    /// <summary>The first element.</summary>
    public readonly T* Pointer = (T*)NativeMemory.AlignedAlloc((nuint)Math.Max(1, length) * (nuint)sizeof(T), 64);

    public void Dispose() => NativeMemory.AlignedFree(Pointer);
}
