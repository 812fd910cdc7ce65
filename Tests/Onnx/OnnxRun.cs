using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Onnx;

/// <summary>An exported network in ONNX Runtime, with the network itself.</summary>
sealed class OnnxRun : IDisposable
{
    readonly InferenceSession session;
    readonly Module network;

    public OnnxRun(Module network, Shape inputShape, OnnxOptions? options = null)
    {
        this.network = network;
        Model = OnnxExport.ToBytes(network, inputShape, options);
        using var settings = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        session = new InferenceSession(Model, settings);
    }

    public byte[] Model { get; }

    public IReadOnlyDictionary<string, NodeMetadata> Inputs => session.InputMetadata;

    public IReadOnlyDictionary<string, NodeMetadata> Outputs => session.OutputMetadata;

    /// <summary>The types of the nodes in the file, e.g. "Conv".</summary>
    public IReadOnlyList<string> Operations => [.. Models.Onnx.ModelProto.Parser.ParseFrom(Model).Graph.Node.Select(node => node.OpType)];

    /// <summary>Runs the exported network. Images have their channels first, in the input and in the output.</summary>
    public float[] Run(Tensor x)
    {
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        var input = x.Rank == 4 ? x.ToChannelsFirst() : x;
        using var results = session.Run([NamedOnnxValue.CreateFromTensor(session.InputNames[0], new DenseTensor<float>(input.ToArray(), input.Shape.ToArray()))]);
        var output = results[0].AsTensor<float>().ToDenseTensor();
        var y = Tensor.FromSpan(output.Buffer.Span, output.Dimensions.ToArray());
        return (y.Rank == 4 ? y.ToChannelsLast() : y).ToArray();
    }

    public float[] Ours(Tensor x)
    {
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        return network.Eval().Forward(x).ToArray();
    }

    /// <summary>Checks that both give the same values, within a tolerance relative to the larger of 1 and the largest value.</summary>
    public void AssertAgreement(Tensor x, float tolerance = 1e-4f)
    {
        var (got, expected) = (Run(x), Ours(x));
        Assert.That(expected, Has.All.Matches<float>(float.IsFinite));
        Assert.That(expected.Length == 1 || expected.Distinct().Count() > 1, "the test must have something to compare");
        var scale = MathF.Max(1f, expected.Max(MathF.Abs));
        Assert.That(got, Is.EqualTo(expected).Within(tolerance * scale));
    }

    public void Dispose() => session.Dispose();
}
