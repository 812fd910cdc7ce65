namespace QuadEngine.Tests.Training;

/// <summary>Tests that each have their own <see cref="TinyTraining"/>.</summary>
public abstract class TinyTrainingTests
{
    protected TinyTraining Tiny { get; private set; } = null!;

    [SetUp]
    public void MakeFolder() => Tiny = new TinyTraining();

    [TearDown]
    public void DeleteFolder() => Tiny.Dispose();
}
