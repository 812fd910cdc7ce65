using QuadEngine.Benchmarks.Gpu.Parts;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>What a run was asked for: the device, how much work, and which parts of it. Nothing here touches the device before an item runs.</summary>
sealed class GpuBench
{
    static readonly Dictionary<string, Func<GpuBench, IEnumerable<WorkItem>>> Parts = new()
    {
        ["limits"] = LimitsPart.Items,
        ["check"] = CheckPart.Items,
        ["kernels"] = KernelsPart.Items,
        ["step"] = StepPart.Items,
        ["peers"] = PeersPart.Items,
        ["epochs"] = EpochsPart.Items,
        ["train"] = TrainPart.Items,
        ["tiles"] = TilesPart.Items,
    };

    readonly Dictionary<Precision, GpuDevice> devices = [];
    readonly string[] parts;

    /// <exception cref="ArgumentException">An option is unknown, or says something impossible.</exception>
    public GpuBench(IReadOnlyList<string> args)
    {
        var options = new Arguments(args, "device", "parts", "seconds", "output", "size", "batch", "check", "seeds", "torch", "data-dir", "from");
        Name = options.Text("device") is { Length: > 0 } given ? given : "cuda:0";
        Check.That(!Name.Contains('/', StringComparison.Ordinal), "gpu", $"\"{Name}\" has a precision; all of them are measured, so give the device alone, e.g. --device opencl:0.");
        parts = options.Text("parts") is { Length: > 0 } list ? list.Split(',') : [.. Parts.Keys];
        var unknown = parts.FirstOrDefault(part => !Parts.ContainsKey(part));
        Check.That(unknown is null, "gpu", $"there is no part \"{unknown}\"; --parts takes some of {string.Join(",", Parts.Keys)}.");
        IsCard = Name.StartsWith("cuda", StringComparison.Ordinal);
        Size = options.Number("size", IsCard ? 4096 : 128);
        Batch = options.Number("batch", IsCard ? 128 : 4);
        Seeds = options.Number("seeds", IsCard ? 8 : 2);
        Seconds = options.Number("seconds", int.MaxValue);
        From = options.Number("from", 0);
        (Methods, Python, DataFolder, Output) = (options.Text("check"), options.Text("torch"), options.Text("data-dir"), options.Text("output"));
        Items = [new("device", Name, () => [("description", null, Describe())]), .. parts.Distinct().SelectMany(part => Parts[part](this))];
    }

    /// <summary>A part was asked for.</summary>
    public bool Has(string part) => parts.Contains(part);

    /// <summary>The device's name, without a precision.</summary>
    public string Name { get; }

    /// <summary>A GPU of CUDA, which gets work of the size that GPUs are for; anything else gets enough to see that the program works.</summary>
    public bool IsCard { get; }

    /// <summary>Side of the matrices.</summary>
    public int Size { get; }

    /// <summary>Images of a step.</summary>
    public int Batch { get; }

    /// <summary>Random calls of each case.</summary>
    public int Seeds { get; }

    /// <summary>Methods whose names have this are checked; all for an empty text.</summary>
    public string Methods { get; }

    /// <summary>A Python with PyTorch for CUDA, or empty.</summary>
    public string Python { get; }

    /// <summary>Where CIFAR-10 lies, or empty.</summary>
    public string DataFolder { get; }

    /// <summary>Where results.jsonl goes, or empty.</summary>
    public string Output { get; }

    /// <summary>After which the run ends with what there is.</summary>
    public int Seconds { get; }

    /// <summary>The item that a worker begins with.</summary>
    public int From { get; }

    /// <summary>All that is to be done, in order.</summary>
    public IReadOnlyList<WorkItem> Items { get; }

    string Describe()
    {
        var device = At(Precision.Float32);
        return GpuDiagnostics.Describe().First(description => description.Name == device.Name).ToString();
    }

    /// <summary>The device at a precision.</summary>
    /// <exception cref="ArgumentException">There is no such device, or it is no GPU.</exception>
    public GpuDevice At(Precision precision)
    {
        if (devices.TryGetValue(precision, out var known)) return known;
        GpuDevices.Register();
        var found = Device.Get(precision == Precision.Float32 ? Name : $"{Name}/{precision}");
        Check.That(found is GpuDevice, "gpu", $"{Name} is no GPU; give one of those that `quad doctor` shows, e.g. --device opencl:0.");
        return devices[precision] = (GpuDevice)found;
    }
}
