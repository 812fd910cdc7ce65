using QuadEngine.Tests.Interleaving;

namespace System.Threading;

static class Volatile
{
    public static T Read<T>(ref readonly T location)
    {
        Run.Step("Read", reads: true);
        return location;
    }

    public static void Write<T>(ref T location, T value)
    {
        Run.Step("Write");
        location = value;
    }
}
