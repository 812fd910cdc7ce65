using System.Diagnostics;
using System.Runtime.InteropServices;
using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>
/// An array of float32, contiguous and row-major, channels last, on a device; with the means to be differentiated. A tensor is a handle, and several
/// handles may own one <see cref="Storage"/> together: reshapes and slices of the leading axis are views, everything else copies.
/// </summary>
/// <remarks>
/// Operations are methods of this class, each declared in the file of its operation. A handle dropped (disposed, or left
/// behind by a <see cref="TensorScope"/>) throws when it is used again; memory itself is freed when nobody owns it, and who uses it owns it.
/// Any thread may use any tensor. Who reads elements that another thread overwrites at that moment sees some of before and some of after.
/// </remarks>
[DebuggerDisplay($"{{{nameof(InDebugger)},nq}}")]
public partial class Tensor : IDisposable
{
    Storage? storage;

    /// <summary>An owner of the storage in the caller's place.</summary>
    private protected Tensor(Storage storage, int offset, Shape shape)
    {
        this.storage = storage;
        Device = storage.Device;
        Offset = offset;
        Shape = shape;
        TensorScope.Register(this);
    }

    /// <summary>Releases the memory at the device's next request, once: whoever still holds the handle then may dispose it again.</summary>
    ~Tensor()
    {
        if (Interlocked.Exchange(ref storage, null) is not { } dead) return;
        dead.Device.Pool.ReleaseLater(dead.Release);
        if (TakeDeferredPlace() is { } step) dead.Device.Pool.ReleaseLater(step.Release);
    }

    /// <summary>The extents, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>The device it lives on.</summary>
    public Device Device { get; private set; }

    /// <summary>First element within the storage.</summary>
    public int Offset { get; private set; }

    /// <summary>Number of elements.</summary>
    public int Length => Shape.Elements;

    /// <summary>Number of axes.</summary>
    public int Rank => Shape.Rank;

    /// <summary>The memory, whose owners views and the tape are too.</summary>
    /// <exception cref="ObjectDisposedException">The handle was dropped.</exception>
    public Storage Storage => storage ?? throw Dropped();

    /// <summary>The handle was dropped.</summary>
    public bool IsDropped => storage is null;

    // ---- making tensors

    /// <summary>A tensor whose elements are whatever the memory held.</summary>
    /// <param name="shape">Extents, outermost first; [] for a scalar.</param>
    /// <param name="device">Where it lives; null for the CPU.</param>
    public static Tensor Empty(Shape shape, Device? device = null) => new(new Storage(device ?? Device.Cpu, shape.Elements), 0, shape);

    /// <summary>An uninitialized tensor of the same shape and device: where an operation puts its result.</summary>
    /// <param name="tensor">Only its shape and device are looked at.</param>
    public static Tensor Like(Tensor tensor) => Empty(tensor.Shape, tensor.Device);

    /// <summary>A tensor of one value.</summary>
    /// <param name="shape">Extents, outermost first; [] for a scalar.</param>
    /// <param name="value">Of every element.</param>
    /// <param name="device">Where it lives; null for the CPU.</param>
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

    /// <summary>A tensor of shape [] holding one value.</summary>
    /// <param name="value">The element.</param>
    /// <param name="device">Where it lives; null for the CPU.</param>
    public static Tensor Scalar(float value, Device? device = null) => Full([], value, device);

    /// <summary>Copies values in row-major order.</summary>
    /// <param name="values">As many as the shape has elements.</param>
    /// <param name="shape">Extents, outermost first; [] for a scalar.</param>
    /// <param name="device">Where it lives; null for the CPU.</param>
    /// <exception cref="ArgumentException">There are more or fewer values than the shape has elements.</exception>
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

    /// <summary>Uniform random numbers in [low, high); all are low where high is low.</summary>
    /// <param name="shape">Extents, outermost first; [] for a scalar.</param>
    /// <param name="low">Least number that is drawn.</param>
    /// <param name="high">Bound that is not reached; low or above.</param>
    /// <param name="generator">Gives the next of its streams; null for <see cref="Generator.Default"/>.</param>
    /// <param name="device">Where it lives; null for the CPU.</param>
    /// <exception cref="ArgumentException">high is below low, or their difference is no finite number.</exception>
    public static Tensor Uniform(Shape shape, float low = 0f, float high = 1f, Generator? generator = null, Device? device = null)
    {
        Check.That(shape.Elements == 0 || low <= high && float.IsFinite(high - low), nameof(Uniform), $"numbers in [{low}, {high}) were asked for; expected low to be at most high, and high - low a finite number.");
        var y = Empty(shape, device);
        y.Device.Backend.Uniform(y, (generator ?? Generator.Default).Next(), low, high);
        return y;
    }

    /// <summary>Normal random numbers.</summary>
    /// <param name="shape">Extents, outermost first; [] for a scalar.</param>
    /// <param name="mean">Centre of the distribution.</param>
    /// <param name="deviation">Standard deviation, 0 or more.</param>
    /// <param name="generator">Gives the next of its streams; null for <see cref="Generator.Default"/>.</param>
    /// <param name="device">Where it lives; null for the CPU.</param>
    public static Tensor Normal(Shape shape, float mean = 0f, float deviation = 1f, Generator? generator = null, Device? device = null)
    {
        var y = Empty(shape, device);
        y.Device.Backend.Normal(y, (generator ?? Generator.Default).Next(), mean, deviation);
        return y;
    }

    // ---- reading and writing

    /// <summary>The elements, to be read by a kernel; they stay where they are until the operand is disposed. A deferred result is computed first.</summary>
    /// <exception cref="ObjectDisposedException">The handle was dropped.</exception>
    public Operand Read() => Operand.ToRead(RetainStorage(), Offset, Shape);

    /// <summary>
    /// The elements, to be overwritten in place by a kernel until the operand is disposed. Not differentiated: the tape refuses to use a saved
    /// tensor that was overwritten. Whoever was promised the old elements gets a copy of them first.
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
    /// All elements as they are now, in row-major order, when the function given is called: it waits for what computes them, not for what
    /// is asked for in between. So values of one step can be read while a GPU works on the next.
    /// </summary>
    public Func<float[]> BeginToArray()
    {
        using var source = Read();
        return Device.BeginDownload<float>(source);
    }

    /// <summary>Copies all elements in row-major order.</summary>
    /// <param name="values">Where to; as long as the tensor has elements.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public void CopyTo(Span<float> values)
    {
        Check.That(values.Length == Length, nameof(CopyTo), $"the span has {values.Length} elements but the tensor {Length} (shape {Shape}).");
        using var source = Read();
        Device.Download(source, values);
    }

    /// <summary>The only element.</summary>
    /// <exception cref="ArgumentException">There are more or fewer.</exception>
    public float Item()
    {
        Check.That(Length == 1, nameof(Item), $"shape {Shape} has {Length} elements; reduce it to one, or read ToArray().");
        Span<float> value = stackalloc float[1];
        CopyTo(value);
        return value[0];
    }

    /// <summary>Overwrites all elements in place. Not differentiated: the tape refuses to use a saved tensor that was overwritten.</summary>
    /// <param name="values">Row-major, one for each element.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public void Assign(ReadOnlySpan<float> values)
    {
        Check.That(values.Length == Length, nameof(Assign), $"the span has {values.Length} elements but the tensor {Length} (shape {Shape}).");
        using var target = Write();
        Device.Upload(values, target);
    }

    /// <summary>Overwrites all elements in place with those of another tensor, from any device.</summary>
    /// <param name="values">Of the same shape.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public void Assign(Tensor values)
    {
        Check.That(values.Shape == Shape, nameof(Assign), $"the values have shape {values.Shape} but the tensor {Shape}.");
        using var local = values.To(Device);
        Device.Backend.Copy(local, this);
    }

    /// <summary>The same elements on a device; another handle on this memory where they are there already. The gradient comes back to this device.</summary>
    /// <param name="device">Any device, its own too.</param>
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

    /// <summary>This handle, which the end of the scope (the module) that made it does not drop.</summary>
    public Tensor Keep()
    {
        TensorScope.Forget(this);
        return this;
    }

    /// <summary>Drops the handle. Memory that others own, views or the tape, stays.</summary>
    public void Dispose()
    {
        Interlocked.Exchange(ref storage, null)?.Release();
        TakeDeferredPlace()?.Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>A handle on storage, whose owner it is in the caller's place.</summary>
    internal static Tensor On(Storage storage, Shape shape, int offset = 0) => new(storage, offset, shape);

    /// <summary>The memory, with the caller as one owner more.</summary>
    internal Storage RetainStorage()
    {
        var now = Storage;
        var retained = now.TryRetain();
        GC.KeepAlive(this);         // its finalizer would release the last owner's
        return retained ? now : throw Dropped();
    }

    /// <summary>A handle on a part of the same memory, outside the graph.</summary>
    internal Tensor View(int offset, Shape shape) => new(RetainStorage(), offset, shape);

    /// <summary>Another handle on the same memory and the same place in the graph: what is written to one is seen in the other, and dropping one leaves the other.</summary>
    /// <remarks>What a function gives whose caller may drop it, where it hands on a tensor that it did not make.</remarks>
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
        $"This tensor of shape {Shape} was dropped: it was disposed, or made inside a module whose call has returned. Call Keep() on it before, to use it afterwards.");

    internal string InDebugger => DebuggerText.Of<float>(GetType().Name, Shape, storage, Offset);

    /// <summary>Shape, device and values, in rows; of more than 1,000 values the first and the last three along each axis.</summary>
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
