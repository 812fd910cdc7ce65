using System.Runtime.CompilerServices;

namespace QuadEngine.Tests.Gpu;

/// <summary>Turns on <see cref="GuardedMemory"/> before the first of these tests.</summary>
static class GuardedDeviceMemory
{
    [ModuleInitializer]
    internal static void Switch() => GuardedMemory.Switch();
}
