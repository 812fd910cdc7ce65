namespace QuadEngine.Models;

/// <summary>A batch that goes at the end of its step.</summary>
readonly struct OwnedBatch : IDisposable
{
    readonly (IReadOnlyList<Tensor> Tensors, IReadOnlyList<IntTensor> Integers) parts;

    public OwnedBatch(object batch)
    {
        (Value, parts) = (batch, TensorTuple.Parts(batch));
        var count = 0;
        TensorTuple.Map(batch, tensor => First(tensor, tensor.Shape), integers => First(integers, integers.Shape));
        Count = count;

        T First<T>(T tensor, Shape shape)
        {
            if (count == 0 && shape.Rank > 0) count = shape[0];
            return tensor;
        }
    }

    public object Value { get; }

    /// <summary>Its examples: the outermost axis of its first tensor.</summary>
    public int Count { get; }

    public Device Device => parts.Tensors.Select(tensor => tensor.Device).Concat(parts.Integers.Select(integers => integers.Device)).First();

    /// <summary>A batch of the same shapes in memory of its own.</summary>
    public OwnedBatch Empty() => new(TensorTuple.Map(Value, tensor => Tensor.Empty(tensor.Shape, tensor.Device).Keep(), integers => IntTensor.Empty(integers.Shape, integers.Device)));

    public bool Fits(OwnedBatch other) => Shapes.SequenceEqual(other.Shapes) && ReferenceEquals(Device, other.Device);

    /// <summary>Overwrites the tensors in place with those of a batch that fits.</summary>
    public void Assign(OwnedBatch values)
    {
        foreach (var (own, value) in parts.Tensors.Zip(values.parts.Tensors)) own.Assign(value);
        foreach (var (own, value) in parts.Integers.Zip(values.parts.Integers)) own.Assign(value);
    }

    IEnumerable<Shape> Shapes => parts.Tensors.Select(tensor => tensor.Shape).Concat(parts.Integers.Select(integers => integers.Shape));

    public void Dispose()
    {
        foreach (var tensor in parts.Tensors) tensor.Dispose();
        foreach (var integers in parts.Integers) integers.Dispose();
    }
}
