// Writes network.safetensors, a small quadratic ResNet that this engine trained on Fashion-MNIST images; make.py makes the other files from it:
//   dotnet run -c Release Tests/Interop/PyTorch/make-network.cs
#:project ../../../Models/QuadEngine.Models.csproj
#:property PublishAot=false

using QuadEngine;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

var (train, test) = Datasets.Load("fashion-mnist-sample");
Generator.Default = new Generator(seed: 1);

// Widths that are not multiples of k + 1 = 4: neurons of ranks 3 and 0, then 3 and 2.
var network = new ResNet(new ResNetOptions { Blocks = [1, 1], Widths = [5, 7], InChannels = 1, Neuron = Neurons.Quadratic(rank: 3) });
var sgd = new Sgd(network.ParameterGroups(), learningRate: 0.02f, momentum: 0.9f, weightDecay: 1e-4f);
foreach (var (images, labels) in train.Batches(64, seed: 1))
{
    var loss = Losses.CrossEntropy(network.Forward(images), labels);
    loss.Backward();
    sgd.Step();
}

Console.WriteLine($"{Evaluation.Run(network, test).Accuracy:0.0} % of the test images");
SafeTensors.Write(Path.Combine((string)AppContext.GetData("EntryPointFileDirectoryPath")!, "network.safetensors"), network.StateDictionary());

// The first test images, normalized, for the reference that PyTorch computes.
using var batch = test.Take(3).Batches(3).Single();
SafeTensors.Write(Path.Combine((string)AppContext.GetData("EntryPointFileDirectoryPath")!, "images.safetensors"), [new("images", new HostTensor(batch.Input.ToArray(), 3, 28, 28, 1))]);
