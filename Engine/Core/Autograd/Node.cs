using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine;

/// <summary>Computes the gradients of an operation's inputs, in their order, from the gradient of its output; null for an input that needs none.</summary>
/// <param name="gradient">dL/dy, of the output's shape.</param>
/// <param name="saved">What the operation saved, and which inputs need a gradient.</param>
public delegate Tensor?[] BackwardFunction(Tensor gradient, Saved saved);

/// <summary>
/// One entry of the tape: an operation that ran, or a leaf that collects its gradient. Entries are numbered in the order of
/// execution, so every node comes after the nodes that it reads.
/// </summary>
sealed class Node
{
    static long counter;

    readonly BackwardFunction? backward;
    readonly Tensor?[] saves;
    readonly int[] versions;
    readonly IntTensor? indices;
    readonly int versionOfIndices;
    readonly Node[] parts = [];
    int readers;
    bool released;

    /// <summary>Makes a leaf: a parameter, or an input that requires a gradient.</summary>
    public Node(Tensor leaf)
    {
        Name = "leaf";
        Number = Interlocked.Increment(ref counter);
        Leaf = leaf;
        Inputs = [];
        InputShapes = [];
        saves = [];
        versions = [];
    }

    /// <summary>Makes the entry of an operation that just ran. The tape takes its own shares in the memory of <paramref name="saves"/>.</summary>
    public Node(string name, string path, ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor?> saves, IntTensor? indices, BackwardFunction backward)
        : this(name, path, PlacesOf(inputs), ShapesOf(inputs), HandlesOn(saves), VersionsOf(saves), indices, backward)
    {
    }

    /// <summary>Makes the entry of an operation. The tape takes over the handles of <paramref name="saves"/>; <paramref name="versions"/> are the versions that the operation read.</summary>
    public Node(string name, string path, Node?[] inputs, Shape[] inputShapes, Tensor?[] saves, int[] versions, IntTensor? indices, BackwardFunction backward)
    {
        Name = name;
        Path = path;
        (Inputs, InputShapes) = (inputs, inputShapes);
        (this.saves, this.versions, this.backward) = (saves, versions, backward);
        if (indices is not null) (this.indices, versionOfIndices) = (indices.Alias(), indices.Storage.Version);
        foreach (var input in inputs)
            if (input is not null) Interlocked.Increment(ref input.readers);
        // This comes last, because an input whose entry waited got its number just now.
        Number = Interlocked.Increment(ref counter);
    }

    /// <summary>
    /// Joins the entry of an operation and that of its first input while their common backward runs. The inputs are those of
    /// the last entry, but with the first input of the first entry in place of the first one; the other inputs of the first entry follow. The saved tensors of the last entry come first, then those of the first.
    /// </summary>
    public Node(Node last, Node first, BackwardFunction backward)
    {
        (Name, Path, Number) = (last.Name, last.Path, last.Number);
        Inputs = [first.Inputs[0], .. last.Inputs[1..], .. first.Inputs[1..]];
        InputShapes = [first.InputShapes[0], .. last.InputShapes[1..], .. first.InputShapes[1..]];
        (saves, versions, this.backward) = ([.. last.saves, .. first.saves], [.. last.versions, .. first.versions], backward);
        parts = [last, first];
    }

    /// <summary>The operation's name.</summary>
    public string Name { get; }

    /// <summary>The path of the module that ran it; empty outside modules.</summary>
    public string Path { get; } = "";

    /// <summary>The position on the tape.</summary>
    public long Number { get; }

    /// <summary>The nodes of the inputs; null for inputs that need no gradient.</summary>
    public Node?[] Inputs { get; }

    /// <summary>The leaf, or null for an operation.</summary>
    public Tensor? Leaf { get; }

    /// <summary>Exactly one other entry reads its result, so its whole gradient comes from there.</summary>
    public bool HasOneReader => Volatile.Read(ref readers) == 1;

    /// <summary>The object whose method the backward is. <see cref="BackwardTable"/> recognizes the operation by it.</summary>
    public object? Operation => backward?.Target;

    Shape[] InputShapes { get; }

    /// <summary>"layer1.0.conv1: Conv2d", for messages.</summary>
    public string Description => Path.Length == 0 ? Name : $"{Path}: {Name}";

    /// <summary>Computes the gradients of the inputs; each has the shape of its input.</summary>
    public Tensor?[] Backward(Tensor gradient)
    {
        CheckSaves();
        var gradients = backward!(gradient, new Saved(saves, indices, Inputs));
        if (gradients.Length != Inputs.Length)
            throw new InvalidOperationException($"Backward: {Description} gave {gradients.Length} gradients for {Inputs.Length} inputs; give one for each, null where none is needed.");
        for (var i = 0; i < gradients.Length; i++)
            if (gradients[i] is { } g && g.Shape != InputShapes[i])
                throw new InvalidOperationException($"Backward: {Description} gave a gradient of shape {g.Shape} for input {i}, whose shape is {InputShapes[i]}.");
        return gradients;
    }

    /// <summary>Releases the saved tensors.</summary>
    public void Release()
    {
        if (Leaf is not null) return;
        foreach (var part in parts) part.Release();
        if (parts is not []) return;
        released = true;
        for (var i = 0; i < saves.Length; i++)
        {
            saves[i]?.Dispose();
            saves[i] = null;
        }

        indices?.Dispose();
    }

    void CheckSaves()
    {
        foreach (var part in parts) part.CheckSaves();
        if (parts is not []) return;
        if (released)
            throw new InvalidOperationException($"Backward: the tape of {Description} was already used and freed. Call Backward(retainGraph: true) the first time to go through it again.");
        for (var i = 0; i < saves.Length; i++)
            if (saves[i] is { } tensor && tensor.Storage.Version != versions[i])
                throw Overwritten($"a tensor of shape {tensor.Shape}");
        if (indices is not null && indices.Storage.Version != versionOfIndices) throw Overwritten($"integers (labels) of shape {indices.Shape}");
    }

    InvalidOperationException Overwritten(string what) =>
        new($"Backward: {Description} saved {what} that was overwritten since (by an optimizer step, Assign or Write). Call Backward before changing what the operation read.");

    static Node?[] PlacesOf(ReadOnlySpan<Tensor?> tensors)
    {
        var places = new Node?[tensors.Length];
        for (var i = 0; i < places.Length; i++) places[i] = tensors[i]?.EnterGraph();
        return places;
    }

    static Shape[] ShapesOf(ReadOnlySpan<Tensor?> tensors)
    {
        var shapes = new Shape[tensors.Length];
        for (var i = 0; i < shapes.Length; i++) shapes[i] = tensors[i]?.Shape ?? default;
        return shapes;
    }

    static Tensor?[] HandlesOn(ReadOnlySpan<Tensor?> tensors)
    {
        var handles = new Tensor?[tensors.Length];
        for (var i = 0; i < handles.Length; i++) handles[i] = tensors[i] is { } tensor ? tensor.Detach().Keep() : null;
        return handles;
    }

    static int[] VersionsOf(ReadOnlySpan<Tensor?> tensors)
    {
        var versions = new int[tensors.Length];
        for (var i = 0; i < versions.Length; i++) versions[i] = tensors[i]?.Storage.Version ?? 0;
        return versions;
    }
}

/// <summary>The tensors that an operation saved for its backward, in the order given. It deconstructs into two or three tensors.</summary>
public readonly struct Saved
{
    readonly Tensor?[] tensors;
    readonly IntTensor? indices;
    readonly Node?[] inputs;

    internal Saved(Tensor?[] tensors, IntTensor? indices, Node?[] inputs)
    {
        this.tensors = tensors;
        this.indices = indices;
        this.inputs = inputs;
    }

    /// <summary>The saved tensor number <paramref name="index"/>. If null was saved, this is null in spite of its type; use <see cref="Optional"/> to read it.</summary>
    /// <param name="index">Counted from 0, in the order in which the operation saved them.</param>
    public Tensor this[int index] => tensors[index]!;

    /// <summary>The saved tensor number <paramref name="index"/>, or null if null was saved.</summary>
    /// <param name="index">Counted from 0, in the order in which the operation saved them.</param>
    public Tensor? Optional(int index) => tensors[index];

    /// <summary>
    /// For two operations with one common backward: the tensors that the first operation saved, and the gradients that it gives. The last operation saved <paramref name="saves"/> tensors and has
    /// <paramref name="inputs"/> inputs; the first of them is the result of the first operation.
    /// </summary>
    internal Saved OfFirst(int saves, int inputs) => new(tensors[saves..], null, [this.inputs[0], .. this.inputs[inputs..]]);

    /// <summary>The saved integers; null, in spite of the type, if none were saved.</summary>
    public IntTensor Indices => indices!;

    /// <summary>Whether the gradient of an input will be used.</summary>
    /// <param name="input">Counted from 0, in the order of the operation's inputs.</param>
    public bool Needs(int input) => inputs[input] is not null;

    /// <summary>Runs <paramref name="gradient"/> if the gradient of an input will be used; otherwise returns null.</summary>
    /// <param name="input">Counted from 0, in the order of the operation's inputs.</param>
    /// <param name="gradient">Computes the gradient, or allocates the memory in which a kernel will write it.</param>
    public Tensor? IfNeeded(int input, Func<Tensor> gradient) => Needs(input) ? gradient() : null;

    /// <summary>Two saved tensors.</summary>
    /// <param name="first">Tensor number 0.</param>
    /// <param name="second">Tensor number 1.</param>
    public void Deconstruct(out Tensor first, out Tensor second) => (first, second) = (this[0], this[1]);

    /// <summary>Three saved tensors.</summary>
    /// <param name="first">Tensor number 0.</param>
    /// <param name="second">Tensor number 1.</param>
    /// <param name="third">Tensor number 2.</param>
    public void Deconstruct(out Tensor first, out Tensor second, out Tensor third) => (first, second, third) = (this[0], this[1], this[2]);
}
