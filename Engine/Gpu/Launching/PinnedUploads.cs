using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// Uploads for which the host does not wait. Values are copied into page-locked memory, from where the device fetches them. Large uploads
/// go on a separate stream to a landing place while kernels run, and are then moved to their target in the order of the kernels, at the
/// speed of the device's memory. The slots form a ring: the host waits only if all slots are in use.
/// </summary>
sealed class PinnedUploads
{
    const int Slots = 8, LargestSlot = 4 << 20;

    // A smaller upload is not worth an event between two streams.
    const int SmallestLanding = 64 << 10;

    readonly CudaAccelerator accelerator;
    readonly CudaStream kernels, copies;
    readonly Slot[] ring = [.. Enumerable.Range(0, Slots).Select(_ => new Slot())];
    int next;

    PinnedUploads(CudaAccelerator accelerator, CudaStream kernels)
    {
        (this.accelerator, this.kernels) = (accelerator, kernels);
        copies = (CudaStream)accelerator.CreateStream();
    }

    /// <summary>Makes the uploads; null if there is no CUDA, or if its driver gives no page-locked memory.</summary>
    public static PinnedUploads? TryCreate(Accelerator accelerator, AcceleratorStream kernels)
    {
        if (accelerator is not CudaAccelerator cuda || kernels is not CudaStream stream) return null;
        try
        {
            var uploads = new PinnedUploads(cuda, stream);
            uploads.ring[0].Grow(cuda, SmallestLanding);
            return uploads;
        }
        catch (Exception exception) when (exception is AcceleratorException or EntryPointNotFoundException or DllNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Copies to the device's memory before the next launch runs. The source may be changed at once.</summary>
    /// <exception cref="AcceleratorException">There is no memory for a slot, or the device has failed.</exception>
    public void Upload(ReadOnlySpan<byte> source, nint target)
    {
        accelerator.Bind();
        for (; source.Length > LargestSlot; source = source[LargestSlot..], target += LargestSlot) Send(source[..LargestSlot], target);
        Send(source, target);
    }

    unsafe void Send(ReadOnlySpan<byte> source, nint target)
    {
        var slot = ring[next];
        next = (next + 1) % Slots;
        slot.WaitUntilFree();
        slot.Grow(accelerator, source.Length);
        source.CopyTo(new Span<byte>((void*)slot.Host, source.Length));

        var bytes = (nuint)source.Length;
        if (source.Length < SmallestLanding)
        {
            CudaDriver.Check(CudaDriver.CopyToDevice(target, slot.Host, bytes, kernels.StreamPtr));
        }
        else
        {
            CudaDriver.Check(CudaDriver.CopyToDevice(slot.Landing, slot.Host, bytes, copies.StreamPtr));
            CudaDriver.Check(CudaDriver.RecordEvent(slot.Landed, copies.StreamPtr));
            CudaDriver.Check(CudaDriver.LetStreamWait(kernels.StreamPtr, slot.Landed, 0));
            CudaDriver.Check(CudaDriver.CopyOnDevice(target, slot.Landing, bytes, kernels.StreamPtr));
        }

        slot.InUse(kernels);
    }

    /// <summary>Page-locked memory, its landing place, and the progress of an upload through them.</summary>
    sealed class Slot
    {
        MemoryBuffer1D<byte, Stride1D.Dense>? landing;
        nint moved;
        int capacity;
        bool inUse;

        public nint Host { get; private set; }

        public nint Landed { get; private set; }

        public nint Landing => landing!.NativePtr;

        public void WaitUntilFree()
        {
            if (inUse) CudaDriver.Check(CudaDriver.WaitForEvent(moved));
            inUse = false;
        }

        public void InUse(CudaStream stream)
        {
            CudaDriver.Check(CudaDriver.RecordEvent(moved, stream.StreamPtr));
            inUse = true;
        }

        /// <summary>Makes room for the given number of bytes; the slot must be free.</summary>
        public void Grow(CudaAccelerator accelerator, int bytes)
        {
            if (bytes <= capacity) return;
            if (moved == 0)
            {
                CudaDriver.Check(CudaDriver.CreateEvent(out moved, CudaDriver.WithoutTiming));
                CudaDriver.Check(CudaDriver.CreateEvent(out var landed, CudaDriver.WithoutTiming));
                Landed = landed;
            }

            if (Host != 0) CudaDriver.Check(CudaDriver.FreeHost(Host));
            landing?.Dispose();
            (Host, landing, capacity) = (0, null, 0);
            var room = Math.Max(4096, (int)BitOperations.RoundUpToPowerOf2((uint)bytes));
            CudaDriver.Check(CudaDriver.AllocateHost(out var host, (nuint)room, 0));
            Host = host;
            if (room >= SmallestLanding) landing = accelerator.Allocate1D<byte>(room);
            capacity = room;
        }
    }
}
