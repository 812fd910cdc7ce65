using System.Globalization;
using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine;

/// <summary>
/// Tensors as a debugger shows them: shape, device and the first values. A debugger stops all threads and asks at any time, so nothing here computes, copies from
/// a device, waits for another thread or throws. If the values would need that, the text says instead why there are none.
/// </summary>
static class DebuggerText
{
    const int MostValues = 6;

    /// <param name="name">The name of the type.</param>
    /// <param name="shape">The extents.</param>
    /// <param name="storage">The memory, or null if the handle was dropped.</param>
    /// <param name="offset">The index of the first element in the memory.</param>
    /// <typeparam name="T">The type of the elements: float or int.</typeparam>
    public static unsafe string Of<T>(string name, Shape shape, Storage? storage, int offset) where T : unmanaged, IFormattable
    {
        if (storage is null) return $"{name}{shape}, dropped";
        var heading = $"{name}{shape} on {storage.Device}";
        if (shape.Elements == 0) return $"{heading}, empty";
        if (storage.Deferred is not null) return $"{heading}, not computed yet";
        if (Recording.Current?.Device == storage.Device) return $"{heading}, in a step that is being recorded";
        if (!ReferenceEquals(storage.Device, Device.Cpu)) return $"{heading}, values are there";
        if (!storage.TryRetain()) return $"{name}{shape}, dropped";
        try
        {
            var values = new ReadOnlySpan<T>(storage.Pointer() + offset, Math.Min(MostValues, shape.Elements));
            return $"{heading}: {string.Join(", ", values.ToArray().Select(value => value.ToString(null, CultureInfo.InvariantCulture)))}{(shape.Elements > MostValues ? ", ..." : "")}";
        }
        finally
        {
            storage.Release();
        }
    }
}
