using QuadEngine.Benchmarks.Operations;

namespace QuadEngine.Benchmarks.Peers;

/// <summary>A ratio to measure: the faster of some contenders over the faster of others, round by round.</summary>
/// <param name="Title">The title in the table.</param>
/// <param name="Of">The numerator.</param>
/// <param name="To">The denominator.</param>
/// <param name="Target">The highest ratio that is good enough, or null if there is no target.</param>
/// <param name="Memory">Whether the ratio is of peak memory instead of time.</param>
sealed record Ratio(string Title, Contender[] Of, Contender[] To, double? Target = null, bool Memory = false);

/// <summary>
/// Compares steps of networks, and single layers. The contenders of a round take turns, step by step, so that a disturbance of the machine affects all of
/// them. It prints the results and writes them to docs/performance.md. With --against FILE this build competes with another build of this program, and the
/// document does not change.
/// </summary>
static class Comparison
{
    static readonly Library[] Torch = [Library.TorchNchw, Library.TorchChannelsLast];

    public static int Run(string[] args)
    {
        var options = new Arguments(args, "rounds", "filter", "write", "against");
        var against = options.Text("against");
        Check.That(against is "" || File.Exists(against), nameof(Arguments), $"--against is \"{against}\", which is not a file; name the executable of this program that another checkout has built.");
        var report = new Report(options.Number("rounds", 15));
        var groups = against is "" ? Groups() : Groups().Select(group => (group.Title, Against(against, group.Ratios)));
        foreach (var (title, ratios) in groups.Where(group => group.Title.Contains(options.Text("filter"), StringComparison.OrdinalIgnoreCase)))
        {
            Console.Error.WriteLine($"{title} ...");
            report.Add(ratios, Turns.Take([.. ratios.SelectMany(ratio => (IEnumerable<Contender>)[.. ratio.Of, .. ratio.To]).Distinct()], report.Rounds));
        }

        if (against is "" && "operations".Contains(options.Text("filter"), StringComparison.OrdinalIgnoreCase)) report.AddOperations(Machine.Measure(), OperationCase.All);
        Console.WriteLine(report);
        if (against is "" && options.Word("write", "yes", "no") == "yes") report.Write();
        return 0;
    }

    // The contenders of this build in a group, each against the same contender of another build.
    static Ratio[] Against(string build, Ratio[] ratios) =>
    [
        .. from work in ratios.SelectMany(ratio => ratio.Of).Where(contender => contender.Library == Library.Ours).Distinct()
           from memory in (bool[])[false, true]
           select new Ratio($"{work.Work}{(memory ? ", peak memory" : "")} / the other build", [work], [work with { Build = build }], memory ? null : 1.02, memory),
    ];

    static IEnumerable<(string Title, Ratio[] Ratios)> Groups()
    {
        yield return ("training, 2 threads",
        [
            new("linear, training step / libtorch", Ours(Step.Train, 0), Peers(Step.Train, 0), 0.60),
            new("quadratic k = 3, training step / libtorch", Ours(Step.Train, 3), Peers(Step.Train, 3), 0.40),
            new("our quadratic / our linear training step", Ours(Step.Train, 3), Ours(Step.Train, 0), 1.05),
            new("libtorch's quadratic / its linear training step", Peers(Step.Train, 3), Peers(Step.Train, 0)),
            new("linear, peak memory of training / libtorch", Ours(Step.Train, 0), Peers(Step.Train, 0), 0.6, Memory: true),
            new("quadratic k = 3, peak memory of training / libtorch", Ours(Step.Train, 3), Peers(Step.Train, 3), 0.6, Memory: true),
        ]);
        yield return ("inference of 128, 2 threads", Inference(128, 2, torch: (0.6, 0.4), onnx: null));
        yield return ("inference of 128, 1 thread", Inference(128, 1, torch: null, onnx: null));
        yield return ("inference of 8, 2 threads", Inference(8, 2, torch: null, onnx: 1.0));
        yield return ("inference of 1, 2 threads", Inference(1, 2, torch: null, onnx: 1.0));
        yield return ("inference of 1, 1 thread", Inference(1, 1, torch: null, onnx: 1.0));
        yield return ("ResNet-18, inference of 1", [.. from threads in (int[])[2, 1] from rank in (int[])[0, 3] select OneImage(NetworkShape.ResNet18, rank, threads, 1.0)]);
        foreach (var (network, batch, target) in ((NetworkShape, int, double)[])[(NetworkShape.ResNet50, 4, 0.65), (NetworkShape.ResNet18, 8, 0.5), (NetworkShape.Vgg16, 32, 0.55)])
            yield return ($"networks: {NetworkPlan.Of(network).Title}, training step", [Training(network, batch, target, memory: false), Training(network, batch, 0.6, memory: true)]);
        foreach (var network in (NetworkShape[])[NetworkShape.MobileNetV2, NetworkShape.ResNet50])
            yield return ($"networks: {NetworkPlan.Of(network).Title}, inference of 1", [.. from threads in (int[])[2, 1] select OneImage(network, 0, threads, 0.9)]);
        foreach (var avx2 in (bool[])[false, true])
            foreach (var work in LayerWork.All) yield return ($"layers{(avx2 ? ", AVX2 only" : "")}: {work.Name}", [Layer(work, avx2, memory: false), Layer(work, avx2, memory: true)]);
        yield return ("training, AVX2 only",
        [
            new("AVX2 only, linear, training step / libtorch", Ours(Step.Train, 0, avx2: true), Peers(Step.Train, 0, avx2: true), 0.9),
            new("AVX2 only, quadratic k = 3, training step / libtorch", Ours(Step.Train, 3, avx2: true), Peers(Step.Train, 3, avx2: true)),
        ]);
    }

    static Ratio[] Inference(int batch, int threads, (double Linear, double Quadratic)? torch, double? onnx) =>
    [
        .. from rank in (int[])[0, 3]
           from peers in (Library[][])[Torch, [Library.Onnx]]
           let work = new Contender(Library.Ours, Step.Infer, rank, batch, threads)
           select new Ratio($"{work.Work} / {(peers == Torch ? "libtorch" : "ONNX Runtime")}", [work], [.. peers.Select(peer => work with { Library = peer })],
               peers != Torch ? onnx : rank == 0 ? torch?.Linear : torch?.Quadratic),
    ];

    static Ratio OneImage(NetworkShape network, int rank, int threads, double target)
    {
        var work = new Contender(Library.Ours, Step.Infer, rank, 1, threads, Network: network);
        return new($"{work.Work} / ONNX Runtime", [work], [work with { Library = Library.Onnx }], target);
    }

    static Ratio Training(NetworkShape network, int batch, double target, bool memory)
    {
        var work = new Contender(Library.Ours, Step.Train, 0, batch, 2, Network: network);
        return new($"{work.Work}{(memory ? ", peak memory" : "")} / libtorch", [work], [.. Torch.Select(library => work with { Library = library })], target, memory);
    }

    static Ratio Layer(LayerWork work, bool avx2, bool memory) => new($"{(avx2 ? "AVX2 only, " : "")}{work.Name}{(memory ? ", peak memory" : "")} / libtorch",
        [new(Library.Ours, Step.Train, 0, 0, 2, avx2, Layer: work.Name)], [.. Torch.Select(library => new Contender(library, Step.Train, 0, 0, 2, avx2, Layer: work.Name))],
        memory ? 0.6 : avx2 ? 1.0 : work.Target, memory);

    static Contender[] Ours(Step step, int rank, bool avx2 = false) => [new(Library.Ours, step, rank, 128, 2, avx2)];

    static Contender[] Peers(Step step, int rank, bool avx2 = false) => [.. Torch.Select(library => new Contender(library, step, rank, 128, 2, avx2))];
}
