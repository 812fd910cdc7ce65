namespace QuadEngine.Tests.Cli;

/// <summary>Tests of which each has a <see cref="QuadTool"/> of its own.</summary>
public abstract class ToolTests
{
    private protected QuadTool Quad { get; private set; } = null!;

    [SetUp]
    public void MakeFolder() => Quad = new QuadTool();

    [TearDown]
    public void DeleteFolder() => Quad.Dispose();
}
