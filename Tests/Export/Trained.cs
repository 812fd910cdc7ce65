using QuadEngine.Data;
using QuadEngine.Models;
using QuadEngine.Tests.Onnx;

namespace QuadEngine.Tests.Export;

/// <summary>A quadratic ResNet-20 for the images of the sample, in a folder that Dispose deletes.</summary>
sealed class Trained : IDisposable
{
    static readonly DatasetInfo Info = Datasets.Get("fashion-mnist-sample");

    public Trained(string model = "resnet20")
    {
        var configuration = new NetworkConfiguration { Model = model, Neuron = "quadratic", Height = 28, Width = 28, Channels = 1 };
        var network = configuration.Build();
        using var batch = Test.Take(20).Batches(20).Single();
        network.Awaken(batch.Input);
        Classifier = new(configuration, network, Info.ClassNames, Info.Normalization);
        Classifier.Save(File("classifier.safetensors"));
        Checkpoint.SaveWeights(File("weights.safetensors"), network, configuration);
    }

    public static ImageDataset Test => Datasets.Load(Info.Name).Test;

    public string Folder { get; } = Directory.CreateTempSubdirectory("quadengine-export-").FullName;

    public Classifier Classifier { get; }

    public string File(string name) => Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
