using System.Runtime.InteropServices;
using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine;

/// <summary>
/// An array of float32, contiguous and row-major, channels last, on a device; with the means to be differentiated. Several
/// handles may share one <see cref="Storage"/>: reshapes and slices of the leading axis are views, everything else copies.
/// </summary>
/// <remarks>
/// Operations are methods of this class, each declared in the file of its operation. A handle dropped (disposed, or left
/// behind by a <see cref="TensorScope"/>) throws when it is used again; memory itself is freed when nobody owns it.
/// </remarks>
public partial class Tensor : IDisposable
{
    Storage? storage;

    /// <summary>Takes over one ownership of the storage.</summary>
    private protected Tensor(Storage storage, int offset, Shape shape)
    {
        this.storage = storage;
        Device = storage.Device;
        Offset = offset;
        Shape = shape;
        TensorScope.Register(this);
    }

    /// <summary>Releases the handle's share of the memory at the device's next request, once: whoever still holds the handle then may dispose it again.</summary>
    ~Tensor()
    {
        if (Interlocked.Exchange(ref storage, null) is { } dead) dead.Device.Pool.ReleaseLater(dead);
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

    /// <summary>The memory, shared with views and the tape.</summary>
    /// <exception cref="ObjectDisposedException">The handle was dropped.</exception>
    public Storage Storage => storage ?? throw new ObjectDisposedException(nameof(Tensor),
        $"This tensor of shape {Shape} was dropped: it was disposed, or made inside a module whose call has returned. Call Keep() on it before, to use it afterwards.");

    /// <summary>The memory, or null where the handle was dropped: for whoever may come after the garbage collector.</summary>
    internal Storage? StorageOrNull => Volatile.Read(ref storage);

    /// <summary>The handle was dropped.</summary>
    public bool IsDropped => storage is null;

    // ---- making tensors

    /// <summary>A tensor whose elements are whatever the memory held.</summary>
    public static Tensor Empty(Shape shape, Device? device = null) => new((device ?? Device.Cpu).Allocate(shape.Elements), 0, shape);

    /// <summary>An uninitialised tensor of the same shape and device: where an operation puts its result.</summary>
    public static Tensor Like(Tensor tensor) => Empty(tensor.Shape, tensor.Device);

    /// <summary>A tensor of one value.</summary>
    public static Tensor Full(Shape shape, float value, Device? device = null)
    {
        var y = Empty(shape, device);
        y.Device.Backend.Fill(y, value);
        return y;
    }

    /// <summary>A tensor of zeros.</summary>
    public static Tensor Zeros(Shape shape, Device? device = null) => Full(shape, 0f, device);

    /// <summary>A tensor of ones.</summary>
    public static Tensor Ones(Shape shape, Device? device = null) => Full(shape, 1f, device);

    /// <summary>A tensor of shape [] holding one value.</summary>
    public static Tensor Scalar(float value, Device? device = null) => Full([], value, device);

    /// <summary>Copies values in row-major order.</summary>
    /// <exception cref="ArgumentException">There are more or fewer values than the shape has elements.</exception>
    public static Tensor FromSpan(ReadOnlySpan<float> values, Shape shape, Device? device = null)
    {
        Check.That(values.Length == shape.Elements, nameof(FromSpan), $"{values.Length} values do not fill shape {shape}, which has {shape.Elements} elements.");
        var y = Empty(shape, device);
        y.Device.Upload(MemoryMarshal.AsBytes(values), y.Storage.Memory, 0);
        return y;
    }

    /// <summary>Copies values in row-major order.</summary>
    /// <exception cref="ArgumentException">There are more or fewer values than the shape has elements.</exception>
    public static Tensor FromArray(float[] values, Shape shape, Device? device = null) => FromSpan(values, shape, device);

    /// <summary>Uniform random numbers in [low, high).</summary>
    public static Tensor Uniform(Shape shape, float low = 0f, float high = 1f, Generator? generator = null, Device? device = null)
    {
        var y = Empty(shape, device);
        y.Device.Backend.Uniform(y, (generator ?? Generator.Default).Next(), low, high);
        return y;
    }

    /// <summary>Normal random numbers.</summary>
    public static Tensor Normal(Shape shape, float mean = 0f, float deviation = 1f, Generator? generator = null, Device? device = null)
    {
        var y = Empty(shape, device);
        y.Device.Backend.Normal(y, (generator ?? Generator.Default).Next(), mean, deviation);
        return y;
    }

    // ---- reading and writing

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
        var bytes = Device.BeginDownload(Storage.Memory, 4L * Offset, 4 * Length);
        return () => MemoryMarshal.Cast<byte, float>(bytes()).ToArray();
    }

    /// <summary>Copies all elements in row-major order.</summary>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public void CopyTo(Span<float> values)
    {
        Check.That(values.Length == Length, nameof(CopyTo), $"the span has {values.Length} elements but the tensor {Length} (shape {Shape}).");
        Device.Download(Storage.Memory, 4L * Offset, MemoryMarshal.AsBytes(values));
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
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public void Assign(ReadOnlySpan<float> values)
    {
        Check.That(values.Length == Length, nameof(Assign), $"the span has {values.Length} elements but the tensor {Length} (shape {Shape}).");
        Storage.Writing();
        Device.Upload(MemoryMarshal.AsBytes(values), Storage.Memory, 4L * Offset);
    }

    /// <summary>Overwrites all elements in place with those of another tensor, from any device.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public void Assign(Tensor values)
    {
        Check.That(values.Shape == Shape, nameof(Assign), $"the values have shape {values.Shape} but the tensor {Shape}.");
        using var local = values.To(Device);
        Storage.Writing();
        Device.Backend.Copy(local, this);
    }

    /// <summary>The same elements on a device; a view of this tensor where it is there already. The gradient comes back to this device.</summary>
    public Tensor To(Device device)
    {
        var from = Device;
        var y = ReferenceEquals(device, from) ? View(Offset, Shape) : Empty(Shape, device);
        if (!ReferenceEquals(device, from))
            device.Upload(MemoryMarshal.AsBytes(ReferenceEquals(from, Device.Cpu) ? AsSpan() : ToArray()), y.Storage.Memory, 0);
        return y.WithBackward(nameof(To), [this], [], (dy, _) => [dy.To(from)]);
    }

    /// <summary>The elements themselves, without a copy, for a tensor on the CPU; valid while the handle is.</summary>
    /// <exception cref="InvalidOperationException">The tensor is on another device.</exception>
    public unsafe ReadOnlySpan<float> AsSpan() => ReferenceEquals(Device, Device.Cpu)
        ? new ReadOnlySpan<float>(this.Pointer(), Length)
        : throw new InvalidOperationException($"AsSpan: the tensor is on {Device}; only the CPU's memory can be seen as a span. Use ToArray(), or To(Device.Cpu) first.");

    // ---- lifetime

    /// <summary>Keeps this handle when the scope (the module) that made it ends.</summary>
    public Tensor Keep()
    {
        TensorScope.Forget(this);
        return this;
    }

    /// <summary>Drops the handle. Memory that others own, views or the tape, stays.</summary>
    public void Dispose()
    {
        Interlocked.Exchange(ref storage, null)?.Release();
        DropRecord();
        GC.SuppressFinalize(this);
    }

    /// <summary>A handle on storage that the caller owns a share of.</summary>
    internal static Tensor On(Storage storage, Shape shape) => new(storage, 0, shape);

    /// <summary>Another handle on the same memory.</summary>
    internal Tensor View(int offset, Shape shape) => new(Storage.Retain(), offset, shape);

    /// <summary>Another handle on the same memory and the same place in the graph, outside of all scopes.</summary>
    internal Tensor Share()
    {
        var share = View(Offset, Shape).Keep();
        share.node = GraphNode;
        return share;
    }

    /// <summary>What an operation gives that has nothing to do (x * 1): a result all the same, which may be dropped without dropping x.</summary>
    internal Tensor Alias()
    {
        var alias = View(Offset, Shape);
        if (!NoGrad.Active) alias.node = GraphNode;
        return alias;
    }

    /// <summary>Moves a tensor that others hold (a parameter) to other memory.</summary>
    private protected void Rebase(Tensor source)
    {
        ReadInstead(source.Storage);
        Offset = source.Offset;
        Device = source.Device;
        Recording.Outdate();
    }

    /// <summary>Goes over to a copy of the whole storage.</summary>
    internal void ReadInstead(Storage copy)
    {
        copy.Retain();
        Interlocked.Exchange(ref storage, copy)?.Release();
    }

    /// <summary>Shape and device, and the values of small tensors.</summary>
    public override string ToString() => IsDropped ? $"Tensor{Shape} (dropped)"
        : Length <= 16 ? $"Tensor{Shape} on {Device}: {string.Join(", ", ToArray().Select(value => value.ToString("G6", null)))}"
        : $"Tensor{Shape} on {Device}";
}
