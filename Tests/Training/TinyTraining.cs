using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Training;

/// <summary>The smallest training with everything: batch norm, dropout, quadratic neurons, augmentation and several epochs. Its folder is deleted after the test.</summary>
public sealed class TinyTraining : IDisposable
{
    const int Side = 8, TrainCount = 96, TestCount = 40;

    public static readonly TrainerOptions Options = new()
    {
        Epochs = 3,
        BatchSize = 16,
        LearningRate = 0.05f,
        WarmUpEpochs = 0.5f,
        ClipNorm = 1f,
        LabelSmoothing = 0.05f,
        Augmentation = new("crop-flip", ("padding", 1)),
        CheckpointSeconds = null,
    };

    public string Folder { get; } = Directory.CreateTempSubdirectory("quadengine-run-").FullName;

    public string PathOf(string name) => Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Returns a trainer at its first step, or at the step where the run of the folder stopped.</summary>
    public Trainer Start(string? run = null, TrainerOptions? options = null, Func<Module>? network = null)
    {
        options ??= Options;
        var configuration = new RunConfiguration { Training = options };
        Generator.Default = new Generator(options.Seed);
        var folder = run is null ? null : RunFolder.Exists(PathOf(run)) ? RunFolder.Open(PathOf(run)) : RunFolder.Create(PathOf(run), configuration);
        var trainer = new Trainer((network ?? Network)(), Images(TrainCount, stream: 0), Images(TestCount, stream: 1), options, folder);
        trainer.Resume();
        return trainer;
    }

    /// <summary>Trains the run of a folder, and calls a function after a step, or stops there.</summary>
    public static void Run(TinyTraining tiny, string run, int step, Action? then = null, bool stop = false)
    {
        using var stopping = new CancellationTokenSource();
        var trainer = tiny.Start(run);
        trainer.Stepped += done =>
        {
            if (done.Step != step) return;
            then?.Invoke();
            if (stop) stopping.Cancel();
        };
        trainer.Run(stopping.Token);
    }

    public static Module Network() => new Sequential(
        new QuadraticConv2d(1, 6, 3, rank: 2, padding: 1, bias: false), new BatchNorm(6), new Relu(), new MaxPool2d(2), new Flatten(),
        new Dropout(0.2f), new Linear(6 * Side * Side / 4, 3));

    /// <summary>Makes images of three classes: noise with a bright row, whose height shows the class.</summary>
    public static ImageDataset Images(int count, ulong stream)
    {
        var pixels = new byte[count * Side * Side];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(Philox.At(7, stream, (ulong)i).X >> 26);
        var labels = Enumerable.Range(0, count).Select(i => i % 3).ToArray();
        for (var i = 0; i < count; i++) pixels.AsSpan(i * Side * Side + (1 + 2 * labels[i]) * Side, Side).Fill(220);
        return new ImageDataset("rows", pixels, labels, ["top", "middle", "bottom"], Side, Side, 1);
    }
}
