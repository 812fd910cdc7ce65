using System.Runtime.InteropServices;
using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>
/// The launches of a step in their order. On CUDA they become one graph; elsewhere, or where the driver refuses the graph, they are
/// launched one by one with the arguments they had. Numbers that change from step to step stand in a table on the device, which is filled
/// before each replay.
/// </summary>
sealed class GpuRecording : Recording
{
    const int Places = 256;

    readonly GpuDevice device;
    readonly List<Action> launches = [];
    readonly List<Func<ulong>> numbers = [];
    readonly ulong[] uploaded = new ulong[Places];
    readonly Operand table;
    CudaGraph? graph;

    public GpuRecording(GpuDevice device) : base(device)
    {
        this.device = device;
        using var memory = Tensor.Empty([2 * Places], device).Keep();
        table = memory.Write();
    }

    /// <summary>Launches and copies of the step.</summary>
    public int Count => launches.Count;

    /// <summary>Keeps a launch, which was just made.</summary>
    public void Add(Action launch) => launches.Add(launch);

    /// <summary>A number that is read again before each replay.</summary>
    public Number Float(float value, Func<float> later) =>
        new(table.View(), Place(BitConverter.SingleToUInt32Bits(value), () => BitConverter.SingleToUInt32Bits(later())), value);

    /// <summary>A stream of random numbers that moves on before each replay.</summary>
    public StreamNumber Stream(ulong recorded, Func<ulong> advance) => new(table.View().Cast<ulong>(), Place(0, advance), recorded);

    public override void Dispose()
    {
        base.Dispose();
        graph?.Dispose();
        table.Dispose();
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
