// Trains a classifier of clothes on 10,000 photographs inside the package:   dotnet run -c Release Examples/fashion.cs
#:project ../Models/QuadEngine.Models.csproj

using QuadEngine;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

var epochs = args.Length > 0 ? int.Parse(args[0]) : 3;
var images = args.Length > 1 ? int.Parse(args[1]) : 10_000;

var (train, test) = Datasets.Load("fashion-mnist-sample");
train = train.Take(images);

Generator.Default = new Generator(seed: 1);
var neuron = Neurons.Quadratic(rank: 3);
var network = new Sequential(
    neuron.Conv2d(1, 16, kernelSize: 3, padding: 1, bias: false), new BatchNorm(16), new Relu(), new MaxPool2d(2),
    neuron.Conv2d(16, 32, kernelSize: 3, padding: 1, bias: false), new BatchNorm(32), new Relu(), new MaxPool2d(2),
    new Flatten(), new Linear(7 * 7 * 32, train.Classes));
Console.WriteLine(network);

var sgd = new Sgd(network.ParameterGroups(), learningRate: 0.05f, momentum: 0.9f, weightDecay: 5e-4f);
for (var epoch = 0; epoch < epochs; epoch++)
{
    foreach (var (x, labels) in train.Batches(64, seed: 1, epoch: epoch))
    {
        var loss = Losses.CrossEntropy(network.Forward(x), labels);
        loss.Backward();
        sgd.Step();
    }

    Console.WriteLine($"epoch {epoch + 1}: {Evaluation.Run(network, test).Accuracy:0.0} % of the test images");
}
