namespace QuadEngine.Layers;

public abstract partial class ModuleBase
{
    /// <summary>
    /// All parameters and buffers by their PyTorch keys, each in its layout for files (<see cref="StateTensor.Layout"/>). The weights of the engine's
    /// layers have PyTorch's layout.
    /// </summary>
    public IReadOnlyDictionary<string, HostTensor> StateDictionary() => State().ToDictionary(entry => entry.Path, entry => ToFile(entry.Tensor, entry.Tensor.Layout));

    /// <summary>Sets parameters and buffers to the values of a state dictionary.</summary>
    /// <param name="state">The tensors, in the layout for files.</param>
    /// <param name="strict">Whether keys that this module lacks are an error. Missing keys always are. PyTorch's num_batches_tracked may be present or absent.</param>
    /// <exception cref="ArgumentException">A key is missing or unknown, or a tensor has another shape. Then nothing has been changed.</exception>
    /// <exception cref="InvalidOperationException">The module is being called. Then nothing has been changed.</exception>
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
        CheckIdle(nameof(LoadStateDictionary), "would compute with some of the old values and some of the new", "Load between calls, or load into a second network and call the second one after that.");
        foreach (var (key, tensor) in own) FromFile(state[key], tensor, tensor.Layout);
    }

    IEnumerable<(string Path, StateTensor Tensor)> State() =>
        Registered().Select(entry => (entry.Path, (StateTensor)entry.Parameter)).Concat(NamedBuffers().Select(entry => (entry.Path, (StateTensor)entry.Buffer)));

    static string List(string label, string[] keys) =>
        keys.Length == 0 ? "" : $" {label}: {string.Join(", ", keys.Take(5))}{(keys.Length > 5 ? $" and {keys.Length - 5} more" : "")}.";

    // The conversion between memory and files.
    static int[] FileOrder(int rank, FileLayout layout) => layout == FileLayout.AsInMemory || rank < 2 ? [.. Enumerable.Range(0, rank)] : [rank - 1, rank - 2, .. Enumerable.Range(0, rank - 2)];

    static int[] MemoryOrder(int rank, FileLayout layout) => layout == FileLayout.AsInMemory || rank < 2 ? [.. Enumerable.Range(0, rank)] : [.. Enumerable.Range(2, rank - 2), 1, 0];

    static int[] FileShape(StateTensor tensor) => [.. FileOrder(tensor.Rank, tensor.Layout).Select(axis => tensor.Shape[axis])];

    /// <summary>Converts a tensor of a parameter's shape (its value, or an optimizer's slot) to its form in files.</summary>
    /// <param name="tensor">The tensor, on any device; it does not change.</param>
    /// <param name="layout">The layout of the parameter.</param>
    public static HostTensor ToFile(Tensor tensor, FileLayout layout)
    {
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        var order = FileOrder(tensor.Rank, layout);
        return new HostTensor(tensor.To(Device.Cpu).Transpose(order).ToArray(), [.. order.Select(axis => tensor.Shape[axis])]);
    }

    /// <summary>Overwrites a tensor with the values that <see cref="ToFile"/> returned.</summary>
    /// <param name="values">The values, in the layout for files.</param>
    /// <param name="tensor">The tensor, of the same shape as the one that gave the values, on any device.</param>
    /// <param name="layout">The layout of the parameter.</param>
    public static void FromFile(HostTensor values, Tensor tensor, FileLayout layout)
    {
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        tensor.Assign(Tensor.FromArray(values.Values, values.Shape).Transpose(MemoryOrder(tensor.Rank, layout)));
    }
}
