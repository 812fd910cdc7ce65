using QuadEngine.Devices;

namespace QuadEngine.Data;

/// <summary>
/// A data set for a device. Its bytes are moved to the device once, and batches are cut, mirrored and normalized there, in one launch each, with the
/// bits of <see cref="LabeledImages.Batches"/>. Batches come from the host in these cases: the device's memory is too small, now or later; the device is the CPU; the images stay in
/// files; or the <see cref="Augmentation"/> is not <see cref="CropFlip"/>.
/// <code>
/// using var train = dataset.To(device);
/// foreach (var (images, labels) in train.Batches(128, seed: 1, epoch: e, augmentation: Augmentation.PadCropFlip)) ...
/// </code>
/// </summary>
public sealed class DeviceDataset : IReclaimable, IPlacedExamples<Batch<Tensor, IntTensor>>
{
    readonly Lock gate = new();
    ImageBytes? bytes;

    internal DeviceDataset(LabeledImages images, Device device)
    {
        (Images, Device) = (images, device);
        if (ReferenceEquals(device, Device.Cpu) || images is not ImageDataset { Count: > 0 } inMemory) return;
        try
        {
            bytes = Upload(inMemory, device);
            device.Pool.Register(this);
        }
        catch (OutOfMemoryException)
        {
            // The host has the bytes.
        }
    }

    /// <summary>The data set on the host.</summary>
    public LabeledImages Images { get; }

    /// <summary>The device of the batches.</summary>
    public Device Device { get; }

    /// <summary>Whether the device holds the bytes now.</summary>
    public bool IsResident
    {
        get
        {
            lock (gate) return bytes is not null;
        }
    }

    /// <summary>Returns the batches of one epoch, see <see cref="LabeledImages.Batches"/>.</summary>
    /// <inheritdoc cref="LabeledImages.Batches"/>
    public Loader Batches(
        int batchSize, ulong? seed = null, int epoch = 0, Augmentation? augmentation = null, bool dropLast = false, int start = 0, int? prefetch = null) =>
        new(new Source(this, augmentation ?? Augmentation.None, Images.OnHost(augmentation, prefetch, Device)), new EpochOrder(batchSize, seed, epoch, dropLast, start));

    IEnumerable<Batch<Tensor, IntTensor>> IPlacedExamples<Batch<Tensor, IntTensor>>.Batches(EpochOrder order) => Batches(order, Augmentation.None);

    internal Loader Batches(EpochOrder order, Augmentation augmentation) => new(new Source(this, augmentation, Images.OnHost(augmentation, null, Device)), order);

    /// <summary>Frees the device's memory. Batches come from the host from now on.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (bytes is not { } held) return;
            bytes = null;
            held.Pixels.Dispose();
            held.Labels.Dispose();
            held.Levels.Dispose();
        }
    }

    void IReclaimable.Reclaim() => Dispose();

    /// <inheritdoc/>
    public override string ToString() => $"{Images} {(IsResident ? "on" : "for")} {Device}";

    static ImageBytes Upload(ImageDataset dataset, Device device)
    {
        var pixels = IntTensor.Empty([(int)(((long)dataset.Pixels.Length + 3) / 4)], device);
        try
        {
            using var target = pixels.Write();
            device.Upload(dataset.Pixels.Span, target);
            return new(
                pixels,
                IntTensor.FromSpan(dataset.Labels.Span, [dataset.Count], device),
                Tensor.FromSpan(dataset.Normalization.Levels, [dataset.Channels, 256], device).Keep());
        }
        catch
        {
            pixels.Dispose();
            throw;
        }
    }

    /// <summary>Launches a batch on the device; returns null if the bytes were dropped.</summary>
    Batch<Tensor, IntTensor>? Gather(IntTensor order, EpochPlan plan, RandomWindows windows, int b)
    {
        // Allocated outside the lock, because a pool that is short of memory may ask this object to drop the bytes.
        var count = plan.Length(b);
        var images = Tensor.Empty([count, .. Images.ImageShape], Device);
        var labels = IntTensor.Empty([count], Device);
        lock (gate)
        {
            if (bytes is { } held)
            {
                Device.Backend.GatherImages(held, order, plan.First(b), windows, images, labels);
                return new Batch<Tensor, IntTensor>(images, labels);
            }
        }

        images.Dispose();
        labels.Dispose();
        return null;
    }

    sealed class Source(DeviceDataset data, Augmentation augmentation, DatasetSource host) : BatchSource
    {
        public override int Count => host.Count;

        public override object? Randomness => host.Randomness;

        public override IEnumerable<Batch<Tensor, IntTensor>> Batches(EpochPlan plan)
        {
            var b = plan.Start;
            if (data.IsResident && augmentation.Windows(plan.Seed, plan.Epoch) is { } windows)
            {
                using var order = IntTensor.FromSpan(plan.Order, [Count], data.Device);
                for (; b < plan.End && data.Gather(order, plan, windows, b) is { } batch; b++) yield return batch;
            }

            foreach (var batch in host.Batches(plan with { Start = b })) yield return batch;
        }
    }
}
