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
    /// <param name="issue">Launches and copies, no waiting.</param>
    /// <param name="refusal">What the driver had against it.</param>
    /// <returns>Null where the driver is too old for graphs, or refuses this one.</returns>
    public static CudaGraph? TryCapture(CudaStream stream, Action issue, out string? refusal)
    {
        try
        {
            refusal = null;
            return new CudaGraph(stream, Instantiate(Capture(stream.StreamPtr, issue)));
        }
        catch (Exception exception) when (exception is AcceleratorException or EntryPointNotFoundException or DllNotFoundException)
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

    static nint Capture(nint stream, Action issue)
    {
        CudaDriver.Check(CudaDriver.BeginCapture(stream, CudaDriver.ThreadLocalCapture));
        try
        {
            issue();
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
