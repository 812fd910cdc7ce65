using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    // Its place in the graph: the Node that it is the result of (or a leaf's own), a WaitingNormalization that is to become one, or null.
    object? place;

    /// <summary>Gradients flow to this tensor. Setting it makes a leaf, whose gradient is left in <see cref="Grad"/>.</summary>
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

    /// <summary>The tape's entry for this tensor, made now where it has waited; null where no gradient flows here.</summary>
    internal Node? EnterGraph()
    {
        while (true)
        {
            var now = Volatile.Read(ref place);
            if (now is not WaitingNormalization step) return (Node?)now;
            if (!step.TryRetain()) continue;        // another thread has made the entry meanwhile
            var node = step.Record(this);
            var made = ReferenceEquals(Interlocked.CompareExchange(ref place, node, step), step);
            if (made) step.Release();
            else node.Release();
            step.Release();
        }
    }

    /// <summary>Enters the graph when somebody asks for it; until then the operation may still be taken into another. Takes over a share of the step.</summary>
    internal void EnterGraphLater(WaitingNormalization step) => place = step;

    internal bool WaitsForPlaceOf(WaitingStep step) => ReferenceEquals(Volatile.Read(ref place), step);

    // The step whose entry was never asked for: the caller releases it.
    WaitingStep? TakeWaitingPlace() => Volatile.Read(ref place) is WaitingNormalization step && ReferenceEquals(Interlocked.CompareExchange(ref place, null, step), step) ? step : null;

    /// <summary>The same values, cut from the graph: a view that requires no gradient.</summary>
    public Tensor Detach() => View(Offset, Shape);

    /// <summary>
    /// Declares how this tensor, just computed, depends on <paramref name="inputs"/>. This is how every operation enters the
    /// tape; where no input requires a gradient, or under <see cref="NoGrad"/>, nothing is recorded or saved.
    /// </summary>
    /// <param name="name">The operation, for messages.</param>
    /// <param name="inputs">All differentiable inputs; null for an optional one left out.</param>
    /// <param name="saves">What the backward will read, inputs or this output; handed back in this order.</param>
    /// <param name="backward">Gradients of the inputs from that of the output, one for each input. It must not capture tensors: their handles may be gone by then.</param>
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
                throw new InvalidOperationException($"WithBackward: {name} is to be recorded on a tensor that has its place in the graph already, as a leaf or the result of another operation; give it a new tensor, such as Detach() makes.");
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

    /// <summary>Where a backward may put a gradient of the same shape: over the one it was given where nobody else sees that, else in new memory.</summary>
    internal static Tensor Over(Tensor gradient) => gradient.Storage.IsExclusive ? gradient.View(gradient.Offset, gradient.Shape) : Like(gradient);

    /// <summary>For an operation that has no derivative: throws where an input requires a gradient, so that none is lost silently.</summary>
    internal static void RefuseGradient(string name, Tensor input)
    {
        if (input.RequiresGrad && !NoGrad.Active)
            throw new InvalidOperationException($"{name} has no derivative, but its input requires a gradient; call Detach() on it, or compute under NoGrad.");
    }

    /// <summary>
    /// Adds dL/dp to <see cref="Grad"/> of every leaf p that this tensor L was computed from (reverse-mode automatic differentiation).
    /// </summary>
    /// <param name="gradient">dL/d(this), of its shape; 1 by default, for a tensor of one element.</param>
    /// <param name="retainGraph">Keep what the tape saved, so that Backward can be called again.</param>
    /// <exception cref="InvalidOperationException">Nothing here requires a gradient, or the tape was used already.</exception>
    /// <exception cref="ArgumentException">The tensor has several elements and no gradient was given, or one of another shape.</exception>
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
    // Constrained parameters that the outermost pass of this thread has reached; passes within its operations add to them.
    [ThreadStatic] static HashSet<Parameter>? constrained;

    readonly Dictionary<Node, Tensor> gradients = [];

    // Numbers grow in the order of execution, so the latest node left has received all of its gradient.
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

    // Within the outermost pass still, so that the parameter is not asked again.
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

    // Whatever the backward of an operation makes on its way is dropped when the scope ends.
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

    // In place, as whoever holds the gradient of an earlier call expects.
    static void AddTo(Tensor leaf, Tensor gradient)
    {
        Recording.Current?.GivesGradient(leaf);
        if (leaf.Grad is { } sum) sum.Device.Backend.AddScaled(1f, gradient, 1f, sum);
        else leaf.Grad = Own(gradient);
    }

    // A leaf's gradient may be written by its owner, so it shares no memory: with another leaf's, or with what Backward was given.
    static Tensor Own(Tensor gradient)
    {
        if (gradient.Storage.IsExclusive) return gradient.View(gradient.Offset, gradient.Shape).Keep();
        var copy = Tensor.Like(gradient).Keep();
        gradient.Device.Backend.Copy(gradient, copy);
        return copy;
    }

    // The sum is a handle of its own: a backward may hand one tensor to several inputs. It is written in place only where
    // nobody else sees the memory.
    static Tensor Sum(Tensor? sum, Tensor gradient)
    {
        if (sum is null) return gradient.View(gradient.Offset, gradient.Shape).Keep();
        if (sum.Storage.IsExclusive)
        {
            sum.Device.Backend.AddScaled(1f, gradient, 1f, sum);
            return sum;
        }

        var result = Tensor.Like(sum).Keep();
        sum.Device.Backend.Binary<Add>(sum, gradient, result);
        sum.Dispose();
        return result;
    }
}
