namespace QuadEngine.Layers;

/// <summary>
/// A part of a network: parameters, buffers and smaller modules under names. What a module holds is registered in its constructor, explicitly, so that the names
/// in checkpoints are those in the source. Its function is in <see cref="Module"/>, of one tensor, or in <see cref="Module{TInput, TOutput}"/>, of whatever it needs.
/// </summary>
/// <remarks>Many threads may call one module at once for inference; one thread at a time trains it, and a second one is told so.</remarks>
public abstract partial class ModuleBase
{
    readonly List<(string Name, ModuleBase Module)> children = [];
    readonly List<(string Name, Parameter Parameter, GroupSettings Settings)> parameters = [];
    readonly List<(string Name, BufferTensor Buffer)> buffers = [];
    readonly List<(string Name, Generator Generator)> generators = [];

    private protected ModuleBase()
    {
    }

    /// <summary>Training (batch statistics, dropout) or inference, for a call made here: as <see cref="ModuleModes.Train"/> and <see cref="ModuleModes.Eval"/> left it, and inference under <see cref="EvaluationMode"/>.</summary>
    public bool Training => Recompute.Mode(this, training && !EvaluationMode.Active);

    /// <summary>A call of the module's function on this thread: a scope of its tensors, from the check of what is registered to the end.</summary>
    private protected readonly ref struct CallUnderWay : IDisposable
    {
        readonly TensorScope.OnStack scope;
        readonly ModuleBase module;
        readonly ModuleBase? caller;

        public CallUnderWay(ModuleBase module)
        {
            (this.module, caller) = (module, running);
            scope = new TensorScope.OnStack(module.name);
            try
            {
                if (!module.isChecked || caller is not null && !module.isRegistered) module.CheckRegistered(caller);
            }
            catch
            {
                scope.Dispose();
                throw;
            }

            running = module;
            if (scope.IsOutermost) Interlocked.Increment(ref module.calls);
        }

        /// <summary>What the call gives, past its end.</summary>
        public T Results<T>(T value) => scope.Results(value);

        public void Dispose()
        {
            if (scope.IsOutermost) Interlocked.Decrement(ref module.calls);
            running = caller;
            scope.Dispose();
        }
    }

    // ---- registration

    string name = "";

    /// <summary>Takes in a child under a name.</summary>
    /// <param name="name">Its part of the paths of all inside, e.g. "layer1" of "layer1.0.conv1".</param>
    /// <param name="module">Given back, to be kept in a field.</param>
    protected T Register<T>(string name, T module) where T : ModuleBase
    {
        module.name = name;
        module.isRegistered = true;
        children.Add((name, module));
        return module;
    }

    /// <summary>Takes in a parameter under a name.</summary>
    /// <param name="name">Its key in files, behind the path of this module, e.g. "weight".</param>
    /// <param name="parameter">Given back, to be kept in a property.</param>
    /// <param name="settings">Where it is not updated as the others are; <see cref="GroupSettings.Default"/> where null.</param>
    protected Parameter Register(string name, Parameter parameter, GroupSettings? settings = null)
    {
        parameter.IsRegistered = true;
        parameters.Add((name, parameter, settings ?? GroupSettings.Default));
        return parameter;
    }

    /// <summary>Takes in a buffer: state that is saved but not learned.</summary>
    /// <param name="name">Its key in files, behind the path of this module, e.g. "running_mean".</param>
    /// <param name="buffer">Given back, to be kept in a property.</param>
    protected BufferTensor Register(string name, BufferTensor buffer)
    {
        buffers.Add((name, buffer));
        return buffer;
    }

    /// <summary>Takes in a generator of the module's own, whose state is saved in checkpoints, so that a run that goes on draws the same numbers.</summary>
    /// <param name="name">Its key in checkpoints, behind the path of this module.</param>
    /// <param name="generator">Given back, to be kept in a field.</param>
    protected Generator Register(string name, Generator generator)
    {
        generators.Add((name, generator));
        return generator;
    }

    // ---- what is inside

    /// <summary>The direct children.</summary>
    public IReadOnlyList<(string Name, ModuleBase Module)> Children => children;

    /// <summary>This module and all below it, with their paths ("layer1.0.conv1"; "" for this one), parents first.</summary>
    /// <param name="path">That of this module, with which all others begin; empty for the root.</param>
    public IEnumerable<(string Path, ModuleBase Module)> Modules(string path = "") =>
        children.SelectMany(child => child.Module.Modules(Join(path, child.Name))).Prepend((path, this));

    /// <summary>All parameters with their paths, in the order of registration; one that several modules share under its first.</summary>
    public IEnumerable<(string Path, Parameter Parameter)> NamedParameters() => Registered().Select(own => (own.Path, own.Parameter)).DistinctBy(own => own.Parameter);

    /// <summary>All buffers with their paths, in the order of registration.</summary>
    public IEnumerable<(string Path, BufferTensor Buffer)> NamedBuffers() =>
        Modules().SelectMany(entry => entry.Module.buffers.Select(own => (Join(entry.Path, own.Name), own.Buffer)));

    /// <summary>All generators that modules have of their own, with their paths; one that several modules share under its first.</summary>
    public IEnumerable<(string Path, Generator Generator)> NamedGenerators() =>
        Modules().SelectMany(entry => entry.Module.generators.Select(own => (Path: Join(entry.Path, own.Name), own.Generator))).DistinctBy(own => own.Generator);

    /// <summary>All parameters.</summary>
    public IEnumerable<Parameter> Parameters() => NamedParameters().Select(entry => entry.Parameter);

    /// <summary>Number of learned values.</summary>
    public long ParameterCount => Parameters().Sum(parameter => (long)parameter.Length);

    /// <summary>The parameters in groups of equal settings, for an optimizer: Lambda of quadratic neurons is one of its own.</summary>
    public IReadOnlyList<ParameterGroup> ParameterGroups() =>
    [
        .. Registered().DistinctBy(own => own.Parameter)
            .GroupBy(own => own.Settings, own => own.Parameter)
            .Select(group => new ParameterGroup(group.Key.Name, [.. group]) { LearningRateMultiplier = group.Key.LearningRateMultiplier, WeightDecay = group.Key.WeightDecay }),
    ];

    IEnumerable<(string Path, Parameter Parameter, GroupSettings Settings)> Registered() =>
        Modules().SelectMany(entry => entry.Module.parameters.Select(own => (Join(entry.Path, own.Name), own.Parameter, own.Settings)));

    // ---- modes and places

    /// <summary>Where the parameters are; the CPU for a module without any.</summary>
    public Device Device => Parameters().FirstOrDefault()?.Device ?? Device.Cpu;

    bool training = true;
    int calls;

    /// <summary>Switches this module and all below to training or to inference; <see cref="ModuleModes.Train"/> and <see cref="ModuleModes.Eval"/> give the module back.</summary>
    /// <param name="training">Training, else inference.</param>
    /// <exception cref="InvalidOperationException">The mode would change while the module is being called.</exception>
    public void SetMode(bool training)
    {
        var others = Modules().Select(entry => entry.Module).Where(module => module.training != training).ToArray();
        if (others.Length > 0)
            CheckIdle(training ? nameof(ModuleModes.Train) : nameof(ModuleModes.Eval), "would go on in another mode", $"Switch modes between calls, or open an {nameof(EvaluationMode)} around the calls that are to be inference.");
        foreach (var module in others) module.training = training;
    }

    /// <summary>Moves all parameters and buffers to a device, in place; <see cref="ModuleExtensions.To"/> gives the module back.</summary>
    /// <param name="device">Where they go. What moves loses its gradient.</param>
    /// <exception cref="InvalidOperationException">The module is being called.</exception>
    public void MoveTo(Device device)
    {
        CheckIdle(nameof(MoveTo), "would find some parameters moved and some not", "Move it between calls, or call a second network that is there already.");
        foreach (var (_, module) in Modules())
        {
            foreach (var (_, parameter, _) in module.parameters) parameter.MoveTo(device);
            foreach (var (_, buffer) in module.buffers) buffer.MoveTo(device);
        }
    }

    // What all calls would see half of may not change under one. A call counts at the outermost module only, so it is found there or above what changes.
    void CheckIdle(string operation, string consequence, string instead)
    {
        if (Modules().FirstOrDefault(entry => Volatile.Read(ref entry.Module.calls) > 0) is { Module: { } called })
            throw new InvalidOperationException($"{operation}: {called.GetType().Name} is being called, and {consequence}. {instead}");
    }

    static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}

/// <summary>Extensions that give back the type they were called on.</summary>
public static class ModuleExtensions
{
    /// <summary>Moves all parameters and buffers to a device, in place.</summary>
    /// <param name="module">Given back.</param>
    /// <param name="device">Where they are from now on.</param>
    public static T To<T>(this T module, Device device) where T : ModuleBase
    {
        module.MoveTo(device);
        return module;
    }
}

/// <summary>How an optimizer treats a parameter; parameters of equal settings form one group.</summary>
/// <param name="Name">"weights", "lambda", ...</param>
/// <param name="LearningRateMultiplier">Multiplies the optimizer's learning rate.</param>
/// <param name="WeightDecay">Weight decay of the group; null for the optimizer's.</param>
public sealed record GroupSettings(string Name, float LearningRateMultiplier = 1f, float? WeightDecay = null)
{
    /// <summary>As the optimizer says.</summary>
    public static GroupSettings Default { get; } = new("weights");
}
