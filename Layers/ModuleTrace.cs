namespace QuadEngine.Layers;

/// <summary>
/// Watches the calls of modules on this thread while it is open: shapes for a summary, telemetry, a search for the layer at fault.
/// Calls are reported when they return, children before their parents.
/// </summary>
public sealed class ModuleTrace : IDisposable
{
    [ThreadStatic] static ModuleTrace? current;

    readonly ModuleTrace? outer = current;
    readonly Action<Module, Tensor, Tensor> called;

    /// <summary>Calls <paramref name="called"/>(module, input, output) after each call of a module.</summary>
    public ModuleTrace(Action<Module, Tensor, Tensor> called)
    {
        this.called = called;
        current = this;
    }

    internal static void Called(Module module, Tensor input, Tensor output)
    {
        for (var trace = current; trace is not null; trace = trace.outer) trace.called(module, input, output);
    }

    /// <inheritdoc/>
    public void Dispose() => current = outer;
}
