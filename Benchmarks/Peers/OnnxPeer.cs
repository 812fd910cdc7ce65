using Microsoft.ML.OnnxRuntime;
using QuadEngine.Models;

namespace QuadEngine.Benchmarks.Peers;

/// <summary>Inference in ONNX Runtime of the graph that QuadEngine exports, with all graph optimizations and without a copy of the input.</summary>
static class OnnxPeer
{
    public static (Action Step, string Version) Prepare(Contender contender)
    {
        var network = new NetworkWork(contender.Network, contender.Rank, contender.Batch, Device.Cpu).Network;
        var side = NetworkWork.Side(contender.Network);
        var settings = new SessionOptions { IntraOpNumThreads = contender.Threads, GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL };
        var session = new InferenceSession(OnnxExport.ToBytes(network, [side, side, 3], new OnnxOptions { FoldBatchNorm = true }), settings);
        var images = OrtValue.CreateTensorValueFromMemory(Tensor.Normal([contender.Batch, 3, side, side]).ToArray(), [contender.Batch, 3, side, side]);
        var options = new RunOptions();
        return (Infer, $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}");

        void Infer()
        {
            using var outputs = session.Run(options, ["input"], [images], ["output"]);
            _ = outputs[0].GetTensorDataAsSpan<float>()[0];
        }
    }
}
