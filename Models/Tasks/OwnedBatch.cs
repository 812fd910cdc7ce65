namespace QuadEngine.Models;

/// <summary>A batch of any kind, which is disposed at the end of its step.</summary>
sealed class OwnedBatch : IDisposable
{
    readonly List<Tensor> tensors = [];
    readonly List<IntTensor> integers = [];
    readonly List<Shape> shapes = [];

    public OwnedBatch(object batch)
    {
        Value = batch;
        TensorTuple.Map(batch, tensor =>
        {
            tensors.Add(tensor);
            shapes.Add(tensor.Shape);
            return tensor;
        }, indices =>
        {
            integers.Add(indices);
            shapes.Add(indices.Shape);
            return indices;
        });
    }

    public object Value { get; }

    /// <summary>The number of examples: the outermost extent of the first tensor that has axes.</summary>
    public int Count => shapes.FirstOrDefault(shape => shape.Rank > 0) is { Rank: > 0 } first ? first[0] : 0;

    public Device Device => tensors.Count > 0 ? tensors[0].Device : integers[0].Device;

    /// <summary>Returns a batch of the same shapes in its own memory.</summary>
    public OwnedBatch Empty() => new(TensorTuple.Map(Value, tensor => Tensor.Empty(tensor.Shape, tensor.Device).Keep(), indices => IntTensor.Empty(indices.Shape, indices.Device)));

    public bool Fits(OwnedBatch other) => shapes.SequenceEqual(other.shapes) && ReferenceEquals(Device, other.Device);

    /// <summary>Overwrites the tensors in place with the tensors of a batch that fits.</summary>
    public void Assign(OwnedBatch values)
    {
        foreach (var (own, value) in tensors.Zip(values.tensors)) own.Assign(value);
        foreach (var (own, value) in integers.Zip(values.integers)) own.Assign(value);
    }

    public void Dispose()
    {
        foreach (var tensor in tensors) tensor.Dispose();
        foreach (var indices in integers) indices.Dispose();
    }
}
