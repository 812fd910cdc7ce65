namespace QuadEngine.Layers;

/// <summary>
/// Watches the calls of modules while it is open: for the shapes in a summary, for telemetry, or to find a faulty layer. It reports calls when
/// they return, children before their parents, one at a time. It flows as <see cref="NoGrad"/> does and does not see calls of other flows.
/// </summary>
public sealed class ModuleTrace : IDisposable
{
    readonly Watcher watcher;

    /// <summary>Calls <paramref name="called"/>(module, input, output) after each call of a module.</summary>
    /// <param name="called">The function. It runs on the thread of the call, which may drop both tensors afterwards: see <see cref="Tensor.Keep"/>.</param>
    public ModuleTrace(Action<Module, Tensor, Tensor> called) => watcher = Ambient<Kind>.Open(new Watcher(called));

    internal static void Called(Module module, Tensor input, Tensor output)
    {
        for (var link = Ambient<Kind>.Current; link is Watcher watcher; link = watcher.Outer)
            if (watcher.IsOpen)
                lock (watcher) watcher.Called(module, input, output);
    }

    /// <inheritdoc/>
    public void Dispose() => Ambient<Kind>.Close(watcher);

    readonly struct Kind;

    sealed class Watcher(Action<Module, Tensor, Tensor> called) : Link
    {
        public Action<Module, Tensor, Tensor> Called => called;
    }
}
