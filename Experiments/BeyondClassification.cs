using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Tasks other than telling images apart.</summary>
public sealed class BeyondClassification : Experiment
{
    const string MeanIou = "mean_iou";
    const int Side = 40;
    const string Segmentation = "segmentation, ", Table = "table, ";

    /// <inheritdoc/>
    public override string Name => "tasks";

    /// <inheritdoc/>
    public override string Question => "Do quadratic neurons help beyond the classification of images?";

    /// <inheritdoc/>
    public override string Method => "Segmentation: scenes of two overlapping images of the data set, a class for every pixel, by a small encoder-decoder. Table: each image given as the means of its rows and columns only, "
        + "to a perceptron of two hidden layers. Linear and quadratic networks of equal width, trained alike; those of rank 7 with Lambda at 10 times the rate. Both tasks are made from the data set, so they are no benchmark known elsewhere.";

    static Neuron[] Kinds => [Neurons.Linear, Neurons.Quadratic(3), Neurons.Quadratic(7, new QuadraticOptions { LambdaLearningRate = 10f })];

    /// <inheritdoc/>
    public override ExperimentScale Scale(ExperimentSize size)
    {
        var scale = base.Scale(size);
        var width = Width(size);
        var network = $"encoder-decoder of widths {width}, {2 * width}, {4 * width} on scenes of {Side}x{Side}; perceptron with two hidden layers of {8 * width}";
        scale = scale with { Network = network, Training = scale.Training with { Augmentation = Augmentation.None } };

        // A label for every pixel is learned in many small steps: with few, all pixels go to the background.
        return size switch
        {
            ExperimentSize.Smoke => scale,
            ExperimentSize.Small => scale with { TrainImages = 10_000, TestImages = 2_000, Training = scale.Training with { Epochs = 8, BatchSize = 32, LearningRate = 0.05f } },
            ExperimentSize.Medium => scale with { Data = "fashion-mnist", TrainImages = 20_000, Training = scale.Training with { Epochs = 10, BatchSize = 32, LearningRate = 0.05f } },
            _ => scale with { Data = "fashion-mnist", Training = scale.Training with { Epochs = 30 } },
        };
    }

    /// <inheritdoc/>
    public override IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data)
    {
        var width = Width(scale.Size);
        var scenes = Math.Min(20_000, data.Train.Count / 2);
        var (images, testImages) = (data.Train, data.Test);
        var train = new Lazy<LabelledExamples>(() => Scenes.Compose(images, scenes, Side, seed: 1));
        var test = new Lazy<LabelledExamples>(() => Scenes.Compose(testImages, scenes / 4, Side, seed: 2));
        var table = new Lazy<LabelledExamples>(() => Scenes.Table(images));
        var testTable = new Lazy<LabelledExamples>(() => Scenes.Table(testImages));
        return Repeat(scale,
        [
            .. Kinds.Select(neuron => (Segmentation + neuron.Title, Run(train, test, [1, Side, Side, 1], neuron, (neuron, classes) => new EncoderDecoder(1, classes, width, neuron)))),
            .. Kinds.Select(neuron => (Table + neuron.Title, Run(table, testTable, [1, images.Height + images.Width], neuron, (neuron, classes) => Perceptron(neuron, images.Height + images.Width, 8 * width, classes)))),
        ]);

        Func<ulong, CancellationToken, Measurements> Run(Lazy<LabelledExamples> train, Lazy<LabelledExamples> test, Shape input, Neuron neuron, Func<Neuron, int, Module> make) => (seed, cancellation) =>
        {
            Generator.Default = new Generator(seed);
            var network = make(neuron, train.Value.Classes).To(scale.Device);
            var cost = CostModel.Of(network, input);
            var losses = train.Value.Train(network, scale, seed, cancellation);
            var (accuracy, iou) = Judge(test.Value.Confusion(network, scale));
            return new Measurements
            {
                { NetworkTrial.Accuracy, accuracy }, { MeanIou, iou }, { NetworkTrial.Parameters, cost.Parameters }, { NetworkTrial.MultiplyAdds, cost.MultiplyAdds },
                { NetworkTrial.TrainLoss, losses },
            };
        };
    }

    /// <inheritdoc/>
    public override void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale)
    {
        page.Table(rows, rows.Settings, ("mean intersection over union, %", MeanIou, 1, 2), ("accuracy, %", NetworkTrial.Accuracy, 1, 2), ("training loss", NetworkTrial.TrainLoss, 1, 4),
            ("parameters", NetworkTrial.Parameters, 1, 0), ("million multiply-adds", NetworkTrial.MultiplyAdds, 1e-6, 3));
        page.Text("Accuracy is over examples of the table, and over all pixels of the scenes, background included; the intersection over union is the mean over classes.");
        foreach (var (task, measurement) in (ReadOnlySpan<(string, string)>)[(Segmentation, MeanIou), (Table, NetworkTrial.Accuracy)])
        {
            var settings = rows.Settings.Where(setting => setting.StartsWith(task, StringComparison.Ordinal)).ToArray();
            page.Chart(Charting.Curves(rows, settings, NetworkTrial.TrainLoss, $"training loss, {task.TrimEnd(',', ' ')}"));
            foreach (var setting in settings.Where(setting => setting != task + Neurons.Linear.Title)) page.Compare(rows, setting, task + Neurons.Linear.Title, measurement);
        }
    }

    static int Width(ExperimentSize size) => size switch { ExperimentSize.Smoke => 4, ExperimentSize.Small or ExperimentSize.Medium => 8, _ => 16 };

    static Sequential Perceptron(Neuron neuron, int features, int width, int classes) => new(
        neuron.Dense(features, width, bias: false), new BatchNorm(width), new Relu(),
        neuron.Dense(width, width, bias: false), new BatchNorm(width), new Relu(),
        new Linear(width, classes));

    // Accuracy, and the mean over classes of (both) / (either), in percent; classes that nowhere occur are left out.
    static (double Accuracy, double MeanIou) Judge(long[,] confusion)
    {
        var classes = confusion.GetLength(0);
        long total = 0, correct = 0;
        var ious = new List<double>();
        for (var c = 0; c < classes; c++)
        {
            long either = -confusion[c, c];
            for (var other = 0; other < classes; other++)
            {
                either += confusion[c, other] + confusion[other, c];
                total += confusion[c, other];
            }

            correct += confusion[c, c];
            if (either > 0) ious.Add(100.0 * confusion[c, c] / either);
        }

        return (100.0 * correct / total, ious.Average());
    }
}
