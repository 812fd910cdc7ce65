using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// Launches that the driver keeps as one graph. One call launches all of them, and the device goes from kernel to kernel
/// without waiting for the host.
/// </summary>
sealed class CudaGraph : IDisposable
{
    readonly CudaStream stream;
    nint executable;

    CudaGraph(CudaStream stream, nint executable) => (this.stream, this.executable) = (stream, executable);

    /// <summary>Captures launches that are issued to the stream, without running them.</summary>
    /// <param name="stream">The stream; not the default stream.</param>
    /// <param name="launches">Kernels and copies; they must not wait.</param>
    /// <param name="order">The order of the launches.</param>
    /// <param name="edges">The kind of edge between two kernels.</param>
    /// <param name="refusal">The driver's reason if it refuses the graph.</param>
    /// <returns>The graph; null if the driver is too old for it, or refuses it.</returns>
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

    /// <summary>Runs the graph, after everything that is already in the stream.</summary>
    public void Launch() => CudaDriver.Check(CudaDriver.LaunchGraph(executable, stream.StreamPtr));

    /// <summary>Frees the graph; the driver finishes a launch that is under way first.</summary>
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
            // The stream must leave the capture in every case; otherwise nothing can be launched on it any more.
            if (CudaDriver.EndCapture(stream, out var broken) == 0 && broken != 0) _ = CudaDriver.DestroyGraph(broken);
            throw;
        }

        CudaDriver.Check(CudaDriver.EndCapture(stream, out var graph));
        return graph;
    }

    // Before each launch, this tells the stream on which nodes the next node depends, instead of the node that was captured last.
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
