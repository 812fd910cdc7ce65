using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;
using Examples = QuadEngine.Data.ExampleSet<QuadEngine.Data.Batch<QuadEngine.Tensor, QuadEngine.IntTensor>>;

namespace QuadEngine.Experiments;

/// <summary>Compares networks on tasks other than the classification of images.</summary>
public sealed class BeyondClassification : Experiment
{
    const string MeanIou = "mean_iou";
    const int Side = 40;
    const string Scene = "segmentation, ", Table = "table, ";

    /// <inheritdoc/>
    public override string Name => "tasks";

    /// <inheritdoc/>
    public override string Question => "Do quadratic neurons help beyond the classification of images?";

    /// <inheritdoc/>
    public override string Method => "Segmentation: a small encoder-decoder finds the class of every pixel in scenes of two overlapping images of the data set. Table: a perceptron with two hidden layers "
        + "reads only the means of the rows and columns of each image. Linear and quadratic networks have equal width and the same training, except that Lambda of rank 7 learns at 10 times the rate. Both tasks are made from the data set, so they are not known benchmarks.";

    static Neuron[] Kinds => [Neurons.Linear, Neurons.Quadratic(3), Neurons.Quadratic(7, new QuadraticOptions { LambdaLearningRate = 10f })];

    /// <inheritdoc/>
    public override ExperimentScale Scale(ExperimentSize size)
    {
        var scale = base.Scale(size);
        var width = Width(size);
        var network = $"encoder-decoder of widths {width}, {2 * width}, {4 * width} on scenes of {Side}x{Side}; perceptron with two hidden layers of {8 * width}";
        scale = scale with { Network = network, Training = scale.Training with { Augmentation = "none" } };

        // Labels of pixels need many small steps. After few steps the network takes every pixel for background.
        return size switch
        {
            ExperimentSize.Smoke => scale,
            ExperimentSize.Small => scale with { TrainImages = 10_000, TestImages = 2_000, Training = scale.Training with { Epochs = 8, BatchSize = 32, LearningRate = 0.05f } },
            ExperimentSize.Medium => scale with { Data = "fashion-mnist", TrainImages = 20_000, Training = scale.Training with { Epochs = 10, BatchSize = 32, LearningRate = 0.05f } },
            ExperimentSize.Full => scale with { Data = "fashion-mnist", Training = scale.Training with { Epochs = 30 } },
            _ => throw ExperimentScale.Unknown(size),
        };
    }

    /// <inheritdoc/>
    public override IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data)
    {
        var width = Width(scale.Size);
        var scenes = Math.Min(20_000, data.Train.Count / 2);
        var (images, testImages) = (data.Train, data.Test);
        var train = new Lazy<Examples>(() => Scenes.Compose(images, scenes, Side, seed: 1));
        var test = new Lazy<Examples>(() => Scenes.Compose(testImages, scenes / 4, Side, seed: 2));
        var table = new Lazy<Examples>(() => Scenes.Table(images));
        var testTable = new Lazy<Examples>(() => Scenes.Table(testImages));
        return Repeat(scale,
        [
            .. Kinds.Select(neuron => (Scene + neuron.Title, Run(train, test, images.Classes + 1, [1, Side, Side, 1], neuron, (neuron, classes) => new EncoderDecoder(1, classes, width, neuron)))),
            .. Kinds.Select(neuron => (Table + neuron.Title, Run(table, testTable, images.Classes, [1, images.Height + images.Width], neuron, (neuron, classes) => Perceptron(neuron, images.Height + images.Width, 8 * width, classes)))),
        ]);

        Func<ulong, CancellationToken, Measurements> Run(Lazy<Examples> train, Lazy<Examples> test, int classes, Shape input, Neuron neuron, Func<Neuron, int, Module> make) => (seed, cancellation) =>
        {
            Generator.Default = new Generator(seed);
            var network = make(neuron, classes).To(scale.Device);
            var cost = CostModel.Of(network, input);
            var task = new Segmentation(network, train.Value, test.Value, classes);
            var trainer = new Trainer(task, scale.Training with { Seed = seed, ClipNorm = 5f, DropLast = true });
            if (!trainer.Run(cancellation)) throw new OperationCanceledException(cancellation);
            var last = trainer.State.History[^1];
            return new Measurements
            {
                { NetworkTrial.Accuracy, last.TestAccuracy }, { MeanIou, last.Test[task.Metrics[0].Name] }, { NetworkTrial.Parameters, cost.Parameters }, { NetworkTrial.MultiplyAdds, cost.MultiplyAdds },
                { NetworkTrial.TrainLoss, [.. trainer.State.History.Select(epoch => epoch.TrainLoss)] },
            };
        };
    }

    /// <inheritdoc/>
    public override void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale)
    {
        page.Table(rows, rows.Settings, ("mean intersection over union, %", MeanIou, 1, 2), ("accuracy, %", NetworkTrial.Accuracy, 1, 2), ("training loss", NetworkTrial.TrainLoss, 1, 4),
            ("parameters", NetworkTrial.Parameters, 1, 0), ("million multiply-adds", NetworkTrial.MultiplyAdds, 1e-6, 3));
        page.Text("The accuracy counts examples of the table, and all pixels of the scenes, background included. The intersection over union is the mean over classes.");
        foreach (var (task, measurement) in (ReadOnlySpan<(string, string)>)[(Scene, MeanIou), (Table, NetworkTrial.Accuracy)])
        {
            var settings = rows.Settings.Where(setting => setting.StartsWith(task, StringComparison.Ordinal)).ToArray();
            page.Chart(Charting.Curves(rows, settings, NetworkTrial.TrainLoss, $"training loss, {task.TrimEnd(',', ' ')}"));
            foreach (var setting in settings.Where(setting => setting != task + Neurons.Linear.Title)) page.Compare(rows, setting, task + Neurons.Linear.Title, measurement);
        }
    }

    static int Width(ExperimentSize size) => size switch { ExperimentSize.Smoke => 4, ExperimentSize.Small or ExperimentSize.Medium => 8, ExperimentSize.Full => 16, _ => throw ExperimentScale.Unknown(size) };

    static Sequential Perceptron(Neuron neuron, int features, int width, int classes) => new(
        neuron.Dense(features, width, bias: false), new BatchNorm(width), new Relu(),
        neuron.Dense(width, width, bias: false), new BatchNorm(width), new Relu(),
        new Linear(width, classes));
}
