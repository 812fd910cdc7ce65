using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>
/// A run built from its configuration: data, network on its device, trainer, and the folder that it leaves.
/// <code>TrainingRun.Start(RunConfiguration.Main, "runs/first").Trainer.Run();</code>
/// </summary>
public sealed class TrainingRun
{
    TrainingRun(RunConfiguration configuration, Func<RunConfiguration, RunFolder?> folderOf)
    {
        configuration = configuration.Complete();
        var device = Device.Get(configuration.Device);
        StepMemory.Require(configuration);
        var (train, test) = Load(configuration);
        Configuration = configuration with
        {
            Network = configuration.Network with { Height = train.Height, Width = train.Width, Channels = train.Channels, Classes = train.Classes },
        };
        (Train, Test) = (train, test);
        Generator.Default = new Generator(configuration.Training.Seed);
        Network = Configuration.Network.Build().To(device);
        configuration.Training.Validate();
        Folder = folderOf(Configuration);
        Trainer = new Trainer(Network, train, test, configuration.Training, Folder);
    }

    /// <summary>What the run was built from, the network's input and classes being those of the data.</summary>
    public RunConfiguration Configuration { get; }

    /// <summary>Images to learn from.</summary>
    public LabeledImages Train { get; }

    /// <summary>Images to judge by.</summary>
    public LabeledImages Test { get; }

    /// <summary>The network in training.</summary>
    public Module Network { get; }

    /// <summary>What trains it.</summary>
    public Trainer Trainer { get; }

    /// <summary>Where the run leaves its files; null for nowhere.</summary>
    public RunFolder? Folder { get; }

    /// <summary>A new run, at its first step. Sets <see cref="Generator.Default"/> to the run's seed.</summary>
    /// <param name="configuration">What to train, on what, and how.</param>
    /// <param name="folder">A new folder for its files; null for none.</param>
    /// <exception cref="ArgumentException">A name or a number of the configuration is not possible.</exception>
    /// <exception cref="IOException">Data is missing, or the folder cannot be written, or holds a run or files that it would overwrite.</exception>
    public static TrainingRun Start(RunConfiguration configuration, string? folder = null)
    {
        if (folder is not null) RunFolder.CheckFree(folder);       // before the work of reading the data
        return new(configuration, complete => folder is null ? null : RunFolder.Create(folder, complete));
    }

    /// <summary>A new run, at its first step, in the first numbered folder that is free: see <see cref="RunFolder.CreateNumbered"/>. Sets <see cref="Generator.Default"/> to the run's seed.</summary>
    /// <param name="configuration">What to train, on what, and how.</param>
    /// <param name="parent">The folder of all runs.</param>
    /// <exception cref="ArgumentException">A name or a number of the configuration is not possible.</exception>
    /// <exception cref="IOException">Data is missing, or the folder cannot be written.</exception>
    public static TrainingRun StartNumbered(RunConfiguration configuration, string parent) => new(configuration, complete => RunFolder.CreateNumbered(parent, complete));

    /// <summary>The run of a folder, where its last checkpoint left it: it goes on with the bits it would have had.</summary>
    /// <param name="folder">A run's folder.</param>
    /// <param name="device">Where to go on; null for the device it was on. Another kind of device gives other bits.</param>
    /// <exception cref="InvalidFileException">Configuration or checkpoint are damaged.</exception>
    /// <exception cref="IOException">There is no run in the folder, or its data is missing.</exception>
    /// <exception cref="InvalidOperationException">Another process writes to the folder just now.</exception>
    public static TrainingRun Resume(string folder, string? device = null)
    {
        var opened = RunFolder.Open(folder);
        opened.CheckUnlocked();       // before the work of reading the data; the trainer takes the lock when it runs
        var run = new TrainingRun(opened.Configuration with { Device = device ?? opened.Configuration.Device }, _ => opened);
        run.Trainer.Resume();
        return run;
    }

    static (LabeledImages Train, LabeledImages Test) Load(RunConfiguration configuration)
    {
        if (configuration.Pictures is not { } pictures)
        {
            var (train, test) = Datasets.Load(configuration.Data, configuration.DataFolder);
            return (configuration.TrainImages is { } first ? train.Take(first) : train, test);
        }

        var splits = pictures.Split(configuration.Data.Name);
        try
        {
            return (pictures.Open(configuration.TrainImages is { } count ? splits.Train.Take(count) : splits.Train), pictures.Open(splits.Test));
        }
        catch (InvalidFileException)
        {
            splits.RequireIntact();     // so that the damaged pictures of both parts are named at once
            throw;
        }
    }
}
