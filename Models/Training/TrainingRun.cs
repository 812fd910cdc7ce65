using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>
/// A run built from its configuration: the data, the network on its device, the trainer, and the folder for its files.
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

    /// <summary>The configuration of the run, in which the network's input and classes match the data.</summary>
    public RunConfiguration Configuration { get; }

    /// <summary>The training images.</summary>
    public LabeledImages Train { get; }

    /// <summary>The test images.</summary>
    public LabeledImages Test { get; }

    /// <summary>The network in training.</summary>
    public Module Network { get; }

    /// <summary>The trainer of the network.</summary>
    public Trainer Trainer { get; }

    /// <summary>The folder for the run's files; null for no files.</summary>
    public RunFolder? Folder { get; }

    /// <summary>Creates a new run at its first step. Sets <see cref="Generator.Default"/> to the run's seed.</summary>
    /// <param name="configuration">The network, the data and the training.</param>
    /// <param name="folder">A new folder for the run's files; null for no files.</param>
    /// <exception cref="ArgumentException">A name or a number of the configuration is not possible.</exception>
    /// <exception cref="IOException">Data is missing, the folder cannot be written, or the folder holds a run or files that this run would overwrite.</exception>
    public static TrainingRun Start(RunConfiguration configuration, string? folder = null)
    {
        if (folder is not null) RunFolder.CheckFree(folder);       // before the work of reading the data
        return new(configuration, complete => folder is null ? null : RunFolder.Create(folder, complete));
    }

    /// <summary>Creates a new run at its first step, in the first free numbered folder: see <see cref="RunFolder.CreateNumbered"/>. Sets <see cref="Generator.Default"/> to the run's seed.</summary>
    /// <param name="configuration">The network, the data and the training.</param>
    /// <param name="parent">The folder of all runs.</param>
    /// <exception cref="ArgumentException">A name or a number of the configuration is not possible.</exception>
    /// <exception cref="IOException">Data is missing, or the folder cannot be written.</exception>
    public static TrainingRun StartNumbered(RunConfiguration configuration, string parent) => new(configuration, complete => RunFolder.CreateNumbered(parent, complete));

    /// <summary>Opens the run of a folder at its last checkpoint. It continues with the same bits as a run without interruption.</summary>
    /// <param name="folder">The folder of the run.</param>
    /// <param name="device">The device on which to continue; null for the run's device. Another kind of device gives other bits.</param>
    /// <exception cref="InvalidFileException">The configuration or the checkpoint is damaged.</exception>
    /// <exception cref="IOException">There is no run in the folder, or its data is missing.</exception>
    /// <exception cref="InvalidOperationException">Another process is writing to the folder.</exception>
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
            splits.RequireIntact();     // so that one message names the damaged pictures of both parts
            throw;
        }
    }
}
