using Google.Protobuf;
using QuadEngine.Layers;
using QuadEngine.Models.Onnx;

namespace QuadEngine.Models;

/// <summary>Options for writing a network as ONNX.</summary>
public sealed record OnnxOptions
{
    /// <summary>Whether batch norms are multiplied into the convolution or linear layer directly before them: fewer operations, and the same outputs except for rounding.</summary>
    public bool FoldBatchNorm { get; init; }

    /// <summary>The name of the input.</summary>
    public string InputName { get; init; } = "input";

    /// <summary>The name of the output.</summary>
    public string OutputName { get; init; } = "output";

    /// <summary>Texts by key that are copied into the file: classes, the normalization of images, a license.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
}

/// <summary>
/// Writes networks as ONNX, operator set <see cref="Opset"/>, in inference mode, for any number of inputs at once. The network runs once
/// on a device that records the requested kernels, so any module can be exported if ONNX has its operations.
/// </summary>
/// <remarks>
/// The file has images in the layout of ONNX: an input [N, H, W, C] of this engine is [N, C, H, W] in the file, and so is an output of images. Parameters
/// keep their names and have the layout of PyTorch.
/// </remarks>
public static class OnnxExport
{
    /// <summary>The version of ONNX's operators in the files; runtimes since 2023 support it.</summary>
    public const int Opset = 18;

    const int IrVersion = 8;

    /// <summary>Writes a network to a file.</summary>
    /// <param name="path">The file, which is replaced if it exists.</param>
    /// <param name="network">A function of one tensor. After the call it is as before, but without gradients; no other thread may use it during the call.</param>
    /// <param name="inputShape">The shape of one input without the batch: [H, W, C] for images.</param>
    /// <param name="options">Names, metadata and folding; null for the defaults.</param>
    /// <exception cref="NotSupportedException">The network uses an operation that has no ONNX form here; the message names the module and the operation.</exception>
    /// <exception cref="IOException">The file cannot be written; an earlier file is unchanged.</exception>
    public static void Write(string path, Module network, Shape inputShape, OnnxOptions? options = null)
    {
        var model = Model(network, inputShape, options ?? new OnnxOptions());
        AtomicFile.Write(path, model.WriteTo);
    }

    /// <summary>Returns the content of the file.</summary>
    /// <inheritdoc cref="Write"/>
    public static byte[] ToBytes(Module network, Shape inputShape, OnnxOptions? options = null) => Model(network, inputShape, options ?? new OnnxOptions()).ToByteArray();

    static ModelProto Model(Module network, Shape inputShape, OnnxOptions options)
    {
        var batch = BatchToTrace(network, inputShape);
        var trace = new Trace(batch, options.FoldBatchNorm);
        var home = network.Device;
        var device = new TracingDevice(trace);
        using var evaluation = new EvaluationMode();
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        network.To(device);
        try
        {
            foreach (var (path, parameter) in network.NamedParameters()) trace.Name(parameter, path);
            foreach (var (path, buffer) in network.NamedBuffers()) trace.Name(buffer, path);
            Shape shape = [batch, .. inputShape];
            var input = Tensor.Empty(shape, device);
            using var given = input.Read();
            trace.Define(given, options.InputName, channelsFirst: shape.Rank == 4);
            var output = trace.Output(network.Forward(input));
            var graph = trace.Graph.Build(network.GetType().Name, trace.Describe(options.InputName, trace.Read(given)), output.Name, trace.Describe(options.OutputName, output));
            return new ModelProto
            {
                IrVersion = IrVersion,
                ProducerName = "QuadEngine",
                ProducerVersion = typeof(OnnxExport).Assembly.GetName().Version!.ToString(3),
                Graph = graph,
                OpsetImport = { new OperatorSetIdProto { Domain = "", Version = Opset } },
                MetadataProps = { options.Metadata.Select(entry => new StringStringEntryProto { Key = entry.Key, Value = entry.Value }) },
            };
        }
        finally
        {
            network.To(home);
        }
    }

    // Returns a prime that divides no extent of the network except the batch.
    static int BatchToTrace(Module network, Shape inputShape)
    {
        var extents = network.Parameters().SelectMany(parameter => parameter.Shape).Concat(inputShape).ToHashSet();
        return new[] { 101, 103, 107, 109, 113, 127, 131, 137, 139, 149 }.First(prime => extents.All(extent => extent % prime != 0));
    }
}
