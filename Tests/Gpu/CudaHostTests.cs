using QuadEngine.Devices;
using QuadEngine.Gpu;
using QuadEngine.Layers;
using QuadEngine.Models;
using QuadEngine.Operations;

namespace QuadEngine.Tests.Gpu;

/// <summary>What happens on the host side of CUDA: discovery, memory, text handed to the driver, launches. The tests use a stub of the driver, which runs no kernel here.</summary>
public class CudaHostTests
{
    // No kernel can fill a block here, so freed memory must not be required to hold NaN.
    [SetUp]
    public void LeaveMemoryAsItIs() => BufferPool.IsGuarded = false;

    [TearDown]
    public void GuardMemory() => GuardedMemory.Switch();

    [Test]
    public void The_device_is_found_under_its_name()
    {
        var device = StubDriver.Instance.Device;
        Assert.That(device.Name, Is.EqualTo("cuda:0"));
        Assert.That(device.Accelerator.Name, Is.EqualTo("Stub H200"));
    }

    [Test]
    public void Values_go_to_the_device_and_come_back()
    {
        float[] values = [.. Enumerable.Range(0, 3000).Select(i => (float)i)];
        using var x = Tensor.FromArray(values, [3000], StubDriver.Instance.Device);
        Assert.That(x.ToArray(), Is.EqualTo(values));
    }

    [Test]
    public void A_launch_reaches_the_driver_on_a_stream_of_its_own_with_rewritten_text()
    {
        var stub = StubDriver.Instance;
        var before = stub.Count("launches");
        using Tensor x = Tensor.FromArray(new float[12], [3, 4], stub.Device), y = x.MatMul(x.Transpose());
        Assert.That(y.ToArray(), Has.Length.EqualTo(9));
        Assert.That(stub.Count("launches"), Is.GreaterThan(before));
        Assert.That(stub.Count("null_stream_launches"), Is.Zero, "the default stream waits for all others and cannot be captured");
        Assert.That(stub.LastPtx, Does.Contain(".entry").And.Not.Contain("bra.uni"));
    }

    // CUDA takes 65535 groups along z.
    [Test]
    public void Batches_beyond_one_grid_take_several_launches()
    {
        var stub = StubDriver.Instance;
        var before = stub.Count("launches");
        using Tensor a = Tensor.FromArray(new float[140_000], [70_000, 1, 2], stub.Device), b = Tensor.FromArray(new float[140_000], [70_000, 2, 1], stub.Device), y = a.MatMul(b);
        Assert.That(y.ToArray(), Has.Length.EqualTo(70_000));
        Assert.That(stub.Count("launches") - before, Is.EqualTo(2));
        Assert.That(() => stub.Device.Launch(new Pointwise<Filling, float>(default, 0), 1, 1, 65_536), Throws.ArgumentException.With.Message.Contains("1 x 1 x 65536 groups"));
    }

    [Test]
    public void A_kernel_compiled_in_one_run_is_read_in_the_next()
    {
        var stub = StubDriver.Instance;
        using var x = Tensor.Full([5], 1f, stub.Device);
        var folder = Environment.GetEnvironmentVariable(PtxCache.FolderVariable)!;
        Assert.That(Directory.GetFiles(folder, "*.ptx"), Is.Not.Empty);

        // A second device of the same kind acts as the next run: it compiles nothing that is in the folder.
        foreach (var file in Directory.GetFiles(folder)) File.AppendAllText(file, "// from the cache\n");
        var next = (GpuDevice)new GpuDevices().TryGet("cuda")!;
        using var y = Tensor.Full([5], 1f, next);
        y.ToArray();
        Assert.That(stub.LastPtx, Does.Contain("from the cache"));
    }

    [Test]
    public void Kernels_have_names_of_their_own_for_profilers()
    {
        var stub = StubDriver.Instance;
        using Tensor x = Tensor.FromArray(new float[12], [3, 4], new GpuDevices().TryGet("cuda")!), y = x.Softplus();
        Assert.That(y.ToArray(), Has.Length.EqualTo(12));
        Assert.That(stub.LastPtx, Does.Contain(".entry Pointwise_Unary_SoftplusOp_Single("));
    }

    [TestCase(0)]
    [TestCase(3)]
    public void A_training_step_becomes_one_graph(int rank)
    {
        const int Replays = 5;
        var stub = StubDriver.Instance;
        var training = new RecordedStepTests.SmallTraining(stub.Device, rank, adam: false);
        using var step = new RecordedStep(stub.Device, training.Step);
        training.Prepare(0);
        step.Run();
        training.Prepare(1);
        var (captures, plain) = (stub.Count("captures"), stub.Count("launches"));
        step.Run();
        Assert.That(step.IsRecorded, step.Refusal);
        Assert.That(stub.Count("captures"), Is.EqualTo(captures + 1));
        var perStep = stub.Count("launches") - plain;

        var (launches, graphs, waits) = (stub.Count("launches"), stub.Count("graph_launches"), stub.Count("synchronizations"));
        for (var i = 0; i < Replays; i++)
        {
            training.Prepare(i);
            step.Run();
        }

        Assert.That(stub.Count("graph_launches") - graphs, Is.EqualTo(Replays));
        Assert.That(stub.Count("captures"), Is.EqualTo(captures + 1), "captured once");
        Assert.That(stub.Count("launches"), Is.EqualTo(launches), "no kernel is launched beside the graph");
        Assert.That(stub.Count("graph_kernels"), Is.EqualTo(perStep), "the graph holds all kernels of the step");
        Assert.That(stub.Count("synchronizations"), Is.EqualTo(waits), "nothing waits if no value is read");
        Assert.That(stub.Device.GraphRefusal, Is.Null);
        Assert.That((stub.Device.Graph!.Nodes, stub.Device.Graph.Edges), Is.EqualTo((perStep, stub.Count("graph_edges"))));
        Assert.That(stub.Count("graph_programmatic"), Is.EqualTo(stub.Count("graph_edges")), "there are kernels only");
        Assert.That(stub.Device.Graph.Refusal, Is.Null);
    }

    [Test]
    public void Filter_gradients_are_computed_beside_the_longest_chain([Values(0, 3)] int rank)
    {
        var device = StubDriver.Instance.Device;
        using var training = new ResNet20(device, rank);
        training.Step();
        device.Pool.Trim();
        var plain = device.Pool.Statistics.Reserved;
        using var recording = (GpuRecording)device.Record()!;
        recording.Begin();
        training.Step();
        recording.End();

        var graph = LaunchGraph.Of([.. recording.Launches.Select(launch => launch.Operation)]);
        TestContext.Out.WriteLine($"{device.Graph}; {plain >> 20} MB before, {device.Pool.Statistics.Reserved >> 20} MB");
        int[] gradients = [.. Enumerable.Range(0, graph.Launches).Where(i => recording.Launches[i].Kernel is { IsGenericType: true } kernel && (kernel.GetGenericTypeDefinition() == typeof(SlidingFilterGradient<,>) || kernel.GetGenericArguments().Contains(typeof(PatchesProduct<AcrossSum>))))];
        Assert.That(gradients, Has.Length.EqualTo(19));

        // The gradient of the first layer's filter comes last, with no other kernel left to run beside it. A longest chain needs none of the others.
        var counted = Enumerable.Repeat(1, graph.Launches).ToArray();
        foreach (var i in gradients.SkipLast(1)) counted[i] = 0;
        var chains = new int[graph.Launches];
        for (var i = 0; i < chains.Length; i++) chains[i] = counted[i] + graph.Before(i).Select(before => chains[before]).DefaultIfEmpty().Max();
        Assert.That(chains.Max(), Is.EqualTo(graph.LongestChain));
    }

    [Test]
    public void Uploads_go_through_page_locked_memory_and_wait_for_nothing()
    {
        var stub = StubDriver.Instance;
        var (pageable, waits) = (stub.Count("pageable_copies"), stub.Count("synchronizations"));
        var tensors = new List<(Tensor Tensor, float[] Values)>();
        foreach (var length in (int[])[1, 10, 5_000, 40_000, 400_000, 3_000_000])
        {
            float[] values = [.. Enumerable.Range(0, length).Select(i => i * 0.5f + length)];
            tensors.Add((Tensor.FromArray(values, [length], stub.Device), [.. values]));
            values.AsSpan().Clear();
        }

        Assert.That(stub.Count("pageable_copies"), Is.EqualTo(pageable));
        Assert.That(stub.Count("synchronizations"), Is.EqualTo(waits));
        foreach (var (tensor, values) in tensors)
        {
            Assert.That(tensor.ToArray(), Is.EqualTo(values));
            tensor.Dispose();
        }
    }

    [Test]
    public void Uploads_that_found_no_room_to_land_in_are_plain_and_only_they() => OnADeviceOf(6 << 20, device =>
    {
        var stub = StubDriver.Instance;
        float[] values = [.. Enumerable.Range(0, 1 << 20).Select(i => (float)i)];
        Assert.That(WaitsOfAnUpload(), Is.EqualTo(1));
        stub.Set("room", -1);
        Assert.That(WaitsOfAnUpload(), Is.Zero);

        int WaitsOfAnUpload()
        {
            var before = stub.Count("synchronizations");
            using var x = Tensor.FromArray(values, [values.Length], device);
            var waits = stub.Count("synchronizations") - before;
            Assert.That(x.ToArray(), Is.EqualTo(values));
            return waits;
        }
    });

    [Test]
    public void A_trainer_launches_a_graph_a_step_and_reads_values_without_waiting_for_the_step_under_way()
    {
        var stub = StubDriver.Instance;
        using var tiny = new QuadEngine.Tests.Training.TinyTraining();
        var trainer = tiny.Start(network: () => QuadEngine.Tests.Training.TinyTraining.Network().To(stub.Device));
        var (graphs, launches, synchronizations, uploads) = (new List<int>(), new List<int>(), new List<int>(), new List<int>());
        trainer.Stepped += _ =>
        {
            graphs.Add(stub.Count("graph_launches"));
            launches.Add(stub.Count("launches"));
            synchronizations.Add(stub.Count("synchronizations"));
            uploads.Add(stub.Count("uploaded_bytes"));
        };
        trainer.Run();

        // An epoch has six steps: one plain, one recorded, four replayed. A step is reported when the next one is launched.
        Assert.That(graphs, Has.Count.EqualTo(18));
        foreach (var first in (int[])[0, 6, 12])
        {
            Assert.That(graphs[first + 5] - graphs[first], Is.EqualTo(4));
            Assert.That(launches[first + 5] - launches[first + 1], Is.EqualTo(3), "a batch is gathered beside each graph, and no more is launched");
            Assert.That(uploads[first + 5] - uploads[first + 1], Is.LessThan(1000), "numbers that change, and no images");
            Assert.That(synchronizations[first + 5], Is.EqualTo(synchronizations[first]), "nothing waits for the stream");
        }
    }

    [Test]
    public void An_epoch_uploads_its_order_and_no_images()
    {
        const int Images = 96, Batch = 16;
        var stub = StubDriver.Instance;
        using var train = QuadEngine.Tests.Data.DataFiles.Images(Images, 32, 32, 3).To(stub.Device);
        Assert.That(train.IsResident);
        for (var epoch = 0; epoch < 2; epoch++)
        {
            var (bytes, launches, waits) = (stub.Count("uploaded_bytes"), stub.Count("launches"), stub.Count("synchronizations"));
            foreach (var batch in train.Batches(Batch, seed: 1, epoch: epoch, augmentation: QuadEngine.Data.Augmentation.PadCropFlip)) batch.Dispose();
            Assert.That(stub.Count("uploaded_bytes") - bytes, Is.EqualTo(sizeof(int) * Images));
            Assert.That(stub.Count("launches") - launches, Is.EqualTo(Images / Batch), "one launch for each batch");
            Assert.That(stub.Count("synchronizations"), Is.EqualTo(waits), "nothing waits");
        }
    }

    [Test]
    public void A_data_set_that_does_not_fit_is_streamed() => OnADeviceOf(2 << 20, device =>
    {
        var data = QuadEngine.Tests.Data.DataFiles.Images(400, 64, 64, 3);
        using var train = data.To(device);
        Assert.That(train.IsResident, Is.False);
        foreach (var (got, expected) in train.Batches(4, seed: 1).Zip(data.Batches(4, seed: 1)).Take(5))
        {
            Assert.That(got.Input.ToArray(), Is.EqualTo(expected.Input.ToArray()));
            Assert.That(got.Target.ToArray(), Is.EqualTo(expected.Target.ToArray()));
            got.Dispose();
        }
    });

    [Test]
    public void Work_that_needs_the_memory_of_a_data_set_gets_it() => OnADeviceOf(8 << 20, device =>
    {
        using var train = QuadEngine.Tests.Data.DataFiles.Images(400, 64, 64, 3).To(device);
        Assert.That(train.IsResident);
        using (Tensor.Empty([6 << 18], device)) Assert.That(train.IsResident, Is.False);
        Assert.Throws<OutOfMemoryException>(() => Tensor.Empty([9 << 18], device));
    });

    [Test]
    public void Training_goes_on_where_its_data_does_not_fit_beside_it() => OnADeviceOf(28 << 20, device =>
    {
        // Of 28 MB the images take 8 and the buffers for their upload 16; a step needs 8.
        const int Batch = 32, Image = 32 * 32 * 3;
        var images = QuadEngine.Tests.Data.DataFiles.Images(2600, 32, 32, 3);
        using (var alone = images.To(device)) Assert.That(alone.IsResident);
        var network = new Sequential(new Layers.Conv2d(3, 8, 3, padding: 1), new Layers.Relu(), new GlobalAvgPool2d(), new Linear(8, 10)).To(device);
        var uploads = new List<int>();
        var trainer = new Trainer(network, images.Take(2590), images.Slice(2590, 10), new TrainerOptions { Epochs = 1, BatchSize = Batch });
        trainer.Stepped += _ => uploads.Add(StubDriver.Instance.Count("uploaded_bytes"));
        trainer.Run();
        Assert.That(uploads, Has.Count.EqualTo(trainer.StepsPerEpoch));
        Assert.That(uploads[20] - uploads[19], Is.GreaterThan(sizeof(float) * Batch * Image), "batches come from the host");
    });

    // A separate device, because a device that is short of memory uploads in another way.
    static void OnADeviceOf(int bytes, Action<GpuDevice> action)
    {
        var stub = StubDriver.Instance;
        var device = (GpuDevice)new GpuDevices().TryGet("cuda")!;

        // Otherwise the garbage of other tests would be collected during this test and would free memory.
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        stub.Set("room", bytes);
        try
        {
            action(device);
        }
        finally
        {
            stub.Set("room", -1);
        }
    }

    // The additional launch is the optimizer's for Lambda.
    [Test]
    public void Quadratic_neurons_add_one_launch()
    {
        long linear = Launches(rank: 0), quadratic = Launches(rank: 3);
        TestContext.Out.WriteLine($"ResNet-20, batch 128: {linear} launches per step, quadratic {quadratic}");
        Assert.That(linear, Is.LessThanOrEqualTo(158));
        Assert.That(quadratic, Is.LessThanOrEqualTo(linear + 1));

        static long Launches(int rank)
        {
            var device = StubDriver.Instance.Device;
            using var training = new ResNet20(device, rank);
            training.Step();
            var before = device.Launches;
            training.Step();
            device.Pool.Trim();
            return device.Launches - before;
        }
    }

    /// <summary>Training steps at batch 128.</summary>
    sealed class ResNet20 : IDisposable
    {
        readonly ResNet net;
        readonly Sgd sgd;
        readonly Tensor images;
        readonly IntTensor labels;

        public ResNet20(Device device, int rank)
        {
            net = ResNet.Cifar(20, 10, rank == 0 ? null : Layers.Neurons.Quadratic(rank));
            net.To(device);
            sgd = new Sgd(net.ParameterGroups(), 0.1f, momentum: 0.9f, weightDecay: 1e-4f);
            (images, labels) = (Tensor.Empty([128, 32, 32, 3], device), IntTensor.Empty([128], device));
        }

        public void Step()
        {
            using var scope = new TensorScope();
            QuadEngine.Losses.CrossEntropy(net.Forward(images), labels).Backward();
            sgd.Step();
        }

        public void Dispose()
        {
            images.Dispose();
            labels.Dispose();
        }
    }
}
