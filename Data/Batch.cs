namespace QuadEngine.Data;

/// <summary>A batch of what a network reads and what it is to give.</summary>
/// <typeparam name="TInput"><see cref="Tensor"/> or <see cref="IntTensor"/>.</typeparam>
/// <typeparam name="TTarget"><see cref="Tensor"/> or <see cref="IntTensor"/>.</typeparam>
/// <param name="Input">[N, ...], for N examples.</param>
/// <param name="Target">[N, ...], likewise.</param>
public readonly record struct Batch<TInput, TTarget>(TInput Input, TTarget Target) : ITensorTuple, IDisposable where TInput : class where TTarget : class
{
    /// <inheritdoc/>
    public ITensorTuple Map(Func<Tensor, Tensor> tensors, Func<IntTensor, IntTensor> integers) =>
        new Batch<TInput, TTarget>(TensorTuple.Map(Input, tensors, integers), TensorTuple.Map(Target, tensors, integers));

    /// <summary>Gives the memory back now instead of at a garbage collection. Never required.</summary>
    public void Dispose()
    {
        (Input as IDisposable)?.Dispose();
        (Target as IDisposable)?.Dispose();
    }
}

/// <summary>A batch in plain arrays, refilled again and again: images [Count, H, W, C] and labels [Count] fill the front of them.</summary>
sealed class HostBatch(int batchSize, Shape imageShape)
{
    public float[] Images { get; } = new float[checked(batchSize * imageShape.Elements)];

    public int[] Labels { get; } = new int[batchSize];

    public int Count { get; set; }

    public Batch<Tensor, IntTensor> ToTensors(Device? device) => new(
        Tensor.FromSpan(Images.AsSpan(0, Count * imageShape.Elements), [Count, .. imageShape], device),
        IntTensor.FromSpan(Labels.AsSpan(0, Count), [Count], device));
}
