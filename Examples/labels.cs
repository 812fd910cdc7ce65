// Decides whether a piece of clothing is worn above, below or on the feet, and whether it has sleeves: several labels for each image.   dotnet run -c Release Examples/labels.cs
#:project ../Models/QuadEngine.Models.csproj

using QuadEngine;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

var folder = args.Length > 0 ? args[0] : "runs/labels";
var epochs = args.Length > 1 ? int.Parse(args[1]) : 5;
var images = args.Length > 2 ? int.Parse(args[2]) : 10_000;

// By class: T-shirt, trousers, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot.
string[] labels = ["above", "below", "on the feet", "has sleeves"];
float[][] ofClass = [[1, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 1], [1, 1, 0, 0], [1, 0, 0, 1], [0, 0, 1, 0], [1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0]];

var clothes = Datasets.Load("fashion-mnist-sample").Train.Take(images);
var pixels = Tensor.FromArray(Array.ConvertAll(clothes.Pixels.ToArray(), value => value / 255f), [images, 28, 28, 1]);
var targets = Tensor.FromArray([.. clothes.Labels.ToArray().SelectMany(label => ofClass[label])], [images, labels.Length]);
var (train, test) = ExampleSet.Of(pixels, targets).Split(testShare: 0.2f);

Generator.Default = new Generator(seed: 1);
var neuron = Neurons.Quadratic(rank: 3);
var network = new Sequential(
    neuron.Conv2d(1, 8, kernelSize: 3, stride: 2, padding: 1, bias: false), new BatchNorm(8), new Relu(),
    neuron.Conv2d(8, 16, kernelSize: 3, stride: 2, padding: 1, bias: false), new BatchNorm(16), new Relu(),
    new Flatten(), new Linear(7 * 7 * 16, labels.Length));

var options = new TrainerOptions { Epochs = epochs, BatchSize = 64, LearningRate = 0.02f, WarmUpEpochs = 0.5f, CheckpointSteps = 10, Patience = 3 };
var trainer = new Trainer(new MultiLabelClassification(network, train, test), options, RunFolder.OpenOrCreate(folder, "what clothes are"));
trainer.EpochEnded += epoch => Console.WriteLine($"epoch {epoch.Epoch}: {epoch.Test}");
trainer.Resume();
trainer.Run();
Console.WriteLine($"best after epoch {trainer.Best!.Epoch}; curves in {Path.Combine(folder, "curves.svg")}");
