using System.Diagnostics;

namespace QuadEngine.Tests.Interleaving;

/// <summary>The source line that called a primitive.</summary>
static class Source
{
    public static string? OfCaller()
    {
        foreach (var frame in new StackTrace(2, fNeedFileInfo: true).GetFrames())
        {
            var file = frame.GetFileName();
            var type = frame.GetMethod()?.DeclaringType;
            if (file is null || type?.Namespace?.StartsWith("System", StringComparison.Ordinal) is not false || type == typeof(Run)) continue;
            if (file.Contains("/Primitives/", StringComparison.Ordinal) || file.Contains("/Scheduling/", StringComparison.Ordinal)) continue;
            return $"{Path.GetFileName(file)}:{frame.GetFileLineNumber()}";
        }

        return null;
    }
}
