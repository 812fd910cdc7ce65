namespace QuadEngine.Layers;

public abstract partial class ModuleBase
{
    /// <summary>
    /// All parameters and buffers by their PyTorch keys, in the layout that each has in files (<see cref="StateTensor.Layout"/>): the weights of the engine's
    /// layers as PyTorch has them.
    /// </summary>
    public IReadOnlyDictionary<string, HostTensor> StateDictionary() => State().ToDictionary(entry => entry.Path, entry => ToFile(entry.Tensor, entry.Tensor.Layout));

    /// <summary>Takes over the values of a state dictionary.</summary>
    /// <param name="state">Tensors as files hold them.</param>
    /// <param name="strict">Refuse a dictionary with keys that this module lacks; missing ones are refused always. PyTorch's num_batches_tracked is never asked for.</param>
    /// <exception cref="ArgumentException">A key is missing, unknown, or has another shape. Nothing has been changed then.</exception>
    /// <exception cref="InvalidOperationException">The module is being called. Nothing has been changed then.</exception>
    public void LoadStateDictionary(IReadOnlyDictionary<string, HostTensor> state, bool strict = true)
    {
        var own = State().ToDictionary(entry => entry.Path, entry => entry.Tensor);
        var missing = own.Keys.Where(key => !state.ContainsKey(key)).ToArray();
        var unknown = state.Keys.Where(key => !own.ContainsKey(key) && !key.EndsWith("num_batches_tracked", StringComparison.Ordinal)).ToArray();
        Check.That(missing.Length == 0 && (!strict || unknown.Length == 0), nameof(LoadStateDictionary),
            $"the keys do not fit this network ({GetType().Name}).{List("Missing", missing)}{List("Not of this network", unknown)} Check model, depth, neuron and classes.");
        foreach (var (key, tensor) in own)
            Check.That(FileShape(tensor).SequenceEqual(state[key].Shape), nameof(LoadStateDictionary),
                $"\"{key}\" has shape [{string.Join(", ", state[key].Shape)}] but this network has [{string.Join(", ", FileShape(tensor))}] there. Check model, depth, neuron and classes.");
        CheckIdle(nameof(LoadStateDictionary), "would compute with some of the old values and some of the new", "Load between calls, or load into a second network and call that one from then on.");
        foreach (var (key, tensor) in own) FromFile(state[key], tensor, tensor.Layout);
    }

    IEnumerable<(string Path, StateTensor Tensor)> State() =>
        Registered().Select(entry => (entry.Path, (StateTensor)entry.Parameter)).Concat(NamedBuffers().Select(entry => (entry.Path, (StateTensor)entry.Buffer)));

    static string List(string label, string[] keys) =>
        keys.Length == 0 ? "" : $" {label}: {string.Join(", ", keys.Take(5))}{(keys.Length > 5 ? $" and {keys.Length - 5} more" : "")}.";

    // The border between memory and files.
    static int[] FileOrder(int rank, FileLayout layout) => layout == FileLayout.AsInMemory || rank < 2 ? [.. Enumerable.Range(0, rank)] : [rank - 1, rank - 2, .. Enumerable.Range(0, rank - 2)];

    static int[] MemoryOrder(int rank, FileLayout layout) => layout == FileLayout.AsInMemory || rank < 2 ? [.. Enumerable.Range(0, rank)] : [.. Enumerable.Range(2, rank - 2), 1, 0];

    static int[] FileShape(StateTensor tensor) => [.. FileOrder(tensor.Rank, tensor.Layout).Select(axis => tensor.Shape[axis])];

    /// <summary>A tensor of a parameter's shape (its value, or an optimizer's slot) as files hold it.</summary>
    /// <param name="tensor">On any device; it stays as it is.</param>
    /// <param name="layout">The parameter's.</param>
    public static HostTensor ToFile(Tensor tensor, FileLayout layout)
    {
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        var order = FileOrder(tensor.Rank, layout);
        return new HostTensor(tensor.To(Device.Cpu).Transpose(order).ToArray(), [.. order.Select(axis => tensor.Shape[axis])]);
    }

    /// <summary>Overwrites a tensor with what <see cref="ToFile"/> gave.</summary>
    /// <param name="values">As files hold them.</param>
    /// <param name="tensor">Of the shape that gave the values, on any device.</param>
    /// <param name="layout">The parameter's.</param>
    public static void FromFile(HostTensor values, Tensor tensor, FileLayout layout)
    {
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        tensor.Assign(Tensor.FromArray(values.Values, values.Shape).Transpose(MemoryOrder(tensor.Rank, layout)));
    }
}
