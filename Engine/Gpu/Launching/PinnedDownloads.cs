using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// Copies small values to the host through page-locked memory. A copy is requested among the kernels that make the value. The host waits for it later,
/// while kernels launched after the copy may still be running.
/// </summary>
sealed class PinnedDownloads(CudaAccelerator accelerator, CudaStream stream)
{
    /// <summary>The largest number of bytes in a download.</summary>
    public const int Largest = 16 << 10;

    readonly ConcurrentBag<(nint Host, nint Arrived)> free = [];

    /// <summary>Starts a copy; the returned function waits for it. The bytes are those at this point of the stream.</summary>
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
