using QuadEngine.Tests.Interleaving;

namespace System.Threading;

sealed class Lock
{
    readonly Ownership owned = new();

    public bool IsHeldByCurrentThread => owned.IsMine;

    public void Enter() => owned.Enter("Lock.Enter");

    public bool TryEnter() => owned.TryEnter("Lock.TryEnter");

    public void Exit() => owned.Exit();

    public Scope EnterScope()
    {
        Enter();
        return new(this);
    }

    public readonly ref struct Scope(Lock entered)
    {
        public void Dispose() => entered.Exit();
    }
}

/// <summary>The owner of a lock, and the depth of its ownership.</summary>
sealed class Ownership
{
    int owner, depth;

    static int Me => Environment.CurrentManagedThreadId;

    public bool IsMine => depth > 0 && owner == Me;

    public bool IsFree => depth == 0;

    public void Enter(string what)
    {
        if (IsMine)
        {
            depth++;
            return;
        }

        Run.Block(what, () => IsFree, Take);
    }

    public bool TryEnter(string what)
    {
        Run.Step(what);
        return Run.Atomic(() =>
        {
            if (!IsFree && !IsMine) return false;
            Take();
            return true;
        });
    }

    public void Take() => (owner, depth) = (Me, depth + 1);

    public void Exit()
    {
        if (!IsMine) throw new SynchronizationLockException();
        if (depth == 1) Run.Changed();
        depth--;
    }

    /// <summary>Releases the lock completely and returns its depth.</summary>
    public int Leave()
    {
        if (!IsMine) throw new SynchronizationLockException();
        var left = depth;
        depth = 0;
        return left;
    }

    public void Resume(int oldDepth) => (owner, depth) = (Me, oldDepth);
}
