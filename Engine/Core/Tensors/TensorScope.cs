namespace QuadEngine;

/// <summary>
/// Drops, when disposed, every tensor handle made since it was opened, all but those passed to <see cref="Result"/> or kept with
/// <see cref="Tensor.Keep"/>. Memory that the tape needs for backward belongs to the tape and stays. Every call of a module is such a scope.
/// </summary>
/// <remarks>
/// It holds for the code that follows, also after an await on another thread and in tasks started meanwhile, and may be disposed on any
/// thread. A task that outlives it makes its tensors in the next scope outside.
/// </remarks>
public sealed class TensorScope : IDisposable
{
    readonly Handles handles;

    /// <summary>Opens a scope.</summary>
    /// <param name="name">What runs inside, for messages: the module.</param>
    public TensorScope(string name = "") => handles = Ambient<Scopes>.Open(new Handles(name, new Lock()));

    /// <summary>The names of the open scopes from the outermost in, joined by dots; empty outside of all.</summary>
    public static string CurrentPath => Handles.Current?.Path ?? "";

    /// <summary>Hands a handle over to the scope outside, or to the caller where there is none: the end of this scope does not drop it.</summary>
    /// <param name="tensor">Made in this scope; any other is given back as it is.</param>
    public Tensor Result(Tensor tensor)
    {
        if (handles.Remove(tensor)) Handles.Register(tensor, handles.Outer);
        return tensor;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Ambient<Scopes>.Close(handles)) handles.Drop();
    }

    internal static void Register(Tensor tensor) => Handles.Register(tensor, Ambient<Scopes>.Current);

    internal static void Forget(Tensor tensor)
    {
        for (var scope = Handles.Current; scope is not null; scope = (Handles?)scope.Outer)
            if (scope.Remove(tensor)) return;
    }

    /// <summary>A scope of this thread while one call runs: of a module, or of an operation's backward.</summary>
    internal readonly ref struct OnStack : IDisposable
    {
        readonly Handles handles;
        readonly Link? below;

        public OnStack() : this("")
        {
        }

        public OnStack(string name)
        {
            handles = new Handles(name, null);
            below = Ambient<Scopes>.Push(handles);
        }

        /// <summary>No other call is under way on this thread.</summary>
        public bool IsOutermost => below is null;

        /// <summary>
        /// What the call returns, past the end of its scope: the tensor where it was made inside, else another handle on it (the argument, a
        /// parameter, one that somebody keeps), which the caller may drop alone.
        /// </summary>
        public Tensor Result(Tensor tensor)
        {
            if (!handles.Remove(tensor)) handles.Remove(tensor = tensor.Alias());
            Handles.Register(tensor, handles.Outer);
            return tensor;
        }

        /// <summary><see cref="Result"/> of each tensor in what the call returns.</summary>
        public T Results<T>(T value)
        {
            if (value is Tensor tensor) return (T)(object)Result(tensor);
            var own = handles;
            return TensorTuple.Map(value, tensor => new OnStack(own).Result(tensor), indices => indices);
        }

        OnStack(Handles handles) => this.handles = handles;

        public void Dispose()
        {
            Ambient<Scopes>.Pop(handles, below);
            handles.Drop();
        }
    }

    readonly struct Scopes;

    /// <summary>The handles made in a scope. One on the stack is its thread's alone; one that flows takes them from several threads.</summary>
    sealed class Handles(string name, Lock? adding) : Link
    {
        Tensor?[] made = new Tensor?[4];
        int count;

        public static Handles? Current => System.Runtime.CompilerServices.Unsafe.As<Handles?>(Ambient<Scopes>.Current);

        // Put together where somebody asks: few do.
        public string Path => field ??= Outer is not Handles { Path: { Length: > 0 } outer } ? name : name.Length == 0 ? outer : $"{outer}.{name}";

        /// <summary>Adds the tensor to the innermost scope from there on that takes it.</summary>
        public static void Register(Tensor tensor, Link? scope)
        {
            while (scope is Handles handles && !handles.TryAdd(tensor)) scope = handles.Outer;
        }

        /// <summary>Takes a handle out again; false where it was not made here.</summary>
        public bool Remove(Tensor tensor)
        {
            if (Thread == Environment.CurrentManagedThreadId) return TakeOut(tensor);
            if (Thread != 0) return false;
            lock (adding!) return TakeOut(tensor);
        }

        /// <summary>Drops all that is left; the scope is closed by now and takes no more.</summary>
        public void Drop()
        {
            foreach (var tensor in TakeAll())
            {
                if (tensor is null) return;
                tensor.Dispose();
            }
        }

        bool TryAdd(Tensor tensor)
        {
            if (Thread == Environment.CurrentManagedThreadId) return Add(tensor);
            if (Thread != 0) return false;
            lock (adding!) return Add(tensor);
        }

        bool Add(Tensor tensor)
        {
            if (!IsOpen) return false;
            if (count == made.Length) Array.Resize(ref made, Math.Max(4, 2 * count));
            made[count++] = tensor;
            return true;
        }

        Tensor?[] TakeAll()
        {
            if (Thread != 0) return made;
            lock (adding!)
            {
                var all = made;
                (made, count) = ([], 0);
                return all;
            }
        }

        // From the end: it is nearly always the last one made.
        bool TakeOut(Tensor tensor)
        {
            var place = count - 1;
            while (place >= 0 && !ReferenceEquals(made[place], tensor)) place--;
            if (place < 0) return false;
            Array.Copy(made, place + 1, made, place, --count - place);
            made[count] = null;
            return true;
        }
    }
}
