using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// Launches that the driver keeps as one graph: the whole of them is launched by one call, and the device goes from kernel to kernel
/// without waiting for the host.
/// </summary>
sealed class CudaGraph : IDisposable
{
    readonly CudaStream stream;
    nint executable;

    CudaGraph(CudaStream stream, nint executable) => (this.stream, this.executable) = (stream, executable);

    /// <summary>Captures what is issued to the stream; nothing of it runs.</summary>
    /// <param name="stream">Must not be the default stream.</param>
    /// <param name="launches">Kernels and copies, no waiting.</param>
    /// <param name="order">Which of them come after which.</param>
    /// <param name="edges">What an edge between two kernels says.</param>
    /// <param name="refusal">What the driver had against it.</param>
    /// <returns>Null where the driver is too old for such graphs, or refuses this one.</returns>
    public static CudaGraph? TryCapture(CudaStream stream, IReadOnlyList<RecordedLaunch> launches, LaunchGraph order, GraphEdges edges, out string? refusal)
    {
        try
        {
            refusal = null;
            return new CudaGraph(stream, Instantiate(Capture(stream.StreamPtr, launches, order, edges)));
        }
        catch (Exception exception) when (exception is AcceleratorException or EntryPointNotFoundException or DllNotFoundException or NotSupportedException)
        {
            refusal = exception.Message;
            return null;
        }
    }

    /// <summary>Runs it, after all that the stream has to do already.</summary>
    public void Launch() => CudaDriver.Check(CudaDriver.LaunchGraph(executable, stream.StreamPtr));

    /// <summary>Forgets it; one under way is finished first, by the driver.</summary>
    public void Dispose()
    {
        if (executable != 0) _ = CudaDriver.DestroyExecutable(executable);
        executable = 0;
    }

    static nint Capture(nint stream, IReadOnlyList<RecordedLaunch> launches, LaunchGraph order, GraphEdges edges)
    {
        CudaDriver.Check(CudaDriver.BeginCapture(stream, CudaDriver.ThreadLocalCapture));
        try
        {
            if (edges == GraphEdges.Chain)
                foreach (var launch in launches) launch.Issue();
            else Issue(stream, launches, order, edges);
        }
        catch
        {
            // The stream must leave capture whatever happened, or nothing can be launched on it any more.
            if (CudaDriver.EndCapture(stream, out var broken) == 0 && broken != 0) _ = CudaDriver.DestroyGraph(broken);
            throw;
        }

        CudaDriver.Check(CudaDriver.EndCapture(stream, out var graph));
        return graph;
    }

    // Before each launch the stream is told which nodes the next one depends on, in place of the one that was captured last.
    static unsafe void Issue(nint stream, IReadOnlyList<RecordedLaunch> launches, LaunchGraph order, GraphEdges edges)
    {
        var nodes = new nint[launches.Count];
        for (var i = 0; i < nodes.Length; i++)
        {
            var before = order.Before(i);
            nint[] from = [.. before.Select(earlier => nodes[earlier])];
            GraphEdge[] data = [.. before.Select(earlier => edges == GraphEdges.Programmatic && launches[earlier].Kernel is not null && launches[i].Kernel is not null ? GraphEdge.Programmatic : default)];
            fixed (nint* nodesBefore = from)
            fixed (GraphEdge* dataBefore = data)
                CudaDriver.Check(edges == GraphEdges.Programmatic
                    ? CudaDriver.SetCaptureDependencies(stream, nodesBefore, dataBefore, (nuint)from.Length, CudaDriver.ReplaceDependencies)
                    : CudaDriver.SetCaptureDependencies(stream, nodesBefore, (nuint)from.Length, CudaDriver.ReplaceDependencies));

            launches[i].Issue();
            CudaDriver.Check(CudaDriver.GetCapture(stream, out _, out _, out _, out var last, out var count));
            if (count != 1) throw new NotSupportedException($"launch {i} of {nodes.Length} became {count} nodes of the graph");
            nodes[i] = *last;
        }
    }

    static nint Instantiate(nint graph)
    {
        try
        {
            CudaDriver.Check(CudaDriver.Instantiate(out var executable, graph, 0));
            return executable;
        }
        finally
        {
            _ = CudaDriver.DestroyGraph(graph);
        }
    }
}
