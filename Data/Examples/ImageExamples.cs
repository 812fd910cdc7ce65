namespace QuadEngine.Data;

/// <summary>The images of a data set as examples. They are changed at random if the order has a seed.</summary>
/// <param name="images">The data set.</param>
/// <param name="augmentation">The random changes.</param>
public sealed class ImageExamples(LabeledImages images, Augmentation augmentation) : IExamples<Batch<Tensor, IntTensor>>
{
    /// <summary>The data set.</summary>
    public LabeledImages Images => images;

    /// <inheritdoc/>
    public string Name => images.Name;

    /// <inheritdoc/>
    public int Count => images.Count;

    /// <inheritdoc/>
    public IPlacedExamples<Batch<Tensor, IntTensor>> To(Device device) => new Placed(images.To(device), augmentation);

    sealed class Placed(DeviceDataset images, Augmentation augmentation) : IPlacedExamples<Batch<Tensor, IntTensor>>
    {
        public Device Device => images.Device;

        public IEnumerable<Batch<Tensor, IntTensor>> Batches(EpochOrder order) => images.Batches(order, order.Seed is null || !order.Changed ? Augmentation.None : augmentation);

        public void Dispose() => images.Dispose();
    }
}
