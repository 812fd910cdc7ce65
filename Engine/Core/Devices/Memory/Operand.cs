namespace QuadEngine.Devices;

/// <summary>
/// The elements of a tensor as a kernel sees them: memory that is there, and stays there until the operand is disposed, whatever the garbage
/// collector and other threads do. <see cref="Tensor.Read"/> and <see cref="Tensor.Write"/> give one.
/// <code>
/// using var y = tensor.Write();
/// device.Launch(new Scale(y.View(), 2f, y.Length), groups);
/// </code>
/// </summary>
public sealed class Operand : IDisposable
{
    readonly Snapshot? snapshot;
    readonly Use use;
    Storage? storage;

    // The operand is an owner in the caller's place.
    Operand(Storage storage, DeviceMemory memory, int offset, Shape shape, Use use, Snapshot? snapshot = null)
    {
        (this.storage, this.snapshot, this.use) = (storage, snapshot, use);
        (Memory, Offset, Shape) = (memory, offset, shape);
        Recording.Current?.Operation?.Uses(new(memory, sizeof(float) * (long)offset, sizeof(float) * ((long)offset + shape.Elements), Writes: use != Use.Read));
    }

    // New memory is written like any other, but nobody has seen its first content: it is no change.
    enum Use { Read, Write, WriteNew }

    /// <summary>To read. The operand is an owner in the caller's place; where this throws, the caller is none any more.</summary>
    internal static Operand ToRead(Storage storage, int offset, Shape shape, Snapshot? snapshot = null)
    {
        try
        {
            return new Operand(storage, storage.Resolve(), offset, shape, Use.Read, snapshot);
        }
        catch
        {
            storage.Release();
            throw;
        }
    }

    /// <summary>To write. Owners are as for <see cref="ToRead"/>.</summary>
    internal static Operand ToWrite(Storage storage, int offset, Shape shape)
    {
        try
        {
            storage.BeginWrite();
            return new Operand(storage, storage.Resolve(), offset, shape, Use.Write);
        }
        catch
        {
            storage.Release();
            throw;
        }
    }

    /// <summary>To write all of a new block that nobody has seen. The operand is an owner in the caller's place.</summary>
    internal static Operand ToWriteNew(Storage storage, DeviceMemory block, Shape shape) => new(storage, block, 0, shape, Use.WriteNew);

    /// <summary>The block that the elements lie in.</summary>
    public DeviceMemory Memory { get; }

    /// <summary>The first element within the block.</summary>
    public int Offset { get; }

    /// <summary>The extents, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>Number of elements.</summary>
    public int Length => Shape.Elements;

    /// <summary>The memory, shared with the tensor that the operand was made from.</summary>
    /// <exception cref="ObjectDisposedException">The operand was disposed.</exception>
    public Storage Storage => storage ?? throw new ObjectDisposedException(nameof(Operand), $"This operand of shape {Shape} was disposed: its memory may belong to others by now. Read() or Write() the tensor again.");

    /// <summary>The one that was held before this one by the same <see cref="Held"/>.</summary>
    internal Operand? Before { get; set; }

    /// <summary>No other thread has begun to overwrite what was read through it.</summary>
    internal bool IsCurrent => snapshot is null || snapshot.Is(Storage);

    /// <summary>The elements of a tensor on the CPU, without a copy; not to be used after the operand was disposed.</summary>
    /// <exception cref="InvalidOperationException">The tensor is on another device.</exception>
    public unsafe ReadOnlySpan<float> AsSpan() => ReferenceEquals(Storage.Device, Device.Cpu)
        ? new ReadOnlySpan<float>(Cpu.CpuPointers.Pointer(this), Length)
        : throw new InvalidOperationException($"AsSpan: the tensor is on {Storage.Device}; only the CPU's memory can be seen as a span. Use ToArray(), or To(Device.Cpu) first.");

    /// <summary>Ends the reading or writing; the second time nothing happens.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref storage, null) is not { } held) return;
        if (use == Use.Write) held.EndWrite();
        held.Release();
    }
}

/// <summary>The operands of one call of a kernel, given back together when it returns. While a step is recorded, the call is an operation of it.</summary>
sealed class Held : IDisposable
{
    readonly Recording? recording = Recording.Current;
    readonly RecordedOperation? outer;
    Operand? last;

    public Held()
    {
        if (recording is null) return;
        outer = recording.Operation;
        recording.Operation = new RecordedOperation();
    }

    /// <summary>No other thread has begun to overwrite what was read.</summary>
    public bool AreCurrent
    {
        get
        {
            Interlocked.MemoryBarrier();        // the elements were read before it is looked up where they are
            for (var operand = last; operand is not null; operand = operand.Before)
                if (!operand.IsCurrent) return false;
            return true;
        }
    }

    /// <summary>To read a tensor.</summary>
    public Operand Read(Tensor tensor) => Hold(tensor.Read());

    /// <inheritdoc cref="Read(Tensor)"/>
    public Operand? ReadIfAny(Tensor? tensor) => tensor is null ? null : Read(tensor);

    /// <summary>To read integers.</summary>
    public Operand Read(IntTensor tensor) => Hold(tensor.Read());

    /// <summary>To read what a deferred result is made from.</summary>
    public Operand Read(Snapshot content, int offset, Shape shape) => Hold(Operand.ToRead(content.RetainStorage(), offset, shape, content));

    /// <summary>To write a tensor.</summary>
    public Operand Write(Tensor tensor) => Hold(tensor.Write());

    /// <inheritdoc cref="Write(Tensor)"/>
    public Operand? WriteIfAny(Tensor? tensor) => tensor is null ? null : Write(tensor);

    /// <summary>To write integers.</summary>
    public Operand Write(IntTensor tensor) => Hold(tensor.Write());

    /// <summary>To write all of new memory that nobody has seen: its first content is no change.</summary>
    public Operand WriteNew(Tensor tensor) => WriteNew(tensor.Storage, tensor.Storage.Resolve(), tensor.Shape);

    /// <summary>To write the block of a deferred result.</summary>
    public Operand WriteNew(Storage result, DeviceMemory block, Shape shape) => Hold(Operand.ToWriteNew(result.Retain(), block, shape));

    /// <summary>To read many.</summary>
    public Operand[] Read(ReadOnlySpan<Tensor> tensors)
    {
        var operands = new Operand[tensors.Length];
        for (var i = 0; i < operands.Length; i++) operands[i] = Read(tensors[i]);
        return operands;
    }

    /// <summary>To write many.</summary>
    public Operand[] Write(ReadOnlySpan<Tensor> tensors)
    {
        var operands = new Operand[tensors.Length];
        for (var i = 0; i < operands.Length; i++) operands[i] = Write(tensors[i]);
        return operands;
    }

    public void Dispose()
    {
        for (var operand = last; operand is not null; operand = operand.Before) operand.Dispose();
        last = null;
        if (recording is not null) recording.Operation = outer;
    }

    Operand Hold(Operand operand)
    {
        operand.Before = last;
        return last = operand;
    }
}
