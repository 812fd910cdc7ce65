namespace QuadEngine.Benchmarks.Peers;

/// <summary>The kind of step.</summary>
enum Step
{
    /// <summary>Forward, cross-entropy, backward, SGD with momentum 0.9 and weight decay 1e-4.</summary>
    Train,

    /// <summary>Forward with running statistics, without a graph.</summary>
    Infer,
}

/// <summary>The library that runs the step.</summary>
enum Library
{
    /// <summary>QuadEngine.</summary>
    Ours,

    /// <summary>TorchSharp on libtorch, images [N, C, H, W] in memory.</summary>
    TorchNchw,

    /// <summary>TorchSharp on libtorch, images [N, H, W, C] in memory, libtorch's channels-last format.</summary>
    TorchChannelsLast,

    /// <summary>ONNX Runtime on the graph that QuadEngine exports.</summary>
    Onnx,
}

/// <summary>A library with a step of a network. Each contender runs in its own process.</summary>
/// <param name="Library">The library.</param>
/// <param name="Step">The kind of step.</param>
/// <param name="Rank">Rank of the quadratic neurons, or 0 for linear neurons.</param>
/// <param name="Batch">The number of images per step.</param>
/// <param name="Threads">The number of threads that the library may use.</param>
/// <param name="Avx2">Whether vectors have at most 256 bits, as on a processor without AVX-512.</param>
/// <param name="Network">The network.</param>
/// <param name="Layer">The name of a <see cref="LayerWork"/> that is the step instead of a network's, or empty.</param>
/// <param name="Build">The executable of another build of this program that runs the step, or null for this build.</param>
sealed record Contender(Library Library, Step Step, int Rank, int Batch, int Threads, bool Avx2 = false, NetworkShape Network = NetworkShape.ResNet20, string Layer = "", string? Build = null)
{
    /// <summary>The command line of its process.</summary>
    public IEnumerable<string> ToArguments() =>
        ["worker", $"{Library}", "--step", $"{Step}", "--rank", $"{Rank}", "--batch", $"{Batch}", "--threads", $"{Threads}", "--network", $"{Network}", .. Layer is "" ? Array.Empty<string>() : ["--layer", Layer]];

    /// <summary>Reads the arguments of <see cref="ToArguments"/>, after the word "worker".</summary>
    public static Contender Parse(string[] args)
    {
        var options = new Arguments(args[1..], "step", "rank", "batch", "threads", "network", "layer");
        return new(Enum.Parse<Library>(args[0]), Enum.Parse<Step>(options.Word("step", Enum.GetNames<Step>())),
            options.Number("rank", 0), options.Number("batch", 128), options.Number("threads", System.Environment.ProcessorCount),
            Network: Enum.Parse<NetworkShape>(options.Word("network", Enum.GetNames<NetworkShape>())), Layer: options.Text("layer"));
    }

    /// <summary>The environment variables that limit .NET, libtorch, oneDNN and MKL to AVX2, if requested.</summary>
    public IEnumerable<(string Name, string Value)> Environment() => !Avx2 ? [] :
    [
        ("DOTNET_EnableAVX512", "0"), ("DOTNET_EnableAVX512F", "0"),
        ("ATEN_CPU_CAPABILITY", "avx2"), ("ONEDNN_MAX_CPU_ISA", "AVX2"), ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
    ];

    /// <summary>Network, neuron, step, batch and threads, which compared contenders have in common.</summary>
    public string Work => Layer is not "" ? $"{Layer}, {Threads} thread{(Threads == 1 ? "" : "s")}{(Avx2 ? ", AVX2" : "")}" :
        $"{Neurons}, {(Step == Step.Train ? "training step" : "inference")} of {Batch}, {Threads} thread{(Threads == 1 ? "" : "s")}{(Avx2 ? ", AVX2" : "")}";

    string Neurons => (Network == NetworkShape.ResNet20 ? "" : $"{NetworkPlan.Of(Network).Title}, ") + (Rank == 0 ? "linear" : $"quadratic k = {Rank}");

    /// <summary>The library in words.</summary>
    public string Name => Library switch
    {
        Library.Ours => Build is null ? "QuadEngine" : "QuadEngine, the other build",
        Library.TorchNchw => "libtorch, NCHW",
        Library.TorchChannelsLast => "libtorch, channels last",
        _ => "ONNX Runtime",
    };
}
