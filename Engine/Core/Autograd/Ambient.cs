using System.Runtime.CompilerServices;

namespace QuadEngine;

/// <summary>A guard or scope that was opened: what was open before it, and whether it is open still.</summary>
class Link
{
    int closed;

    /// <summary>What was innermost when this one was opened.</summary>
    internal Link? Outer { get; set; }

    /// <summary>The thread on whose stack it lies; 0 where it flows.</summary>
    internal int Thread { get; set; }

    internal bool IsOpen => Volatile.Read(ref closed) == 0;

    /// <summary>True the first time.</summary>
    internal bool TryClose() => Interlocked.Exchange(ref closed, 1) == 0;

    /// <summary>The innermost from here on that is open and that this thread sees.</summary>
    internal static Link? Open(Link? link)
    {
        while (link is not null && !(link.IsOpen && (link.Thread == 0 || link.Thread == Environment.CurrentManagedThreadId))) link = link.Outer;
        return link;
    }

    /// <summary>The innermost from here on that is open and flows.</summary>
    internal static Link? Flowing(Link? link)
    {
        while (link is not null && (link.Thread != 0 || !link.IsOpen)) link = link.Outer;
        return link;
    }
}

/// <summary>
/// What is open of one kind of guard or scope. A link that flows is seen by everything that goes on from where it was opened: by what follows
/// an await, on whatever thread, and by tasks started inside. It may be closed twice, in any order, on any thread. A link on the stack is
/// seen by its thread alone, until the method that pushed it pops it: for calls too short to change the flow.
/// </summary>
/// <remarks>
/// The flow is an <see cref="AsyncLocal{T}"/> that tells each thread when its value changes, so that to look costs one read of a thread's
/// own field. To open and close in the flow costs some tenths of a microsecond, on the stack some nanoseconds.
/// </remarks>
/// <typeparam name="TKind">Tells the kinds apart. A struct, so that each has code and fields of its own.</typeparam>
static class Ambient<TKind> where TKind : struct
{
    // The innermost for this thread, and the innermost of those on its stack.
    [ThreadStatic] static Link? current;
    [ThreadStatic] static Link? stacked;

    /// <summary>The innermost that is open here, or null.</summary>
    public static Link? Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var top = current;
            return top is null || top.IsOpen ? top : SkipClosed(top);
        }
    }

    // Closed on another thread: this one has not been told.
    [MethodImpl(MethodImplOptions.NoInlining)]
    static Link? SkipClosed(Link top) => current = Link.Open(top);

    /// <summary>Opens a link in the flow.</summary>
    public static TLink Open<TLink>(TLink link) where TLink : Link
    {
        link.Outer = Current;
        if (link.Outer is { } outer) outer.Outer = Link.Open(outer.Outer);      // so that no chain of closed links grows
        Flow.Innermost.Value = link;
        return link;
    }

    /// <summary>Closes a link of the flow; false where it was closed already. Others that are open stay so.</summary>
    public static bool Close(Link link)
    {
        if (!link.TryClose()) return false;
        if (Flow.Innermost.Value is { IsOpen: false } top) Flow.Innermost.Value = Link.Flowing(top);
        return true;
    }

    /// <summary>Puts a link on this thread's stack.</summary>
    /// <returns>What lay there, to be given to <see cref="Pop"/>.</returns>
    public static Link? Push(Link link)
    {
        link.Outer = Current;
        link.Thread = Environment.CurrentManagedThreadId;
        var below = stacked;
        stacked = current = link;
        return below;
    }

    /// <summary>Takes the link off this thread's stack.</summary>
    public static void Pop(Link link, Link? below)
    {
        if (!link.TryClose()) return;
        stacked = below;
        if (ReferenceEquals(current, link)) current = link.Outer;
    }

    // The thread goes over to another flow, or its flow to another value: what lies on its stack on top of that value is innermost again.
    static void Follow(Link? value) =>
        current = stacked is { } top && ReferenceEquals(Link.Flowing(top.Outer), Link.Flowing(value)) ? top : value;

    // Apart, so that the fields above need no check whether it was made.
    static class Flow
    {
        public static readonly AsyncLocal<Link?> Innermost = new(change => Follow(change.CurrentValue));
    }
}
