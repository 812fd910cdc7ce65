namespace QuadEngine.Layers;

public abstract partial class Module
{
    /// <summary>
    /// All parameters and buffers by their PyTorch keys, in PyTorch's layouts: filters [Cout, Cin, kH, kW] and matrices [out, in],
    /// which this engine holds as [kH, kW, Cin, Cout] and [in, out].
    /// </summary>
    public IReadOnlyDictionary<string, HostTensor> StateDictionary() => State().ToDictionary(entry => entry.Path, entry => ToFile(entry.Tensor));

    /// <summary>Takes over the values of a state dictionary.</summary>
    /// <param name="state">Tensors in PyTorch's layouts.</param>
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
            Check.That(FileShape(tensor.Shape).SequenceEqual(state[key].Shape), nameof(LoadStateDictionary),
                $"\"{key}\" has shape [{string.Join(", ", state[key].Shape)}] but this network has [{string.Join(", ", FileShape(tensor.Shape))}] there. Check model, depth, neuron and classes.");
        CheckIdle(nameof(LoadStateDictionary), "would compute with some of the old values and some of the new", "Load between calls, or load into a second network and call that one from then on.");
        foreach (var (key, tensor) in own) FromFile(state[key], tensor);
    }

    IEnumerable<(string Path, Tensor Tensor)> State() =>
        Registered().Select(entry => (entry.Path, (Tensor)entry.Parameter)).Concat(NamedBuffers().Select(entry => (entry.Path, (Tensor)entry.Buffer)));

    static string List(string label, string[] keys) =>
        keys.Length == 0 ? "" : $" {label}: {string.Join(", ", keys.Take(5))}{(keys.Length > 5 ? $" and {keys.Length - 5} more" : "")}.";

    // The border between the two layouts: output channels first in files, last here.
    static int[] FileOrder(int rank) => rank switch { 4 => [3, 2, 0, 1], 2 => [1, 0], _ => [.. Enumerable.Range(0, rank)] };

    static int[] EngineOrder(int rank) => rank switch { 4 => [2, 3, 1, 0], 2 => [1, 0], _ => [.. Enumerable.Range(0, rank)] };

    static int[] FileShape(Shape shape) => [.. FileOrder(shape.Rank).Select(axis => shape[axis])];

    /// <summary>A tensor of a parameter's shape (its value, or an optimizer's slot) as files hold it.</summary>
    /// <param name="tensor">On any device; it stays as it is.</param>
    public static HostTensor ToFile(Tensor tensor)
    {
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        return new HostTensor(tensor.To(Device.Cpu).Transpose(FileOrder(tensor.Rank)).ToArray(), FileShape(tensor.Shape));
    }

    /// <summary>Overwrites a tensor with what <see cref="ToFile"/> gave.</summary>
    /// <param name="values">In PyTorch's layout.</param>
    /// <param name="tensor">Of the shape that gave the values, on any device.</param>
    public static void FromFile(HostTensor values, Tensor tensor)
    {
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        tensor.Assign(Tensor.FromArray(values.Values, values.Shape).Transpose(EngineOrder(tensor.Rank)));
    }
}
