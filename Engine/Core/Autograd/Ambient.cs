using System.Runtime.CompilerServices;

namespace QuadEngine;

/// <summary>An opened guard or scope. It knows what was open before it, and whether it is still open.</summary>
class Link
{
    int closed;

    /// <summary>The innermost link when this one was opened.</summary>
    internal Link? Outer { get; set; }

    /// <summary>The thread whose stack holds this link; 0 if the link flows.</summary>
    internal int Thread { get; set; }

    internal bool IsOpen => Volatile.Read(ref closed) == 0;

    /// <summary>Closes the link. Returns true only the first time.</summary>
    internal bool TryClose() => Interlocked.Exchange(ref closed, 1) == 0;

    /// <summary>The first link, from this one outward, that is open and that this thread sees.</summary>
    internal static Link? Open(Link? link)
    {
        while (link is not null && !(link.IsOpen && (link.Thread == 0 || link.Thread == Environment.CurrentManagedThreadId))) link = link.Outer;
        return link;
    }

    /// <summary>The first link, from this one outward, that is open and flows.</summary>
    internal static Link? Flowing(Link? link)
    {
        while (link is not null && (link.Thread != 0 || !link.IsOpen)) link = link.Outer;
        return link;
    }
}

/// <summary>
/// The open links of one kind of guard or scope. All code that continues from the opening of a flowing link sees it: the code after
/// an await, on any thread, and tasks started inside. A flowing link may be closed twice, in any order, on any thread. Only its own thread
/// sees a link on the stack, until the method that pushed the link pops it. The stack is for calls that are too short to change the flow.
/// </summary>
/// <remarks>
/// The flow is an <see cref="AsyncLocal{T}"/> that tells each thread when its value changes. So a look costs one read of the thread's
/// own field. Opening and closing costs a few tenths of a microsecond in the flow, and a few nanoseconds on the stack.
/// </remarks>
/// <typeparam name="TKind">Distinguishes the kinds. It is a struct, so that each kind has its own code and fields.</typeparam>
static class Ambient<TKind> where TKind : struct
{
    // The innermost link for this thread, and the innermost link on its stack.
    [ThreadStatic] static Link? current;
    [ThreadStatic] static Link? stacked;

    /// <summary>The innermost link that is open here, or null.</summary>
    public static Link? Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            var top = current;
            return top is null || top.IsOpen ? top : SkipClosed(top);
        }
    }

    // Another thread closed the link; this thread has not been told.
    [MethodImpl(MethodImplOptions.NoInlining)]
    static Link? SkipClosed(Link top) => current = Link.Open(top);

    /// <summary>Opens a link in the flow.</summary>
    public static TLink Open<TLink>(TLink link) where TLink : Link
    {
        link.Outer = Current;
        if (link.Outer is { } outer) outer.Outer = Link.Open(outer.Outer);      // so that closed links do not form a growing chain
        Flow.Innermost.Value = link;
        return link;
    }

    /// <summary>Closes a link of the flow; false if it was closed already. Other open links stay open.</summary>
    public static bool Close(Link link)
    {
        if (!link.TryClose()) return false;
        if (Flow.Innermost.Value is { IsOpen: false } top) Flow.Innermost.Value = Link.Flowing(top);
        return true;
    }

    /// <summary>Puts a link on this thread's stack.</summary>
    /// <returns>The link that was on top of the stack; pass it to <see cref="Pop"/>.</returns>
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

    // The thread changes to another flow, or its flow gets another value. A link on the thread's stack that lies on top of that value is innermost again.
    static void Follow(Link? value) =>
        current = stacked is { } top && ReferenceEquals(Link.Flowing(top.Outer), Link.Flowing(value)) ? top : value;

    // In a separate class, so that access to the fields above needs no check for initialization.
    static class Flow
    {
        public static readonly AsyncLocal<Link?> Innermost = new(change => Follow(change.CurrentValue));
    }
}
