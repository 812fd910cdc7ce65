namespace QuadEngine.Tests.Gpu;

/// <summary>One method of the backend, called with random arguments.</summary>
public sealed record BackendCase(string Method, string Variant, Action<Sample> Run, float Tolerance = 1e-4f)
{
    public override string ToString() => Variant.Length == 0 ? Method : $"{Method}<{Variant}>";
}
