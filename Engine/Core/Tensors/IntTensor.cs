using System.Diagnostics;
using System.Runtime.InteropServices;
using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>Integers on a device: labels, and the indices that argmax and max pooling return. Not differentiable.</summary>
[DebuggerDisplay($"{{{nameof(InDebugger)},nq}}")]
public sealed class IntTensor : IDisposable
{
    Storage? storage;

    IntTensor(Storage storage, Shape shape)
    {
        this.storage = storage;
        Shape = shape;
    }

    /// <summary>Releases the memory at the device's next request.</summary>
    ~IntTensor()
    {
        if (Interlocked.Exchange(ref storage, null) is { } dead) dead.Device.Pool.ReleaseLater(dead.Release);
    }

    /// <summary>The extents, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>The number of elements.</summary>
    public int Length => Shape.Elements;

    /// <summary>The device that holds the tensor.</summary>
    public Device Device => Storage.Device;

    /// <summary>The memory.</summary>
    /// <exception cref="ObjectDisposedException">The handle was disposed.</exception>
    public Storage Storage => storage ?? throw Disposed();

    /// <summary>A tensor with uninitialized elements.</summary>
    /// <param name="shape">The extents, outermost first; [] for a scalar.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    public static IntTensor Empty(Shape shape, Device? device = null) => new(new Storage(device ?? Device.Cpu, shape.Elements), shape);

    /// <summary>Copies values in row-major order.</summary>
    /// <param name="values">The values, one for each element.</param>
    /// <param name="shape">The extents, outermost first; [] for a scalar.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    /// <exception cref="ArgumentException">The number of values is not the number of elements of the shape.</exception>
    public static IntTensor FromSpan(ReadOnlySpan<int> values, Shape shape, Device? device = null)
    {
        Check.That(values.Length == shape.Elements, nameof(FromSpan), $"{values.Length} values do not fill shape {shape}, which has {shape.Elements} elements.");
        var y = Empty(shape, device);
        using var target = y.Write();
        y.Device.Upload(values, target);
        return y;
    }

    /// <summary>The labels of a batch, shape [count].</summary>
    /// <param name="values">One label for each example; copied.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    public static IntTensor FromArray(int[] values, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(values);
        return FromSpan(values, [values.Length], device);
    }

    /// <summary>start, start + step, start + 2 step, ... up to but not including the end; [count].</summary>
    /// <param name="start">The first number.</param>
    /// <param name="end">The bound, not included: above the start, or below it if the step is negative.</param>
    /// <param name="step">The difference between adjacent numbers, not 0.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    /// <exception cref="ArgumentException">The step is 0 or leads away from the end, or there are more than 2^31 - 1 steps.</exception>
    public static IntTensor Arange(int start, int end, int step = 1, Device? device = null)
    {
        Check.That(step != 0, nameof(Arange), $"the range is from {start} to {end} in steps of 0; expected a step other than 0.");
        Check.That(start == end || start < end == step > 0, nameof(Arange), $"steps of {step} lead from {start} away from {end}; change the sign of the step.");
        long distance = Math.Abs((long)end - start), each = Math.Abs((long)step), count = (distance + each - 1) / each;
        Check.That(count <= int.MaxValue, nameof(Arange), $"the range from {start} to {end} in steps of {step} has {count} numbers; a tensor holds at most 2^31 - 1.");
        var values = new int[count];
        for (var i = 0; i < values.Length; i++) values[i] = (int)(start + (long)i * step);
        return FromSpan(values, [values.Length], device);
    }

    /// <summary>0, 1, 2, ... count - 1; [count].</summary>
    /// <param name="count">The number of elements, 0 or more.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    /// <exception cref="ArgumentException">The count is negative.</exception>
    public static IntTensor Arange(int count, Device? device = null)
    {
        Check.That(count >= 0, nameof(Arange), $"the count is {count}; expected 0 or more.");
        return Arange(0, count, 1, device);
    }

    /// <summary>Makes an operand with which a kernel reads the elements; see <see cref="Tensor.Read"/>.</summary>
    public Operand Read() => Operand.ToRead(RetainStorage(), 0, Shape);

    /// <summary>Makes an operand with which a kernel overwrites the elements in place; see <see cref="Tensor.Write"/>.</summary>
    public Operand Write() => Operand.ToWrite(RetainStorage(), 0, Shape);

    /// <summary>All elements in row-major order.</summary>
    public int[] ToArray()
    {
        var values = new int[Length];
        using var source = Read();
        Device.Download(source, values.AsSpan());
        return values;
    }

    /// <summary>Overwrites all elements in place with those of another tensor, from any device. The tape refuses to use saved integers that were overwritten.</summary>
    /// <param name="values">A tensor of the same shape.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public void Assign(IntTensor values)
    {
        Check.That(values.Shape == Shape, nameof(Assign), $"the values have shape {values.Shape} but the tensor {Shape}.");
        using var local = values.To(Device);
        using var held = new Held();
        Device.Kernels.Copy(held.Read(local), held.Write(this));         // elements of both kinds have 4 bytes, and a copy does not interpret them
    }

    /// <inheritdoc cref="Tensor.BeginToArray"/>
    public Func<int[]> BeginToArray()
    {
        using var source = Read();
        return Device.BeginDownload<int>(source);
    }

    /// <summary>The same integers on a device. If they are there already, it is another handle on them.</summary>
    /// <param name="device">Any device, even the one that holds the tensor.</param>
    public IntTensor To(Device device) => ReferenceEquals(device, Device) ? Alias() : FromSpan(ToArray(), Shape, device);

    /// <summary>Another handle on the same memory: a write to one changes the other, and dropping one leaves the other.</summary>
    public IntTensor Alias() => new(RetainStorage(), Shape);

    /// <summary>Drops the handle.</summary>
    public void Dispose()
    {
        Interlocked.Exchange(ref storage, null)?.Release();
        GC.SuppressFinalize(this);
    }

    internal string InDebugger => DebuggerText.Of<int>(nameof(IntTensor), Shape, storage, 0);

    /// <summary>The shape, the device and the values, in rows. Of more than 1,000 values it has the first three and the last three along each axis.</summary>
    public override string ToString()
    {
        if (storage is null) return $"IntTensor{Shape} (disposed)";
        using var source = Read();
        return TensorText.Of($"IntTensor{Shape} on {Device}", Shape, (start, count) =>
        {
            var values = new int[count];
            Device.Download(source, sizeof(int) * (long)start, MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        });
    }

    Storage RetainStorage()
    {
        var now = Storage;
        var retained = now.TryRetain();
        GC.KeepAlive(this);         // otherwise the finalizer could release the last share
        return retained ? now : throw Disposed();
    }

    ObjectDisposedException Disposed() => new(nameof(IntTensor), $"This tensor of integers of shape {Shape} was disposed.");
}
