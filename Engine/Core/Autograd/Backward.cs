using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    // Its place in the graph: the Node whose result it is (or the node of a leaf), a DeferredNormalization that will become a Node, or null.
    object? place;

    /// <summary>Whether gradients flow to this tensor. Setting it makes the tensor a leaf; backward leaves its gradient in <see cref="Grad"/>.</summary>
    /// <exception cref="InvalidOperationException">The tensor is the result of an operation; use Detach().</exception>
    public bool RequiresGrad
    {
        get => Volatile.Read(ref place) is not null;
        set
        {
            var now = EnterGraph();
            if (now is { Leaf: null })
                throw new InvalidOperationException("RequiresGrad: this tensor is the result of an operation, so its gradient follows from the operands; call Detach() first for a leaf.");
            place = value ? now ?? new Node(this) : null;
        }
    }

    /// <summary>dL/d(this) of a leaf, summed in place over all calls of Backward since it was last cleared; null before the first.</summary>
    /// <exception cref="ArgumentException">It is set to a tensor of another shape or on another device.</exception>
    public Tensor? Grad
    {
        get;
        set
        {
            Check.That(value is null || value.Shape == Shape && ReferenceEquals(value.Device, Device), nameof(Grad),
                $"a gradient of shape {value?.Shape} on {value?.Device} does not fit a tensor of shape {Shape} on {Device}; both must be equal.");
            field = value;
        }
    }

    /// <summary>The tape's entry for this tensor; null if no gradient flows here. A deferred entry is made now.</summary>
    internal Node? EnterGraph()
    {
        while (true)
        {
            var now = Volatile.Read(ref place);
            if (now is not DeferredNormalization step) return (Node?)now;
            if (!step.TryRetain()) continue;        // another thread has made the entry meanwhile
            var node = step.Record(this);
            var made = ReferenceEquals(Interlocked.CompareExchange(ref place, node, step), step);
            if (made) step.Release();
            else node.Release();
            step.Release();
        }
    }

    /// <summary>Enters the graph when a consumer asks for the entry. Until then the operation may still join another one. Takes over a share of the step.</summary>
    internal void DeferPlace(DeferredNormalization step) => place = step;

    /// <summary>Whether the step will make the entry of this tensor.</summary>
    internal bool DefersPlaceTo(DeferredStep step) => ReferenceEquals(Volatile.Read(ref place), step);

    // The step, if nobody asked for its entry. The caller releases it.
    DeferredStep? TakeDeferredPlace() => Volatile.Read(ref place) is DeferredNormalization step && ReferenceEquals(Interlocked.CompareExchange(ref place, null, step), step) ? step : null;

    /// <summary>Another handle on the same memory, outside the graph: it requires no gradient, and dropping one of the two leaves the other. <see cref="Alias"/> keeps the place in the graph, <see cref="Clone"/> copies.</summary>
    public Tensor Detach() => View(Offset, Shape);

    /// <summary>
    /// Declares how this newly computed tensor depends on <paramref name="inputs"/>. Every operation enters the
    /// tape in this way. If no input requires a gradient, or under <see cref="NoGrad"/>, nothing is recorded or saved.
    /// </summary>
    /// <param name="name">The operation, for messages.</param>
    /// <param name="inputs">All differentiable inputs; null for an optional input that is absent.</param>
    /// <param name="saves">The tensors that backward will read: inputs or this output. Backward gets them in this order.</param>
    /// <param name="backward">Computes the gradients of the inputs, one for each, from the gradient of the output. It must not capture tensors: their handles may be dropped before it runs.</param>
    /// <param name="indices">Integers that the backward will read (<see cref="Saved.Indices"/>), or null.</param>
    /// <exception cref="InvalidOperationException">This tensor is in the graph already.</exception>
    public Tensor WithBackward(string name, ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor?> saves, BackwardFunction backward, IntTensor? indices = null)
    {
        NonFiniteGuard.CheckOutput(name, this);
        if (NoGrad.Active) return this;
        foreach (var input in inputs)
        {
            if (input is not { RequiresGrad: true }) continue;
            if (RequiresGrad)
                throw new InvalidOperationException($"WithBackward: {name} cannot be recorded on this tensor, which is in the graph already as a leaf or as the result of another operation; pass a new tensor, for example from Detach().");
            place = new Node(name, TensorScope.CurrentPath, inputs, saves, indices, backward);
            break;
        }

        return this;
    }

    internal Tensor CheckFinite(string name)
    {
        NonFiniteGuard.CheckOutput(name, this);
        return this;
    }

    /// <summary>A tensor in which a backward may write a gradient of the same shape: the memory of the given gradient if nobody else sees it, otherwise new memory.</summary>
    internal static Tensor Over(Tensor gradient) => gradient.Storage.IsExclusive ? gradient.Detach() : Like(gradient);

    /// <summary>For an operation that has no derivative: throws if an input requires a gradient, so that no gradient is lost silently.</summary>
    internal static void RefuseGradient(string name, Tensor input)
    {
        if (input.RequiresGrad && !NoGrad.Active)
            throw new InvalidOperationException($"{name} has no derivative, but its input requires a gradient; call Detach() on it, or compute under NoGrad.");
    }

    /// <summary>
    /// Adds dL/dp to <see cref="Grad"/> of every leaf p that this tensor L was computed from (reverse-mode automatic differentiation).
    /// </summary>
    /// <param name="gradient">dL/d(this), of the shape of this tensor; 1 by default, for a tensor of one element.</param>
    /// <param name="retainGraph">Keep what the tape saved, so that Backward can be called again.</param>
    /// <exception cref="InvalidOperationException">Nothing here requires a gradient, or the tape was used already.</exception>
    /// <exception cref="ArgumentException">The gradient has another shape, or it is missing and the tensor has several elements.</exception>
    public void Backward(Tensor? gradient = null, bool retainGraph = false)
    {
        if (EnterGraph() is not { } root)
            throw new InvalidOperationException("Backward: no input of this result requires a gradient (or it was computed under NoGrad); set RequiresGrad on the parameters first.");
        Check.That(gradient is not null || Length == 1, nameof(Backward),
            $"the result has shape {Shape}; pass dL/d(result) of that shape, or reduce it to one element with Sum() or Mean().");
        Check.That(gradient is null || gradient.Shape == Shape, nameof(Backward), $"the gradient has shape {gradient?.Shape} but the result {Shape}.");
        if (gradient is not null) Check.SameDevice(nameof(Backward), this, gradient);

        using var scope = new TensorScope.OnStack();
        using var noGrad = new NoGrad.OnStack();
        var seed = gradient is null ? Full(Shape, 1f, Device) : gradient.Detach();
        new BackwardPass(retainGraph).Run(root, seed);
    }
}

/// <summary>Walks the tape once, from a result to the leaves.</summary>
sealed class BackwardPass(bool retainGraph)
{
    // The constrained parameters that the outermost pass of this thread has reached. Passes inside its operations add to this set.
    [ThreadStatic] static HashSet<Parameter>? constrained;

    readonly Dictionary<Node, Tensor> gradients = [];

    // Numbers grow in the order of execution, so the pending node with the highest number has received its whole gradient.
    readonly PriorityQueue<Node, long> pending = new();

    public void Run(Node root, Tensor seed)
    {
        if (constrained is not null)
        {
            Walk(root, seed);
            return;
        }

        constrained = [];
        try
        {
            Walk(root, seed);
            foreach (var parameter in constrained.ToArray()) AddPenalty(parameter);
        }
        finally
        {
            constrained = null;
        }
    }

    // This runs inside the outermost pass, so that the parameter is not asked again.
    static void AddPenalty(Parameter parameter)
    {
        using var scope = new TensorScope.OnStack();
        using var recording = new NoGrad.Suspended();
        parameter.Constraint?.Penalty(parameter)?.Backward();
    }

    void Walk(Node root, Tensor seed)
    {
        using var claims = new Claims(nameof(Tensor.Backward));
        Give(root, seed);
        while (pending.TryDequeue(out var node, out _))
        {
            gradients.Remove(node, out var gradient);
            NonFiniteGuard.CheckGradient(node, gradient!);
            if (node.Leaf is { } leaf)
            {
                claims.Take(leaf);
                AddTo(leaf, gradient!);
                if (leaf is Parameter { Constraint: not null } parameter) constrained!.Add(parameter);
            }
            else Visit(node, gradient!);
            gradient!.Dispose();
        }
    }

    // The scope drops the intermediate tensors of an operation's backward.
    void Visit(Node node, Tensor gradient)
    {
        using var scope = new TensorScope.OnStack();
        node = BackwardTable.Join(node, gradient.Device);
        var inputs = node.Backward(gradient);
        for (var i = 0; i < inputs.Length; i++)
            if (node.Inputs[i] is { } input && inputs[i] is { } g) Give(input, g);
        if (!retainGraph) node.Release();
    }

    void Give(Node node, Tensor gradient)
    {
        var first = !gradients.TryGetValue(node, out var sum);
        gradients[node] = Sum(sum, gradient);
        if (first) pending.Enqueue(node, -node.Number);
    }

    // In place, because the holder of an earlier gradient expects to see the sum.
    static void AddTo(Tensor leaf, Tensor gradient)
    {
        Recording.Current?.GivesGradient(leaf);
        if (leaf.Grad is { } sum) sum.Device.Backend.AddScaled(1f, gradient, 1f, sum);
        else leaf.Grad = Own(gradient);
    }

    // The owner of a leaf may write its gradient. So it shares no memory with the gradient of another leaf, or with the argument of Backward.
    static Tensor Own(Tensor gradient)
    {
        if (gradient.Storage.IsExclusive) return gradient.Detach().Keep();
        var copy = Tensor.Like(gradient).Keep();
        gradient.Device.Backend.Copy(gradient, copy);
        return copy;
    }

    // The sum has its own handle, because a backward may give one tensor to several inputs. It is written in place only if
    // nobody else sees the memory.
    static Tensor Sum(Tensor? sum, Tensor gradient)
    {
        if (sum is null) return gradient.Detach().Keep();
        if (sum.Storage.IsExclusive)
        {
            sum.Device.Backend.AddScaled(1f, gradient, 1f, sum);
            return sum;
        }

        var result = Tensor.Like(sum).Keep();
        sum.Device.Backend.Binary<AddOp>(sum, gradient, result);
        sum.Dispose();
        return result;
    }
}
