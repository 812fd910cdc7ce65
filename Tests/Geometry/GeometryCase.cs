namespace QuadEngine.Tests.Geometry;

/// <summary>One method of the backend, called on a geometry that is drawn at random.</summary>
/// <param name="Method">The name of the method.</param>
/// <param name="Run">Draws the arguments, calls the method and checks its results.</param>
public sealed record GeometryCase(string Method, Action<Draw> Run)
{
    public override string ToString() => Method;
}
