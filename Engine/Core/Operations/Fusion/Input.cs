using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>An operand of a deferred step: its content at the time the step took it, and its place in the graph. Steps that continue one another share it.</summary>
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

    /// <summary>Makes inputs in the order of the tensors; null for null. If one cannot be computed, all are released.</summary>
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

    /// <summary>The place in the graph; null if the tensor requires no gradient.</summary>
    public Node? Node { get; }

    /// <summary>The number of writes to the tensor before the step took it.</summary>
    public int Version { get; }

    /// <summary>Makes an operand to read the content.</summary>
    public Operand Read(Held held) => held.Read(content, offset, Shape);

    /// <summary>Makes a handle on the content for the tape, outside all scopes.</summary>
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
