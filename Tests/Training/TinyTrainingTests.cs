namespace QuadEngine.Tests.Training;

/// <summary>Tests of which each has a <see cref="TinyTraining"/> of its own.</summary>
public abstract class TinyTrainingTests
{
    protected TinyTraining Tiny { get; private set; } = null!;

    [SetUp]
    public void MakeFolder() => Tiny = new TinyTraining();

    [TearDown]
    public void DeleteFolder() => Tiny.Dispose();
}
