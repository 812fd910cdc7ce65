// Draws the lower half of a piece of clothing from its upper half. A run that was stopped resumes where it was:   dotnet run -c Release Examples/regression.cs
#:project ../Models/QuadEngine.Models.csproj

using QuadEngine;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

var folder = args.Length > 0 ? args[0] : "runs/regression";
var epochs = args.Length > 1 ? int.Parse(args[1]) : 10;
var images = args.Length > 2 ? int.Parse(args[2]) : 10_000;

// [images, half, pixels of a half], from 0 to 1.
var (clothes, _) = Datasets.Load("fashion-mnist-sample");
const int half = 14 * 28;
var pixels = Tensor.FromArray(Array.ConvertAll(clothes.Take(images).Pixels.ToArray(), value => value / 255f), [images, 2, half]);
var upper = pixels.Slice(axis: 1, start: 0, count: 1).Reshape([images, half]);
var lower = pixels.Slice(axis: 1, start: 1, count: 1).Reshape([images, half]);
var (train, test) = ExampleSet.Of(upper, lower).Split(testShare: 0.2f);

Generator.Default = new Generator(seed: 1);
var network = new Sequential(Neurons.Quadratic(rank: 3).Dense(half, 128), new Relu(), new Linear(128, half));

var options = new TrainerOptions { Epochs = epochs, BatchSize = 64, Optimizer = "adamw", LearningRate = 2e-3f, CheckpointSteps = 10 };
var trainer = new Trainer(new Regression(network, train, test), options, RunFolder.OpenOrCreate(folder, "lower half from upper half"));
trainer.EpochEnded += epoch => Console.WriteLine($"epoch {epoch.Epoch}: {epoch.Test}");
trainer.Resume();
trainer.Run();
Console.WriteLine($"best after epoch {trainer.Best!.Epoch}; curves in {Path.Combine(folder, "curves.svg")}");
