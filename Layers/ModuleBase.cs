namespace QuadEngine.Layers;

/// <summary>
/// A part of a network: parameters, buffers and smaller modules with names. The constructor of a module registers each of them explicitly, so that the names
/// in checkpoints are those in the source. <see cref="Module"/> defines a function of one tensor, and <see cref="Module{TInput, TOutput}"/> a function of any input.
/// </summary>
/// <remarks>Many threads may call one module at the same time for inference. One thread at a time trains it; a second thread gets an error.</remarks>
public abstract partial class ModuleBase
{
    readonly List<(string Name, ModuleBase Module)> children = [];
    readonly List<(string Name, Parameter Parameter, GroupSettings Settings)> parameters = [];
    readonly List<(string Name, BufferTensor Buffer)> buffers = [];
    readonly List<(string Name, Generator Generator)> generators = [];

    private protected ModuleBase()
    {
    }

    /// <summary>Whether a call made here is in training (batch statistics, dropout) or in inference. <see cref="ModuleModes.Train"/> and <see cref="ModuleModes.Eval"/> set the mode; under <see cref="EvaluationMode"/> it is inference.</summary>
    public bool Training => Recompute.Mode(this, training && !EvaluationMode.Active);

    /// <summary>A call of the module's function on this thread: a scope of its tensors. It checks first whether everything is registered.</summary>
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

        /// <summary>The result of the call, which outlives the scope.</summary>
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

    /// <summary>Registers a child under a name.</summary>
    /// <param name="name">The name of the child in the paths of everything inside, e.g. "layer1" in "layer1.0.conv1".</param>
    /// <param name="module">The child. It is returned, so that it can be assigned to a field.</param>
    protected T Register<T>(string name, T module) where T : ModuleBase
    {
        module.name = name;
        module.isRegistered = true;
        children.Add((name, module));
        return module;
    }

    /// <summary>Registers a parameter under a name.</summary>
    /// <param name="name">The key in files, after the path of this module, e.g. "weight".</param>
    /// <param name="parameter">The parameter. It is returned, so that it can be assigned to a property.</param>
    /// <param name="settings">The settings of its updates, if they differ from those of other parameters; null for <see cref="GroupSettings.Default"/>.</param>
    protected Parameter Register(string name, Parameter parameter, GroupSettings? settings = null)
    {
        parameter.IsRegistered = true;
        parameters.Add((name, parameter, settings ?? GroupSettings.Default));
        return parameter;
    }

    /// <summary>Registers a buffer: state that is saved but not learned.</summary>
    /// <param name="name">The key in files, after the path of this module, e.g. "running_mean".</param>
    /// <param name="buffer">The buffer. It is returned, so that it can be assigned to a property.</param>
    protected BufferTensor Register(string name, BufferTensor buffer)
    {
        buffers.Add((name, buffer));
        return buffer;
    }

    /// <summary>Registers a generator that belongs to the module. Its state is saved in checkpoints, so that a resumed run draws the same numbers.</summary>
    /// <param name="name">The key in checkpoints, after the path of this module.</param>
    /// <param name="generator">The generator. It is returned, so that it can be assigned to a field.</param>
    protected Generator Register(string name, Generator generator)
    {
        generators.Add((name, generator));
        return generator;
    }

    // ---- content

    /// <summary>The direct children.</summary>
    public IReadOnlyList<(string Name, ModuleBase Module)> Children => children;

    /// <summary>This module and all modules inside, with their paths ("layer1.0.conv1"; "" for this one), parents first.</summary>
    /// <param name="path">The path of this module, with which all other paths begin; empty for the root.</param>
    public IEnumerable<(string Path, ModuleBase Module)> Modules(string path = "") =>
        children.SelectMany(child => child.Module.Modules(Join(path, child.Name))).Prepend((path, this));

    /// <summary>All parameters with their paths, in the order of registration. A parameter that several modules share has its first path.</summary>
    public IEnumerable<(string Path, Parameter Parameter)> NamedParameters() => Registered().Select(own => (own.Path, own.Parameter)).DistinctBy(own => own.Parameter);

    /// <summary>All buffers with their paths, in the order of registration.</summary>
    public IEnumerable<(string Path, BufferTensor Buffer)> NamedBuffers() =>
        Modules().SelectMany(entry => entry.Module.buffers.Select(own => (Join(entry.Path, own.Name), own.Buffer)));

    /// <summary>All registered generators with their paths. A generator that several modules share has its first path.</summary>
    public IEnumerable<(string Path, Generator Generator)> NamedGenerators() =>
        Modules().SelectMany(entry => entry.Module.generators.Select(own => (Path: Join(entry.Path, own.Name), own.Generator))).DistinctBy(own => own.Generator);

    /// <summary>All parameters.</summary>
    public IEnumerable<Parameter> Parameters() => NamedParameters().Select(entry => entry.Parameter);

    /// <summary>The number of learned values.</summary>
    public long ParameterCount => Parameters().Sum(parameter => (long)parameter.Length);

    /// <summary>The parameters in groups of equal settings, for an optimizer. Lambda of quadratic neurons is a separate group.</summary>
    public IReadOnlyList<ParameterGroup> ParameterGroups() =>
    [
        .. Registered().DistinctBy(own => own.Parameter)
            .GroupBy(own => own.Settings, own => own.Parameter)
            .Select(group => new ParameterGroup(group.Key.Name, [.. group]) { LearningRateMultiplier = group.Key.LearningRateMultiplier, WeightDecay = group.Key.WeightDecay }),
    ];

    IEnumerable<(string Path, Parameter Parameter, GroupSettings Settings)> Registered() =>
        Modules().SelectMany(entry => entry.Module.parameters.Select(own => (Join(entry.Path, own.Name), own.Parameter, own.Settings)));

    // ---- modes and devices

    /// <summary>The device of the parameters; the CPU if the module has none.</summary>
    public Device Device => Parameters().FirstOrDefault()?.Device ?? Device.Cpu;

    bool training = true;
    int calls;

    /// <summary>Switches this module and all modules inside to training or to inference; <see cref="ModuleModes.Train"/> and <see cref="ModuleModes.Eval"/> also return the module.</summary>
    /// <param name="training">True for training, false for inference.</param>
    /// <exception cref="InvalidOperationException">The mode would change while the module is being called.</exception>
    public void SetMode(bool training)
    {
        var others = Modules().Select(entry => entry.Module).Where(module => module.training != training).ToArray();
        if (others.Length > 0)
            CheckIdle(training ? nameof(ModuleModes.Train) : nameof(ModuleModes.Eval), "would continue in another mode", $"Switch modes between calls, or open an {nameof(EvaluationMode)} around the calls that should be in inference.");
        foreach (var module in others) module.training = training;
    }

    /// <summary>Moves all parameters and buffers to a device, in place; <see cref="ModuleExtensions.To"/> also returns the module.</summary>
    /// <param name="device">The new device. A tensor that moves loses its gradient.</param>
    /// <exception cref="InvalidOperationException">The module is being called.</exception>
    public void MoveTo(Device device)
    {
        CheckIdle(nameof(MoveTo), "would find some parameters moved and some not", "Move it between calls, or call a second network that is on the device already.");
        foreach (var (_, module) in Modules())
        {
            foreach (var (_, parameter, _) in module.parameters) parameter.MoveTo(device);
            foreach (var (_, buffer) in module.buffers) buffer.MoveTo(device);
        }
    }

    // A call must not see a partial change. Only the outermost module counts a call, so a call of a module is counted in it or in a module above it.
    void CheckIdle(string operation, string consequence, string instead)
    {
        if (Modules().FirstOrDefault(entry => Volatile.Read(ref entry.Module.calls) > 0) is { Module: { } called })
            throw new InvalidOperationException($"{operation}: {called.GetType().Name} is being called, and {consequence}. {instead}");
    }

    static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}

/// <summary>Extensions that return the type they were called on.</summary>
public static class ModuleExtensions
{
    /// <summary>Moves all parameters and buffers to a device, in place.</summary>
    /// <param name="module">The module, which is returned.</param>
    /// <param name="device">The new device.</param>
    public static T To<T>(this T module, Device device) where T : ModuleBase
    {
        module.MoveTo(device);
        return module;
    }
}

/// <summary>How an optimizer treats a parameter. Parameters with equal settings form one group.</summary>
/// <param name="Name">The name of the group: "weights", "lambda", ...</param>
/// <param name="LearningRateMultiplier">The factor for the optimizer's learning rate.</param>
/// <param name="WeightDecay">The weight decay of the group; null for the optimizer's.</param>
public sealed record GroupSettings(string Name, float LearningRateMultiplier = 1f, float? WeightDecay = null)
{
    /// <summary>The optimizer's own settings.</summary>
    public static GroupSettings Default { get; } = new("weights");
}
