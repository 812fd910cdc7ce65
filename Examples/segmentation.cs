// Finds a piece of clothing in a scene: a class for each pixel.   dotnet run -c Release Examples/segmentation.cs
#:project ../Models/QuadEngine.Models.csproj

using QuadEngine;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

var folder = args.Length > 0 ? args[0] : "runs/segmentation";
var epochs = args.Length > 1 ? int.Parse(args[1]) : 4;
var scenes = args.Length > 2 ? int.Parse(args[2]) : 2_000;

// Each piece is at a random place of a scene with noise. The class of a pixel is 0 for the background, 1 for clothes, 2 for shoes and 3 for bags.
const int side = 40, part = 28;
int[] groups = [1, 1, 1, 1, 1, 2, 1, 2, 3, 2];
var clothes = Datasets.Load("fashion-mnist-sample").Train;
var (random, pixels, classes) = (new Random(1), new float[scenes * side * side], new int[scenes * side * side]);
for (var i = 0; i < pixels.Length; i++) pixels[i] = 0.2f * random.NextSingle();
for (var scene = 0; scene < scenes; scene++)
{
    var (image, corner) = (clothes.Image(scene).ToArray(), (scene * side + random.Next(side - part)) * side + random.Next(side - part));
    for (var i = 0; i < image.Length; i++)
        if (image[i] > 40) (pixels[corner + i / part * side + i % part], classes[corner + i / part * side + i % part]) = (image[i] / 255f, groups[clothes.Label(scene)]);
}

var (train, test) = ExampleSet.Of(Tensor.FromArray(pixels, [scenes, side, side, 1]), IntTensor.FromSpan(classes, [scenes, side, side])).Split(testShare: 0.2f);

Generator.Default = new Generator(seed: 1);
Module[] Block(int from, int to, int dilation) => [Neurons.Quadratic(rank: 3).Conv2d(from, to, kernelSize: 3, padding: dilation, dilation: dilation, bias: false), new BatchNorm(to), new Relu()];
var network = new Sequential([.. Block(1, 8, 1), .. Block(8, 8, 2), .. Block(8, 16, 4), new Conv2d(16, 4, kernelSize: 1)]);

var options = new TrainerOptions { Epochs = epochs, BatchSize = 16, Optimizer = "adamw", LearningRate = 5e-3f, CheckpointSteps = 10 };
var trainer = new Trainer(new Segmentation(network, train, test, classes: 4), options, RunFolder.OpenOrCreate(folder, "clothes in scenes"));
trainer.EpochEnded += epoch => Console.WriteLine($"epoch {epoch.Epoch}: {epoch.Test}");
trainer.Resume();
trainer.Run();
