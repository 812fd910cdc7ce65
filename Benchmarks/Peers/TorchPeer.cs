using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace QuadEngine.Benchmarks.Peers;

/// <summary>The work in TorchSharp, written for speed.</summary>
static class TorchPeer
{
    const int Classes = 10;

    public static (Action Step, string Version) Prepare(Contender contender)
    {
        WeakVersionNeeds.Allow(Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so"), "GLIBCXX_3.4.32", "libstdc++.so.6", "_ZSt21ios_base_library_initv");
        set_num_threads(contender.Threads);
        var channelsLast = contender.Library == Library.TorchChannelsLast;
        var version = $"TorchSharp {typeof(torch).Assembly.GetName().Version!.ToString(3)}, libtorch {__version__}";
        if (contender.Layer is not "") return (LayerWork.Get(contender.Layer).Torch(channelsLast), version);
        NativeModule network = contender.Network == NetworkShape.ResNet20 ? new TorchResNet20(Classes, contender.Rank, channelsLast) : TorchNetwork.Make(NetworkPlan.Of(contender.Network), channelsLast);
        var side = NetworkWork.Side(contender.Network);
        var images = channelsLast ? randn(contender.Batch, side, side, 3).permute(0, 3, 1, 2) : randn(contender.Batch, 3, side, side);
        var labels = arange(contender.Batch, ScalarType.Int64).remainder(Classes);
        return (contender.Step == Step.Train ? Train(network, images, labels) : Infer(network, images), version);
    }

    static Action Train(NativeModule network, NativeTensor images, NativeTensor labels)
    {
        network.train();
        var sgd = optim.SGD(network.parameters(), 0.01, momentum: 0.9, weight_decay: 1e-4);
        return () =>
        {
            using var scope = NewDisposeScope();
            sgd.zero_grad();
            var loss = functional.cross_entropy(network.forward(images), labels);
            loss.backward();
            sgd.step();
            _ = loss.item<float>();
        };
    }

    static Action Infer(NativeModule network, NativeTensor images)
    {
        network.eval();
        return () =>
        {
            using var scope = NewDisposeScope();
            using var mode = inference_mode();
            _ = network.forward(images)[0, 0].item<float>();
        };
    }
}
