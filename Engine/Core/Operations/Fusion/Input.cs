using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>An operand of a deferred step: its content at that moment, and its place in the graph. Steps that follow one another own it together.</summary>
sealed class Input
{
    readonly Snapshot content;
    readonly int offset;
    Owners owners;

    Input(Tensor tensor)
    {
        (offset, Shape, Node) = (tensor.Offset, tensor.Shape, tensor.EnterGraph());
        var storage = tensor.RetainStorage();
        try
        {
            Version = storage.Version;
            content = storage.TakeSnapshot();
        }
        finally
        {
            storage.Release();
        }
    }

    /// <summary>Inputs in the order of the tensors; null for null. Where one cannot be computed, none is kept.</summary>
    public static Input?[] Of(params ReadOnlySpan<Tensor?> tensors)
    {
        var inputs = new Input?[tensors.Length];
        try
        {
            for (var i = 0; i < inputs.Length; i++) inputs[i] = tensors[i] is { } tensor ? new(tensor) : null;
            return inputs;
        }
        catch
        {
            foreach (var input in inputs) input?.Release();
            throw;
        }
    }

    public Shape Shape { get; }

    /// <summary>Its place in the graph, or null where it requires no gradient.</summary>
    public Node? Node { get; }

    /// <summary>How often the tensor had been overwritten.</summary>
    public int Version { get; }

    /// <summary>To read it.</summary>
    public Operand Read(Held held) => held.Read(content, offset, Shape);

    /// <summary>A handle on the content for the tape, outside of all scopes.</summary>
    public Tensor Save() => Tensor.On(content.RetainStorage(), Shape, offset).Keep();

    public Input Retain()
    {
        owners.Add();
        return this;
    }

    public void Release()
    {
        if (owners.Leave()) content.Release();
    }
}
