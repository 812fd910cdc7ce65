namespace QuadEngine.Benchmarks.Peers;

/// <summary>What a step is.</summary>
enum Step
{
    /// <summary>Forward, cross-entropy, backward, SGD with momentum 0.9 and weight decay 1e-4.</summary>
    Train,

    /// <summary>Forward with running statistics, without a graph.</summary>
    Infer,
}

/// <summary>Who does it.</summary>
enum Library
{
    /// <summary>QuadEngine.</summary>
    Ours,

    /// <summary>TorchSharp on libtorch, images [N, C, H, W] in memory.</summary>
    TorchNchw,

    /// <summary>The same with images [N, H, W, C] in memory, libtorch's channels-last format.</summary>
    TorchChannelsLast,

    /// <summary>ONNX Runtime on the graph that QuadEngine exports.</summary>
    Onnx,
}

/// <summary>A library with a step of a network to run; each runs in a process of its own.</summary>
/// <param name="Library">Who does it.</param>
/// <param name="Step">What.</param>
/// <param name="Rank">Rank of the quadratic neurons, 0 for linear ones.</param>
/// <param name="Batch">Images a step.</param>
/// <param name="Threads">Threads that the library may use.</param>
/// <param name="Avx2">Vectors of 256 bits at most, as on a processor without AVX-512.</param>
/// <param name="Network">Of which network; libtorch has ResNet-20 alone.</param>
/// <param name="Build">The executable of another build of this program that does it, or null for this one.</param>
sealed record Contender(Library Library, Step Step, int Rank, int Batch, int Threads, bool Avx2 = false, NetworkShape Network = NetworkShape.ResNet20, string? Build = null)
{
    /// <summary>The command line of its process.</summary>
    public IEnumerable<string> ToArguments() =>
        ["worker", $"{Library}", "--step", $"{Step}", "--rank", $"{Rank}", "--batch", $"{Batch}", "--threads", $"{Threads}", "--network", $"{Network}"];

    /// <summary>Reads what <see cref="ToArguments"/> wrote, behind the word "worker".</summary>
    public static Contender Parse(string[] args)
    {
        var options = new Arguments(args[1..], "step", "rank", "batch", "threads", "network");
        return new(Enum.Parse<Library>(args[0]), Enum.Parse<Step>(options.Word("step", Enum.GetNames<Step>())),
            options.Number("rank", 0), options.Number("batch", 128), options.Number("threads", System.Environment.ProcessorCount),
            Network: Enum.Parse<NetworkShape>(options.Word("network", Enum.GetNames<NetworkShape>())));
    }

    /// <summary>The variables that hold .NET, libtorch, oneDNN and MKL to AVX2, where asked.</summary>
    public IEnumerable<(string Name, string Value)> Environment() => !Avx2 ? [] :
    [
        ("DOTNET_EnableAVX512", "0"), ("DOTNET_EnableAVX512F", "0"),
        ("ATEN_CPU_CAPABILITY", "avx2"), ("ONEDNN_MAX_CPU_ISA", "AVX2"), ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
    ];

    /// <summary>Network, neuron, step, batch, threads: what contenders that are compared have in common.</summary>
    public string Work =>
        $"{(Network == NetworkShape.ResNet18 ? "ResNet-18 at 224x224, " : "")}{(Rank == 0 ? "linear" : $"quadratic k = {Rank}")}, {(Step == Step.Train ? "training step" : "inference")} of {Batch}, {Threads} thread{(Threads == 1 ? "" : "s")}{(Avx2 ? ", AVX2" : "")}";

    /// <summary>The library in words.</summary>
    public string Name => Library switch
    {
        Library.Ours => Build is null ? "QuadEngine" : "QuadEngine, the other build",
        Library.TorchNchw => "libtorch, NCHW",
        Library.TorchChannelsLast => "libtorch, channels last",
        _ => "ONNX Runtime",
    };
}
