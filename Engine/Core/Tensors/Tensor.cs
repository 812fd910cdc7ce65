using System.Diagnostics;
using System.Runtime.InteropServices;
using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>
/// An array of float32 on a device: contiguous, row-major, channels last, and differentiable. A tensor is a handle, and several
/// handles may own one <see cref="Storage"/> together: reshapes and slices of the leading axis are views, everything else copies.
/// </summary>
/// <remarks>
/// Operations are methods of this class, each declared in the file of its operation. A dropped handle (disposed, or dropped by
/// a <see cref="TensorScope"/>) throws when it is used again. Memory is freed when nobody owns it, and everybody who uses it owns it.
/// Any thread may use any tensor. A thread that reads while another thread writes sees some old and some new elements.
/// </remarks>
[DebuggerDisplay($"{{{nameof(InDebugger)},nq}}")]
public partial class Tensor : IDisposable
{
    Storage? storage;

    /// <summary>Makes a handle. It takes over the caller's share in the storage.</summary>
    private protected Tensor(Storage storage, int offset, Shape shape)
    {
        this.storage = storage;
        Device = storage.Device;
        Offset = offset;
        Shape = shape;
        TensorScope.Register(this);
    }

    /// <summary>Releases the memory at the device's next request, once. A caller who still holds the handle may dispose it again.</summary>
    ~Tensor()
    {
        if (Interlocked.Exchange(ref storage, null) is not { } dead) return;
        dead.Device.Pool.ReleaseLater(dead.Release);
        if (TakeDeferredPlace() is { } step) dead.Device.Pool.ReleaseLater(step.Release);
    }

    /// <summary>The extents, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>The device that holds the tensor.</summary>
    public Device Device { get; private set; }

    /// <summary>The index of the first element in the storage.</summary>
    public int Offset { get; private set; }

    /// <summary>The number of elements.</summary>
    public int Length => Shape.Elements;

    /// <summary>The number of axes.</summary>
    public int Rank => Shape.Rank;

    /// <summary>The memory. Views and the tape own it too.</summary>
    /// <exception cref="ObjectDisposedException">The handle was dropped.</exception>
    public Storage Storage => storage ?? throw Dropped();

    /// <summary>Whether the handle was dropped.</summary>
    public bool IsDropped => storage is null;

    // ---- making tensors

    /// <summary>A tensor with uninitialized elements.</summary>
    /// <param name="shape">The extents, outermost first; [] for a scalar.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    public static Tensor Empty(Shape shape, Device? device = null) => new(new Storage(device ?? Device.Cpu, shape.Elements), 0, shape);

    /// <summary>An uninitialized tensor of the same shape and device, for the result of an operation.</summary>
    /// <param name="tensor">The tensor that gives shape and device.</param>
    public static Tensor Like(Tensor tensor) => Empty(tensor.Shape, tensor.Device);

    /// <summary>A tensor whose elements all have one value.</summary>
    /// <param name="shape">The extents, outermost first; [] for a scalar.</param>
    /// <param name="value">The value of every element.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    public static Tensor Full(Shape shape, float value, Device? device = null)
    {
        var y = Empty(shape, device);
        y.Device.Backend.Fill(y, value);
        return y;
    }

    /// <summary>A tensor of zeros.</summary>
    /// <inheritdoc cref="Empty"/>
    public static Tensor Zeros(Shape shape, Device? device = null) => Full(shape, 0f, device);

    /// <summary>A tensor of ones.</summary>
    /// <inheritdoc cref="Empty"/>
    public static Tensor Ones(Shape shape, Device? device = null) => Full(shape, 1f, device);

    /// <summary>A tensor of shape [] with one value.</summary>
    /// <param name="value">The element.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    public static Tensor Scalar(float value, Device? device = null) => Full([], value, device);

    /// <summary>Copies values in row-major order.</summary>
    /// <param name="values">The values, one for each element.</param>
    /// <param name="shape">The extents, outermost first; [] for a scalar.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    /// <exception cref="ArgumentException">The number of values is not the number of elements of the shape.</exception>
    public static Tensor FromSpan(ReadOnlySpan<float> values, Shape shape, Device? device = null)
    {
        Check.That(values.Length == shape.Elements, nameof(FromSpan), $"{values.Length} values do not fill shape {shape}, which has {shape.Elements} elements.");
        var y = Empty(shape, device);
        using var target = y.Write();
        y.Device.Upload(values, target);
        return y;
    }

    /// <inheritdoc cref="FromSpan"/>
    public static Tensor FromArray(float[] values, Shape shape, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(values);
        return FromSpan(values, shape, device);
    }

    /// <summary>Uniform random numbers in [low, high); if high equals low, all are low.</summary>
    /// <param name="shape">The extents, outermost first; [] for a scalar.</param>
    /// <param name="low">The least number.</param>
    /// <param name="high">The bound, not included; low or above.</param>
    /// <param name="generator">The generator that gives one stream; null for <see cref="Generator.Default"/>.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    /// <exception cref="ArgumentException">high is below low, or their difference is not finite.</exception>
    public static Tensor Uniform(Shape shape, float low = 0f, float high = 1f, Generator? generator = null, Device? device = null)
    {
        Check.That(shape.Elements == 0 || low <= high && float.IsFinite(high - low), nameof(Uniform), $"the range is [{low}, {high}); expected low to be at most high, and high - low to be finite.");
        var y = Empty(shape, device);
        y.Device.Backend.Uniform(y, (generator ?? Generator.Default).Next(), low, high);
        return y;
    }

    /// <summary>Normal random numbers.</summary>
    /// <param name="shape">The extents, outermost first; [] for a scalar.</param>
    /// <param name="mean">The center of the distribution.</param>
    /// <param name="deviation">The standard deviation, 0 or more.</param>
    /// <param name="generator">The generator that gives one stream; null for <see cref="Generator.Default"/>.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    public static Tensor Normal(Shape shape, float mean = 0f, float deviation = 1f, Generator? generator = null, Device? device = null)
    {
        var y = Empty(shape, device);
        y.Device.Backend.Normal(y, (generator ?? Generator.Default).Next(), mean, deviation);
        return y;
    }

    // ---- reading and writing

    /// <summary>Makes an operand with which a kernel reads the elements. They stay in place until the operand is disposed. A deferred result is computed first.</summary>
    /// <exception cref="ObjectDisposedException">The handle was dropped.</exception>
    public Operand Read() => Operand.ToRead(RetainStorage(), Offset, Shape);

    /// <summary>
    /// Makes an operand with which a kernel overwrites the elements in place until the operand is disposed. Not differentiated: the tape refuses to use a saved
    /// tensor that was overwritten. Future readers of the old elements, such as deferred results, get a copy of them first.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The handle was dropped.</exception>
    public Operand Write() => Operand.ToWrite(RetainStorage(), Offset, Shape);

    /// <summary>All elements in row-major order.</summary>
    public float[] ToArray()
    {
        var values = new float[Length];
        CopyTo(values);
        return values;
    }

    /// <summary>
    /// Returns a function that gives all elements as they are now, in row-major order. The function waits for the kernels that compute them, but not for later
    /// kernels. So the host can read values of one step while a GPU works on the next.
    /// </summary>
    public Func<float[]> BeginToArray()
    {
        using var source = Read();
        return Device.BeginDownload<float>(source);
    }

    /// <summary>Copies all elements in row-major order.</summary>
    /// <param name="values">The destination, one place for each element.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public void CopyTo(Span<float> values)
    {
        Check.That(values.Length == Length, nameof(CopyTo), $"the span has {values.Length} elements but the tensor {Length} (shape {Shape}).");
        using var source = Read();
        Device.Download(source, values);
    }

    /// <summary>Returns the only element.</summary>
    /// <exception cref="ArgumentException">The number of elements is not 1.</exception>
    public float Item()
    {
        Check.That(Length == 1, nameof(Item), $"shape {Shape} has {Length} elements; reduce it to one, or read ToArray().");
        Span<float> value = stackalloc float[1];
        CopyTo(value);
        return value[0];
    }

    /// <summary>Overwrites all elements in place. Not differentiated: the tape refuses to use a saved tensor that was overwritten.</summary>
    /// <param name="values">The values in row-major order, one for each element.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public void Assign(ReadOnlySpan<float> values)
    {
        Check.That(values.Length == Length, nameof(Assign), $"the span has {values.Length} elements but the tensor {Length} (shape {Shape}).");
        using var target = Write();
        Device.Upload(values, target);
    }

    /// <summary>Overwrites all elements in place with those of another tensor, from any device.</summary>
    /// <param name="values">A tensor of the same shape.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public void Assign(Tensor values)
    {
        Check.That(values.Shape == Shape, nameof(Assign), $"the values have shape {values.Shape} but the tensor {Shape}.");
        using var local = values.To(Device);
        Device.Backend.Copy(local, this);
    }

    /// <summary>The same elements on a device. If they are there already, it is another handle on this memory. The gradient comes back to this device.</summary>
    /// <param name="device">Any device, even the one that holds the tensor.</param>
    public Tensor To(Device device)
    {
        var from = Device;
        var y = ReferenceEquals(device, from) ? Detach() : ReferenceEquals(from, Device.Cpu) ? Uploaded(device) : FromSpan(ToArray(), Shape, device);
        return y.WithBackward(nameof(To), [this], [], (dy, _) => [dy.To(from)]);
    }

    Tensor Uploaded(Device device)
    {
        using var source = Read();
        return FromSpan(source.AsSpan(), Shape, device);
    }

    // ---- lifetime

    /// <summary>Returns this handle. From now on, the scope (the module) that made it does not drop it.</summary>
    public Tensor Keep()
    {
        TensorScope.Forget(this);
        return this;
    }

    /// <summary>Drops the handle. Memory that views or the tape own stays.</summary>
    public void Dispose()
    {
        Interlocked.Exchange(ref storage, null)?.Release();
        TakeDeferredPlace()?.Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes a handle on storage. It takes over the caller's share.</summary>
    internal static Tensor On(Storage storage, Shape shape, int offset = 0) => new(storage, offset, shape);

    /// <summary>The memory. The caller gets a share.</summary>
    internal Storage RetainStorage()
    {
        var now = Storage;
        var retained = now.TryRetain();
        GC.KeepAlive(this);         // otherwise the finalizer could release the last share
        return retained ? now : throw Dropped();
    }

    /// <summary>A handle on a part of the same memory, outside the graph.</summary>
    internal Tensor View(int offset, Shape shape) => new(RetainStorage(), offset, shape);

    /// <summary>Another handle on the same memory and the same place in the graph: a write to one changes the other, and dropping one leaves the other.</summary>
    /// <remarks>A function whose caller may drop the result returns an alias when it passes on a tensor that it did not make.</remarks>
    public Tensor Alias()
    {
        var alias = Detach();
        if (!NoGrad.Active) alias.place = EnterGraph();
        return alias;
    }

    /// <summary>Moves a tensor that others hold (a parameter) to other memory.</summary>
    private protected void Rebase(Tensor source)
    {
        Interlocked.Exchange(ref storage, source.RetainStorage())?.Release();
        Offset = source.Offset;
        Device = source.Device;
        Recording.Outdate();
    }

    ObjectDisposedException Dropped() => new(nameof(Tensor),
        $"This tensor of shape {Shape} was dropped: it was disposed, or made inside a module whose call has returned. To use it after that, call Keep() on it before.");

    internal string InDebugger => DebuggerText.Of<float>(GetType().Name, Shape, storage, Offset);

    /// <summary>The shape, the device and the values, in rows. Of more than 1,000 values it has the first three and the last three along each axis.</summary>
    public override string ToString()
    {
        if (IsDropped) return $"Tensor{Shape} (dropped)";
        using var source = Read();
        return TensorText.Of($"Tensor{Shape} on {Device}", Shape, (start, count) =>
        {
            var values = new float[count];
            Device.Download(source, sizeof(float) * (long)start, MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        });
    }
}
