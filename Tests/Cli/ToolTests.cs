namespace QuadEngine.Tests.Cli;

/// <summary>Tests that each have their own <see cref="QuadTool"/>.</summary>
public abstract class ToolTests
{
    private protected QuadTool Quad { get; private set; } = null!;

    [SetUp]
    public void MakeFolder() => Quad = new QuadTool();

    [TearDown]
    public void DeleteFolder() => Quad.Dispose();
}
