using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// Small values on their way to the host through page-locked memory: asked for among the kernels that make them, and waited for later,
/// while the kernels launched since are still running.
/// </summary>
sealed class PinnedDownloads(CudaAccelerator accelerator, CudaStream stream)
{
    /// <summary>Bytes of a download, at most.</summary>
    public const int Largest = 16 << 10;

    readonly ConcurrentBag<(nint Host, nint Arrived)> free = [];

    /// <summary>Starts a copy; the function waits for it. The bytes are of when the stream comes here.</summary>
    public Func<byte[]> Begin(nint source, int bytes)
    {
        accelerator.Bind();
        var slot = free.TryTake(out var idle) ? idle : NewSlot();
        CudaDriver.Check(CudaDriver.CopyToHost(slot.Host, source, (nuint)bytes, stream.StreamPtr));
        CudaDriver.Check(CudaDriver.RecordEvent(slot.Arrived, stream.StreamPtr));
        byte[]? values = null;
        return () => values ??= Finish(slot, bytes);
    }

    byte[] Finish((nint Host, nint Arrived) slot, int bytes)
    {
        accelerator.Bind();
        CudaDriver.Check(CudaDriver.WaitForEvent(slot.Arrived));
        var values = new byte[bytes];
        Marshal.Copy(slot.Host, values, 0, bytes);
        free.Add(slot);
        return values;
    }

    static (nint Host, nint Arrived) NewSlot()
    {
        CudaDriver.Check(CudaDriver.AllocateHost(out var host, Largest, 0));
        CudaDriver.Check(CudaDriver.CreateEvent(out var arrived, CudaDriver.WithoutTiming));
        return (host, arrived);
    }
}
