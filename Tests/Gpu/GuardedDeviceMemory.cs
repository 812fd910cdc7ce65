using System.Runtime.CompilerServices;

namespace QuadEngine.Tests.Gpu;

/// <summary><see cref="GuardedMemory"/> in these tests too, from the first on.</summary>
static class GuardedDeviceMemory
{
    [ModuleInitializer]
    internal static void Switch() => GuardedMemory.Switch();
}
