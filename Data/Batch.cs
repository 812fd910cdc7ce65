namespace QuadEngine.Data;

/// <summary>A batch as a network takes it.</summary>
/// <param name="Images">Normalised images [N, H, W, C].</param>
/// <param name="Labels">Class numbers [N].</param>
public readonly record struct Batch(Tensor Images, IntTensor Labels) : IDisposable
{
    /// <summary>Gives the memory back now instead of at a garbage collection. Never required.</summary>
    public void Dispose()
    {
        Images.Dispose();
        Labels.Dispose();
    }
}

/// <summary>A batch in plain arrays, refilled again and again: images [Count, H, W, C] and labels [Count] fill the front of them.</summary>
sealed class HostBatch(int batchSize, Shape imageShape)
{
    public float[] Images { get; } = new float[checked(batchSize * imageShape.Elements)];

    public int[] Labels { get; } = new int[batchSize];

    public int Count { get; set; }

    public Batch ToTensors(Device? device) => new(
        Tensor.FromSpan(Images.AsSpan(0, Count * imageShape.Elements), [Count, .. imageShape], device),
        IntTensor.FromSpan(Labels.AsSpan(0, Count), [Count], device));
}
