using System.Runtime.CompilerServices;
using QuadEngine.Devices;

namespace QuadEngine.Tests;

/// <summary>In all tests, memory that was freed holds NaN and blocks have guarded edges: whoever reads too late or writes too far is found.</summary>
public static class GuardedMemory
{
    [ModuleInitializer]
    public static void Switch() => BufferPool.IsGuarded = Environment.GetEnvironmentVariable("QUADENGINE_GUARD_MEMORY") != "0";
}
