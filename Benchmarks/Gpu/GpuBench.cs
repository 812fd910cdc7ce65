using QuadEngine.Benchmarks.Gpu.Parts;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>The options of a run: the device, the amount of work, and the parts. Nothing here touches the device before an item runs.</summary>
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

    /// <exception cref="ArgumentException">An option is unknown, or its value is impossible.</exception>
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

    /// <summary>Whether a part was requested.</summary>
    public bool Has(string part) => parts.Contains(part);

    /// <summary>The device's name, without a precision.</summary>
    public string Name { get; }

    /// <summary>Whether the device is a CUDA GPU, which gets work of realistic size. Other devices get only enough work to check the program.</summary>
    public bool IsCard { get; }

    /// <summary>The rows and columns of the matrices.</summary>
    public int Size { get; }

    /// <summary>The number of images in a step.</summary>
    public int Batch { get; }

    /// <summary>The number of random calls of each case.</summary>
    public int Seeds { get; }

    /// <summary>Methods whose names contain this text are checked; an empty text selects all.</summary>
    public string Methods { get; }

    /// <summary>A Python with PyTorch for CUDA, or empty.</summary>
    public string Python { get; }

    /// <summary>The folder of CIFAR-10, or empty.</summary>
    public string DataFolder { get; }

    /// <summary>The folder for results.jsonl, or empty.</summary>
    public string Output { get; }

    /// <summary>The number of seconds after which the run ends and reports what it has.</summary>
    public int Seconds { get; }

    /// <summary>The number of a worker's first item.</summary>
    public int From { get; }

    /// <summary>All items, in order.</summary>
    public IReadOnlyList<WorkItem> Items { get; }

    string Describe()
    {
        var device = At(Precision.Float32);
        return GpuDiagnostics.Describe().First(description => description.Name == device.Name).ToString();
    }

    /// <summary>The device at a precision.</summary>
    /// <exception cref="ArgumentException">There is no such device, or it is not a GPU.</exception>
    public GpuDevice At(Precision precision)
    {
        if (devices.TryGetValue(precision, out var known)) return known;
        GpuDevices.Register();
        var found = Device.Get(precision == Precision.Float32 ? Name : $"{Name}/{precision}");
        Check.That(found is GpuDevice, "gpu", $"{Name} is not a GPU; give one of the devices that `quad doctor` shows, e.g. --device opencl:0.");
        return devices[precision] = (GpuDevice)found;
    }
}
