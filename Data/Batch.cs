namespace QuadEngine.Data;

/// <summary>A batch of the inputs of a network and its targets.</summary>
/// <typeparam name="TInput"><see cref="Tensor"/> or <see cref="IntTensor"/>.</typeparam>
/// <typeparam name="TTarget"><see cref="Tensor"/> or <see cref="IntTensor"/>.</typeparam>
/// <param name="Input">The inputs [N, ...] of N examples.</param>
/// <param name="Target">The targets [N, ...] of the same examples.</param>
public readonly record struct Batch<TInput, TTarget>(TInput Input, TTarget Target) : ITensorTuple, IDisposable where TInput : class where TTarget : class
{
    /// <inheritdoc/>
    public ITensorTuple Map(Func<Tensor, Tensor> tensors, Func<IntTensor, IntTensor> integers) =>
        new Batch<TInput, TTarget>(TensorTuple.Map(Input, tensors, integers), TensorTuple.Map(Target, tensors, integers));

    /// <summary>Frees the memory now instead of at a garbage collection. The call is never required.</summary>
    public void Dispose()
    {
        (Input as IDisposable)?.Dispose();
        (Target as IDisposable)?.Dispose();
    }
}

/// <summary>A batch in plain arrays, which are refilled for each batch: images [Count, H, W, C] and labels [Count] fill their front.</summary>
sealed class HostBatch(int batchSize, Shape imageShape)
{
    public float[] Images { get; } = new float[checked(batchSize * imageShape.Elements)];

    public int[] Labels { get; } = new int[batchSize];

    public int Count { get; set; }

    public Batch<Tensor, IntTensor> ToTensors(Device? device) => new(
        Tensor.FromSpan(Images.AsSpan(0, Count * imageShape.Elements), [Count, .. imageShape], device),
        IntTensor.FromSpan(Labels.AsSpan(0, Count), [Count], device));
}
