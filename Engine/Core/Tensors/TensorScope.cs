namespace QuadEngine;

/// <summary>
/// When disposed, drops every tensor handle made since it was opened, except those passed to <see cref="Result"/> or kept with
/// <see cref="Tensor.Keep"/>. Memory that the tape needs for backward belongs to the tape and stays. Every call of a module is a scope.
/// </summary>
/// <remarks>
/// It applies to the code that follows, also after an await on another thread, and to tasks started in the meantime. Any thread may dispose
/// it. A task that outlives the scope makes its tensors in the next scope outside.
/// </remarks>
public sealed class TensorScope : IDisposable
{
    readonly Handles handles;

    /// <summary>Opens a scope.</summary>
    /// <param name="name">The name of what runs inside, such as the module, for messages.</param>
    public TensorScope(string name = "") => handles = Ambient<Scopes>.Open(new Handles(name, new Lock()));

    /// <summary>The names of the open scopes from the outermost to the innermost, joined by dots; empty if no scope is open.</summary>
    public static string CurrentPath => Handles.Current?.Path ?? "";

    /// <summary>Hands a handle over to the scope outside, or to the caller if there is none. The end of this scope does not drop it.</summary>
    /// <param name="tensor">A tensor made in this scope; any other is returned unchanged.</param>
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

    /// <summary>A scope of this thread during one call of a module, or of the backward of an operation.</summary>
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

        /// <summary>Whether no other call runs on this thread.</summary>
        public bool IsOutermost => below is null;

        /// <summary>
        /// The result of the call, which outlives the scope: the tensor if it was made inside. Otherwise (the argument, a parameter, a tensor that
        /// somebody keeps) it is another handle on the tensor, which the caller may drop alone.
        /// </summary>
        public Tensor Result(Tensor tensor)
        {
            if (!handles.Remove(tensor)) handles.Remove(tensor = tensor.Alias());
            Handles.Register(tensor, handles.Outer);
            return tensor;
        }

        /// <summary><see cref="Result"/> of each tensor in the value that the call returns.</summary>
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

    /// <summary>The handles made in a scope. A scope on the stack gets them only from its own thread; a scope that flows gets them from several threads.</summary>
    sealed class Handles(string name, Lock? adding) : Link
    {
        Tensor?[] made = new Tensor?[4];
        int count;

        public static Handles? Current => System.Runtime.CompilerServices.Unsafe.As<Handles?>(Ambient<Scopes>.Current);

        // Built only on request, which is rare.
        public string Path => field ??= Outer is not Handles { Path: { Length: > 0 } outer } ? name : name.Length == 0 ? outer : $"{outer}.{name}";

        /// <summary>Adds the tensor to the first scope, from the given one outward, that accepts it.</summary>
        public static void Register(Tensor tensor, Link? scope)
        {
            while (scope is Handles handles && !handles.TryAdd(tensor)) scope = handles.Outer;
        }

        /// <summary>Removes a handle; false if it was not made here.</summary>
        public bool Remove(Tensor tensor)
        {
            if (Thread == Environment.CurrentManagedThreadId) return TakeOut(tensor);
            if (Thread != 0) return false;
            lock (adding!) return TakeOut(tensor);
        }

        /// <summary>Drops all remaining handles. The scope is closed already and accepts no more.</summary>
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

        // The search starts at the end, because it is nearly always for the handle that was made last.
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
