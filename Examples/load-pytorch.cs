// Loads a file of torch.save, and writes it as safetensors and ONNX:   dotnet run Examples/load-pytorch.cs resnet20.th OUTPUT_FOLDER
#:project ../Models/QuadEngine.Models.csproj

using QuadEngine;
using QuadEngine.Models;

if (args is not [var file, var folder])
{
    Console.WriteLine("""
        Give a checkpoint of a CIFAR ResNet-20 and a folder to write to. One can be had from github.com/akamaster/pytorch_resnet_cifar10:
        pretrained_models/resnet20-12fca82f.th
        """);
    return 1;
}

// This engine reads the file without Python or libtorch, and runs no code of the pickle.
var weights = WeightFile.Read(file);
foreach (var (name, tensor) in weights.Take(4)) Console.WriteLine($"{name} {tensor}");
Console.WriteLine($"... {weights.Count} tensors");

// Files hold filters [Cout, Cin, kH, kW]; loading converts them to [kH, kW, Cin, Cout]. A name or a shape that does not match is refused.
var network = ResNet.Cifar(depth: 20);
Checkpoint.LoadWeights(file, network);

using var noGrad = new NoGrad();
var logits = network.Eval().Forward(Tensor.Zeros([1, 32, 32, 3]));
Console.WriteLine($"a gray image: {string.Join(' ', logits.ToArray().Select(value => $"{value:0.00}"))}");

Directory.CreateDirectory(folder);
Checkpoint.SaveWeights(Path.Combine(folder, "resnet20.safetensors"), network);
OnnxExport.Write(Path.Combine(folder, "resnet20.onnx"), network, [32, 32, 3], new OnnxOptions { FoldBatchNorm = true });
return 0;
