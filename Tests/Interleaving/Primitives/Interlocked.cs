extern alias real;
using QuadEngine.Tests.Interleaving;
using Real = real::System.Threading;

namespace System.Threading;

static class Interlocked
{
    public static T Exchange<T>(ref T location, T value)
    {
        Run.Step("Exchange");
        return Real.Interlocked.Exchange(ref location, value);
    }

    public static T CompareExchange<T>(ref T location, T value, T comparand)
    {
        Run.Step("CompareExchange");
        return Real.Interlocked.CompareExchange(ref location, value, comparand);
    }

    public static int Increment(ref int location) => Add(ref location, 1, "Increment");

    public static long Increment(ref long location) => Add(ref location, 1, "Increment");

    public static ulong Increment(ref ulong location)
    {
        Run.Step("Increment");
        return Real.Interlocked.Increment(ref location);
    }

    public static int Decrement(ref int location) => Add(ref location, -1, "Decrement");

    public static long Decrement(ref long location) => Add(ref location, -1, "Decrement");

    public static int Add(ref int location, int value) => Add(ref location, value, "Add");

    public static long Add(ref long location, long value) => Add(ref location, value, "Add");

    public static long Read(ref readonly long location) => Volatile.Read(in location);

    public static int Or(ref int location, int value)
    {
        Run.Step("Or");
        return Real.Interlocked.Or(ref location, value);
    }

    public static long Or(ref long location, long value)
    {
        Run.Step("Or");
        return Real.Interlocked.Or(ref location, value);
    }

    public static int And(ref int location, int value)
    {
        Run.Step("And");
        return Real.Interlocked.And(ref location, value);
    }

    public static long And(ref long location, long value)
    {
        Run.Step("And");
        return Real.Interlocked.And(ref location, value);
    }

    public static void MemoryBarrier() => Run.Step("MemoryBarrier", reads: true);

    static int Add(ref int location, int value, string what)
    {
        Run.Step(what);
        return Real.Interlocked.Add(ref location, value);
    }

    static long Add(ref long location, long value, string what)
    {
        Run.Step(what);
        return Real.Interlocked.Add(ref location, value);
    }
}
