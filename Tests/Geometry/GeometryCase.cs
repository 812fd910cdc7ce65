namespace QuadEngine.Tests.Geometry;

/// <summary>One method of the backend, called on a geometry that is drawn at random.</summary>
/// <param name="Method">Its name.</param>
/// <param name="Run">Draws the arguments, calls the method and says what its results should be.</param>
public sealed record GeometryCase(string Method, Action<Draw> Run)
{
    public override string ToString() => Method;
}
