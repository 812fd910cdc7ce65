using System.Runtime.CompilerServices;
using QuadEngine.Devices;

namespace QuadEngine.Tests;

/// <summary>In all tests, freed memory holds NaN and blocks have guarded edges, so that reads after the release and writes outside of a block are found.</summary>
public static class GuardedMemory
{
    [ModuleInitializer]
    public static void Switch() => BufferPool.IsGuarded = Environment.GetEnvironmentVariable("QUADENGINE_GUARD_MEMORY") != "0";
}
