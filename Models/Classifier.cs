using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>A class and its probability according to a network, from 0 to 1.</summary>
/// <param name="Class">The name of the class.</param>
/// <param name="Probability">The probability by softmax: the probabilities of all classes add up to 1.</param>
public readonly record struct Prediction(string Class, float Probability)
{
    /// <summary>Returns e.g. "cat 93.1 %".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Class} {100f * Probability:0.0} %");
}

/// <summary>The meaning of a network's pixels and outputs. A file with this, the <see cref="NetworkConfiguration"/> and the weights needs no other explanation.</summary>
/// <param name="Classes">The name of the class of each output.</param>
/// <param name="Mean">The mean of each channel, for pixels scaled to [0, 1].</param>
/// <param name="Std">The standard deviation of each channel.</param>
/// <param name="Share">The side of the part of a photograph that the network sees, divided by the side of the largest centered part with the right proportions.</param>
public sealed record ImageDescription(IReadOnlyList<string> Classes, IReadOnlyList<float> Mean, IReadOnlyList<float> Std, float Share = 1f);

/// <summary>
/// A trained network with everything that is needed to classify image files: the size of its images, the normalization and the names of the classes. <see cref="Save"/> writes
/// one safetensors file, which every reader of safetensors and every command of the tool accepts as weights.
/// Threads may share one classifier.
/// <code>foreach (var (name, probability) in Classifier.Read("clothes.safetensors").Classify(Picture.Read("shoe.png"))) ...</code>
/// </summary>
public sealed class Classifier
{
    readonly Normalization normalization;

    /// <summary>Creates a classifier over a network, which it calls in an <see cref="EvaluationMode"/>.</summary>
    /// <param name="configuration">The construction of the network, and the size and the channels of its images.</param>
    /// <param name="network">A network, [N, H, W, C] to logits [N, classes]. The classifier keeps it and does not change its mode.</param>
    /// <param name="images">The meaning of pixels and outputs, for the channels and classes of the configuration.</param>
    /// <exception cref="ArgumentException">The numbers of channels or classes differ.</exception>
    public Classifier(NetworkConfiguration configuration, Module network, ImageDescription images)
    {
        Check.That(images.Classes.Count == configuration.Classes, nameof(Classifier), $"the network has {configuration.Classes} classes but {images.Classes.Count} names are given.");
        Check.That(images.Mean.Count == configuration.Channels, nameof(Classifier), $"the network reads {configuration.Channels} channels but the normalization is for {images.Mean.Count}.");
        (Configuration, Network, Images) = (configuration.Complete(), network, images);
        normalization = new([.. images.Mean], [.. images.Std]);
    }

    /// <summary>Creates a classifier for the images of a data set.</summary>
    /// <param name="configuration">The construction of the network; <see cref="InputForm.Share"/> says how much of a picture it sees.</param>
    /// <param name="network">A network, [N, H, W, C] to logits [N, classes]. The classifier keeps it and does not change its mode.</param>
    /// <param name="classes">The name of the class of each output.</param>
    /// <param name="normalization">The normalization of the images that the network was trained on.</param>
    /// <exception cref="ArgumentException">The numbers of channels or classes differ.</exception>
    public Classifier(NetworkConfiguration configuration, Module network, IReadOnlyList<string> classes, Normalization normalization)
        : this(configuration, network, new ImageDescription(classes, normalization.Mean, normalization.Std, Networks.Registry.Get(configuration.Model).Input.Share))
    {
    }

    /// <summary>The construction of the network.</summary>
    public NetworkConfiguration Configuration { get; }

    /// <summary>The network, [N, H, W, C] to logits [N, classes].</summary>
    public Module Network { get; }

    /// <summary>The meaning of pixels and outputs.</summary>
    public ImageDescription Images { get; }

    /// <summary>The number of values of one input: height x width x channels.</summary>
    public int InputLength => Configuration.InputShape().Elements;

    /// <summary>Reads a checkpoint of a run, or a file that <see cref="Save"/> wrote.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="InvalidFileException">The file is damaged, or does not describe its images.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static Classifier Read(string path)
    {
        using var file = SafeTensors.Open(path);
        return Read(file, path);
    }

    /// <summary>Reads a classifier from an open file.</summary>
    /// <param name="file">The file; it stays open.</param>
    /// <param name="name">The name of the file in error messages.</param>
    /// <inheritdoc cref="Read(string)" path="/exception"/>
    public static Classifier Read(SafeTensors file, string name)
    {
        var configuration = JsonSerializer.Deserialize(Value(Checkpoint.NetworkKey), ModelsJson.Default.NetworkConfiguration)!;
        var images = JsonSerializer.Deserialize(Value(Checkpoint.ImagesKey), ModelsJson.Default.ImageDescription)!;
        var network = configuration.Build().Eval();      // for callers that use the network without the classifier
        Checkpoint.Load(name, Checkpoint.WeightsOf(file.ReadAll()), network);
        return new(configuration, network, images);

        string Value(string key) => file.Metadata.GetValueOrDefault(key)
            ?? throw new InvalidFileException(name, $"metadata \"{key}\"", "it is missing, so the file does not say what its weights are for", "Use a checkpoint of a run, or write it with `quad export --format safetensors` or Classifier.Save.");
    }

    /// <summary>Whether a file describes its images as <see cref="Save"/> does.</summary>
    /// <param name="metadata">The metadata of the file: <see cref="SafeTensors.Metadata"/>.</param>
    public static bool Describes(IReadOnlyDictionary<string, string> metadata) => metadata.ContainsKey(Checkpoint.ImagesKey) && metadata.ContainsKey(Checkpoint.NetworkKey);

    /// <summary>Writes the network, its weights and the meaning of its images to one file.</summary>
    /// <param name="path">The file, which is replaced if it exists; its folder must exist.</param>
    /// <exception cref="IOException">The file cannot be written; an earlier file is unchanged.</exception>
    public void Save(string path) => SafeTensors.Write(path, Network.StateDictionary(), new Dictionary<string, string>
    {
        [Checkpoint.NetworkKey] = JsonSerializer.Serialize(Configuration, ModelsJson.Compact.NetworkConfiguration),
        [Checkpoint.ImagesKey] = JsonSerializer.Serialize(Images, ModelsJson.Compact.ImageDescription),
    });

    /// <summary>Returns the classes of a picture, the most probable first.</summary>
    /// <param name="picture">A picture of any size, gray or in color.</param>
    public IReadOnlyList<Prediction> Classify(Picture picture) => Rank(Logits(Input(picture)));

    /// <summary>Cuts, resizes and normalizes a picture to the input of the network, [H, W, C].</summary>
    /// <param name="picture">A picture of any size, gray or in color.</param>
    public float[] Input(Picture picture)
    {
        var (height, width) = (Configuration.Height, Configuration.Width);
        var seen = picture.WithChannels(Configuration.Channels).Resample(Frame.Center(picture.Height, picture.Width, height, width, Images.Share), height, width);
        var input = new float[InputLength];
        normalization.Apply(seen.Pixels, input);
        return input;
    }

    /// <summary>Reads the inputs of a file: one input of an image, all inputs of a file of raw tensors.</summary>
    /// <param name="path">An image; or a file ending in ".f32" that contains only normalized float32 values [N, H, W, C], little-endian.</param>
    /// <exception cref="InvalidFileException">The file is damaged.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public IEnumerable<float[]> Inputs(string path)
    {
        if (!Path.GetExtension(path).Equals(".f32", StringComparison.OrdinalIgnoreCase)) return [Input(Picture.Read(path, Configuration.Channels))];
        var bytes = File.ReadAllBytes(path);
        var size = sizeof(float) * InputLength;
        if (bytes.Length == 0 || bytes.Length % size != 0)
            throw new InvalidFileException(path, "", $"it has {bytes.Length} bytes, which is not a multiple of the {size} bytes of one input {Configuration.InputShape()} in float32");
        return bytes.Chunk(size).Select(chunk => MemoryMarshal.Cast<byte, float>(chunk).ToArray());
    }

    /// <summary>Returns the network's outputs for one input of <see cref="InputLength"/> values, or for several inputs, one after the other.</summary>
    /// <param name="inputs">The inputs [N, H, W, C], normalized as <see cref="Input"/> does it.</param>
    /// <exception cref="ArgumentException">The number of values is not a multiple of <see cref="InputLength"/>.</exception>
    public float[] Logits(ReadOnlySpan<float> inputs)
    {
        Check.That(inputs.Length > 0 && inputs.Length % InputLength == 0, nameof(Classifier), $"{inputs.Length} values are not a whole number of inputs {Configuration.InputShape()}.");
        using var evaluation = new EvaluationMode();
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        return Network.Forward(Tensor.FromSpan(inputs, Configuration.InputShape(inputs.Length / InputLength), Network.Device)).ToArray();
    }

    /// <summary>Returns the classes and their probabilities (softmax) from the outputs for one input, the most probable first.</summary>
    /// <param name="logits">The output of each class.</param>
    /// <exception cref="InvalidOperationException">An output is NaN or infinite, so the outputs have no meaning.</exception>
    public IReadOnlyList<Prediction> Rank(float[] logits)
    {
        if (Array.FindIndex(logits, logit => !float.IsFinite(logit)) is >= 0 and var wrong)
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"the network's output for {Images.Classes[wrong]} is {logits[wrong]}, so its answer has no meaning: the input is not finite, or the weights are too large for float32."));
        var highest = logits.Max();
        float[] exponentials = [.. logits.Select(logit => MathF.Exp(logit - highest))];
        var sum = exponentials.Sum();
        return [.. Images.Classes.Zip(exponentials, (name, e) => new Prediction(name, e / sum)).OrderByDescending(prediction => prediction.Probability)];
    }
}
