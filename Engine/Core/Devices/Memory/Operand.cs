namespace QuadEngine.Devices;

/// <summary>
/// The elements of a tensor as a kernel sees them: allocated memory that is not freed until the operand is disposed, even if the garbage
/// collector or other threads drop the tensor. <see cref="Tensor.Read"/> and <see cref="Tensor.Write"/> return an operand.
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

    // Takes over the caller's share.
    Operand(Storage storage, DeviceMemory memory, int offset, Shape shape, Use use, Snapshot? snapshot = null)
    {
        (this.storage, this.snapshot, this.use) = (storage, snapshot, use);
        (Memory, Offset, Shape) = (memory, offset, shape);
        Recording.Current?.Operation?.Uses(new(memory, sizeof(float) * (long)offset, sizeof(float) * ((long)offset + shape.Elements), Writes: use != Use.Read));
    }

    // Filled memory is new: nobody has seen its content, so the write does not count as a change.
    enum Use { Read, Write, WriteNew }

    /// <summary>Makes an operand to read. It takes over the caller's share, even if it throws.</summary>
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

    /// <summary>Makes an operand to write. It takes over the caller's share, even if it throws.</summary>
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

    /// <summary>Makes an operand to fill a new block that nobody has seen. It takes over the caller's share.</summary>
    internal static Operand ToWriteNew(Storage storage, DeviceMemory block, Shape shape) => new(storage, block, 0, shape, Use.WriteNew);

    /// <summary>The block that contains the elements.</summary>
    public DeviceMemory Memory { get; }

    /// <summary>The position of the first element within the block.</summary>
    public int Offset { get; }

    /// <summary>The extents, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>Number of elements.</summary>
    public int Length => Shape.Elements;

    /// <summary>The memory, shared with the tensor that the operand was made from.</summary>
    /// <exception cref="ObjectDisposedException">The operand was disposed.</exception>
    public Storage Storage => storage ?? throw new ObjectDisposedException(nameof(Operand), $"This operand of shape {Shape} was disposed: its memory may have another owner now. Call Read() or Write() on the tensor again.");

    /// <summary>The operand that the same <see cref="Held"/> held before this one.</summary>
    internal Operand? Before { get; set; }

    /// <summary>Whether no other thread has begun to overwrite the memory that was read.</summary>
    internal bool IsCurrent => snapshot is null || snapshot.Is(Storage);

    /// <summary>The elements of a tensor on the CPU, without a copy. Do not use the span after the operand was disposed.</summary>
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

/// <summary>The operands of one call of a kernel, which are disposed together when it returns. While a step is recorded, the call is an operation of the step.</summary>
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

    /// <summary>Whether no other thread has begun to overwrite the memory that was read.</summary>
    public bool AreCurrent
    {
        get
        {
            Interlocked.MemoryBarrier();        // the elements are read before their location is checked
            for (var operand = last; operand is not null; operand = operand.Before)
                if (!operand.IsCurrent) return false;
            return true;
        }
    }

    /// <summary>An operand to read a tensor.</summary>
    public Operand Read(Tensor tensor) => Hold(tensor.Read());

    /// <inheritdoc cref="Read(Tensor)"/>
    public Operand? ReadIfAny(Tensor? tensor) => tensor is null ? null : Read(tensor);

    /// <summary>An operand to read integers.</summary>
    public Operand Read(IntTensor tensor) => Hold(tensor.Read());

    /// <inheritdoc cref="Read(IntTensor)"/>
    public Operand? ReadIfAny(IntTensor? tensor) => tensor is null ? null : Read(tensor);

    /// <summary>An operand to read the input of a deferred result.</summary>
    public Operand Read(Snapshot content, int offset, Shape shape) => Hold(Operand.ToRead(content.RetainStorage(), offset, shape, content));

    /// <summary>An operand to write a tensor.</summary>
    public Operand Write(Tensor tensor) => Hold(tensor.Write());

    /// <inheritdoc cref="Write(Tensor)"/>
    public Operand? WriteIfAny(Tensor? tensor) => tensor is null ? null : Write(tensor);

    /// <summary>An operand to write integers.</summary>
    public Operand Write(IntTensor tensor) => Hold(tensor.Write());

    /// <summary>An operand to fill new memory that nobody has seen; the write does not count as a change.</summary>
    public Operand WriteNew(Tensor tensor) => WriteNew(tensor.Storage, tensor.Storage.Resolve(), tensor.Shape);

    /// <summary>An operand to fill the block of a deferred result.</summary>
    public Operand WriteNew(Storage result, DeviceMemory block, Shape shape) => Hold(Operand.ToWriteNew(result.Retain(), block, shape));

    /// <summary>Operands to read several tensors.</summary>
    public Operand[] Read(ReadOnlySpan<Tensor> tensors)
    {
        var operands = new Operand[tensors.Length];
        for (var i = 0; i < operands.Length; i++) operands[i] = Read(tensors[i]);
        return operands;
    }

    /// <summary>Operands to write several tensors.</summary>
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
