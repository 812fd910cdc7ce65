using System.Runtime.InteropServices;
using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>
/// The launches of a step in order, each with its operation. On CUDA they become one graph. On other devices, or if the driver refuses
/// the graph, they are launched one by one with the same arguments. Numbers that change from step to step are in a table on the device, which is
/// filled before each replay.
/// </summary>
sealed class GpuRecording : Recording
{
    const int Places = 256, Counters = 1 << 17;

    readonly GpuDevice device;
    readonly List<RecordedLaunch> launches = [];
    readonly List<Func<ulong>> numbers = [];
    readonly ulong[] uploaded = new ulong[Places];
    readonly Operand table, counters;
    int countersTaken;
    CudaGraph? graph;

    public GpuRecording(GpuDevice device) : base(device)
    {
        this.device = device;
        using var memory = Tensor.Empty([2 * Places], device).Keep();
        table = memory.Write();

        // The counters are made before the step begins, so that they are not memory that the step writes and frees. Every replay finds them at 0.
        counters = device.Counters(Counters);
    }

    /// <summary>The launches, in the order in which they were made.</summary>
    public IReadOnlyList<RecordedLaunch> Launches => launches;

    /// <summary>Adds a kernel or a copy that was just launched.</summary>
    public void Add(Action launch, Type? kernel) => launches.Add(new(launch, kernel, Operation));

    /// <summary>Counters for one launch only, because launches may run at the same time; null if there are no more.</summary>
    public ArrayView<int>? Arrivals(int count)
    {
        if (count > Counters - countersTaken)
        {
            Refuse($"groups of its launches count each other by more than {Counters} counters");
            return null;
        }

        countersTaken += count;
        return counters.Integers().SubView(countersTaken - count, count);
    }

    /// <summary>A number that is read again before each replay.</summary>
    public Number Float(float value, Func<float> later) =>
        new(table.View(), Place(BitConverter.SingleToUInt32Bits(value), () => BitConverter.SingleToUInt32Bits(later())), value);

    /// <summary>A stream of random numbers that advances before each replay.</summary>
    public StreamNumber Stream(ulong recorded, Func<ulong> advance) => new(table.View().Cast<ulong>(), Place(0, advance), recorded);

    public override void Dispose()
    {
        base.Dispose();
        graph?.Dispose();
        table.Dispose();
        counters.Dispose();
    }

    protected override void Ended() => graph = device.Capture(launches);

    protected override void Launch()
    {
        var changed = false;
        for (var i = 0; i < numbers.Count; i++)
        {
            var now = numbers[i]();
            changed |= now != uploaded[i];
            uploaded[i] = now;
        }

        if (changed) device.Upload(MemoryMarshal.AsBytes(uploaded.AsSpan(0, numbers.Count)), table);
        device.Replay(launches, graph);
    }

    int Place(ulong value, Func<ulong> later)
    {
        if (numbers.Count == Places)
        {
            Refuse($"more than {Places} numbers change from step to step");
            return Number.Constant;
        }

        var place = numbers.Count;
        numbers.Add(later);
        uploaded[place] = value;
        device.UploadUnrecorded(MemoryMarshal.AsBytes(uploaded.AsSpan(place, 1)), table, sizeof(ulong) * place);
        return place;
    }
}

/// <summary>A launch of a recorded step.</summary>
/// <param name="Issue">Launches it again.</param>
/// <param name="Kernel">The kernel's type; null for a copy.</param>
/// <param name="Operation">The operation to which it belongs; null for a kernel that a user launched.</param>
readonly record struct RecordedLaunch(Action Issue, Type? Kernel, RecordedOperation? Operation);
