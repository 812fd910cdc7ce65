using CsCheck;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;
using QuadEngine.Tests.Data;
using QuadEngine.Tests.Training;

namespace QuadEngine.Tests.Gpu;

/// <summary>Batches that a device makes from bytes in its memory have the same bits as batches made on the host.</summary>
public class DeviceDatasetTests
{
    [Test]
    public void Batches_are_those_of_the_host_bit_for_bit()
    {
        var device = TestDevices.OpenCl;
        (from count in Gen.Int[1, 40]
         from height in Gen.Int[1, 17]
         from width in Gen.Int[1, 17]
         from channels in Gen.Bool.Select(colour => colour ? 3 : 1)
         from batch in Gen.Int[1, 45]
         from seed in Gen.ULong
         from shuffled in Gen.Bool
         from epoch in Gen.Int[0, 9]
         from padding in Gen.Int[0, 20]
         from flip in Gen.Bool
         from dropLast in Gen.Bool
         from start in Gen.Int[0, 4]
         select (count, height, width, channels, batch, seed, shuffled, epoch, padding, flip, dropLast, start)).Sample(x =>
        {
            var data = DataFiles.Images(x.count, x.height, x.width, x.channels, x.channels == 3 ? Normalization.ImageNet : null);
            ulong? seed = x.shuffled ? x.seed : null;
            var augmentation = x.shuffled ? new CropFlip(x.padding, x.flip) : Augmentation.None;
            using var resident = data.To(device);
            var all = resident.Batches(x.batch, seed, x.epoch, augmentation, x.dropLast);
            var start = Math.Min(x.start, all.Count);
            var expected = Everything(data.Batches(x.batch, seed, x.epoch, augmentation, x.dropLast, start));
            return resident.IsResident && Everything(resident.Batches(x.batch, seed, x.epoch, augmentation, x.dropLast, start)).SequenceEqual(expected);
        }, iter: 100, threads: 1);
    }

    sealed record Inverted : Augmentation
    {
        public override void Apply(ReadOnlySpan<byte> image, Shape shape, ImageRandom random, Span<byte> to)
        {
            for (var i = 0; i < image.Length; i++) to[i] = (byte)(255 - image[i] - random.NextBelow(2));
        }
    }

    [Test]
    public void An_augmentation_of_a_user_runs_on_the_host_with_the_same_bits()
    {
        var data = DataFiles.Images(50, 6, 5, 3, Normalization.ImageNet);
        using var resident = data.To(TestDevices.OpenCl);
        Assert.That(Everything(resident.Batches(8, seed: 1, epoch: 2, augmentation: new Inverted())), Is.EqualTo(Everything(data.Batches(8, seed: 1, epoch: 2, augmentation: new Inverted()))));
        Assert.That(resident.IsResident);
    }

    [Test]
    public void Each_batch_is_one_launch()
    {
        var device = TestDevices.OpenCl;
        using var resident = DataFiles.Images(50, 6, 5, 3).To(device);
        Count();
        var before = device.Launches;
        Assert.That(Count(), Is.EqualTo(7));
        Assert.That(device.Launches - before, Is.EqualTo(7));

        int Count()
        {
            var count = 0;
            foreach (var batch in resident.Batches(8, seed: 1, augmentation: Augmentation.PadCropFlip))
            {
                batch.Dispose();
                count++;
            }

            return count;
        }
    }

    [Test]
    public void A_device_short_of_memory_is_given_it_back_and_the_batches_go_on()
    {
        var device = TestDevices.OpenCl;
        var data = DataFiles.Images(50, 6, 5, 3);
        var before = device.Pool.Statistics.InUse;
        using var resident = data.To(device);
        var batches = new List<Batch<Tensor, IntTensor>>();
        foreach (var batch in resident.Batches(8, seed: 1, augmentation: Augmentation.PadCropFlip))
        {
            batches.Add(batch);
            if (batches.Count == 3) device.Pool.Reclaim();
        }

        Assert.That(resident.IsResident, Is.False);
        Assert.That(Everything(batches), Is.EqualTo(Everything(data.Batches(8, seed: 1, augmentation: Augmentation.PadCropFlip))));
        foreach (var batch in batches) batch.Dispose();
        Assert.That(device.Pool.Statistics.InUse, Is.LessThanOrEqualTo(before));
    }

    [Test]
    public void A_data_set_left_to_the_collector_gives_its_memory_back()
    {
        var device = TestDevices.OpenCl;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = device.Pool.Statistics.InUse;
        Leave();
        Assert.That(device.Pool.Statistics.InUse, Is.GreaterThan(before));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.That(device.Pool.Statistics.InUse, Is.LessThanOrEqualTo(before));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        void Leave() => Assert.That(DataFiles.Images(50, 6, 5, 3).To(device).IsResident);
    }

    [Test]
    public void On_the_cpu_the_host_makes_the_batches()
    {
        var data = DataFiles.Images(50, 6, 5, 3);
        using var placed = data.To(Device.Cpu);
        Assert.That(placed.IsResident, Is.False);
        Assert.That(Everything(placed.Batches(8, seed: 1)), Is.EqualTo(Everything(data.Batches(8, seed: 1))));
    }

    [Test]
    public void Wrong_arguments_are_named_as_on_the_host()
    {
        using var resident = DataFiles.Images(50, 6, 5, 3).To(TestDevices.OpenCl);
        Assert.That(() => resident.Batches(8, start: 8), Throws.ArgumentException.With.Message.Contain("start is 8, expected 0 to 7"));
        Assert.That(() => resident.Batches(8, augmentation: Augmentation.PadCropFlip), Throws.ArgumentException.With.Message.Contain("seed: 1"));
        Assert.That(() => resident.Batches(8, prefetch: -1), Throws.ArgumentException.With.Message.Contain("prefetch is -1"));
    }

    // If memory becomes short at a step, the trainer continues with batches from the host: in the first epoch and in the second.
    [Test]
    public void A_trainer_leaves_the_same_bits_wherever_its_batches_are_made()
    {
        var device = TestDevices.OpenCl;
        var kept = Train(int.MaxValue);
        foreach (var shortAt in (int[])[1, 9]) Assert.That(Train(shortAt), Is.EqualTo(kept), $"short at {shortAt}");

        string Train(int shortAt)
        {
            using var tiny = new TinyTraining();
            var trainer = tiny.Start("run", TinyTraining.Options with { Epochs = 2 }, () => TinyTraining.Network().To(device));
            trainer.Stepped += step => { if (step.Step == shortAt) device.Pool.Reclaim(); };
            trainer.Run();
            return Convert.ToHexString(File.ReadAllBytes(tiny.PathOf("run/last.safetensors"))) + string.Join('\n', trainer.State.History.Select(epoch => epoch with { Seconds = null, ExamplesPerSecond = null, PeakBytes = null }));
        }
    }

    static List<(string Shape, string Images, string Labels)> Everything(IEnumerable<Batch<Tensor, IntTensor>> batches) =>
        [.. batches.Select(batch => (batch.Input.Shape.ToString(), string.Join(' ', batch.Input.ToArray()), string.Join(' ', batch.Target.ToArray())))];
}
