namespace QuadEngine.Devices;

/// <summary>
/// The launches of a device for one thread during one step, kept so that they can run again without the host code of the step.
/// A device that can record gives one by <see cref="Device.Record"/>. Users work with <see cref="RecordedStep"/>.
/// </summary>
/// <remarks>
/// A replay writes to the memory of the recorded step: the blocks that the step took from the pool stay reserved for it. A replay repeats the step's changes on the
/// host (counters of random numbers and of optimizers, versions of overwritten tensors), and reads the numbers again that
/// follow from these counters or from a schedule.
/// </remarks>
public abstract class Recording : IDisposable
{
    [ThreadStatic] static Recording? current;
    static int layout;

    readonly Dictionary<Generator, (ulong Start, ulong End)> generators = [];
    readonly List<Action> effects = [];
    readonly HashSet<Storage> written = [];
    readonly HashSet<Tensor> leaves = [];
    readonly BlockReserve reserve = new();
    readonly int layoutThen = layout;
    readonly Generator defaultThen = Generator.Default;

    /// <summary>Starts a recording of everything that this thread launches on a device, until <see cref="End"/>.</summary>
    /// <param name="device">The device. Its pool reserves the blocks that the step takes.</param>
    protected Recording(Device device)
    {
        if (current is not null) throw new InvalidOperationException("RecordedStep: a step is being recorded on this thread; a step cannot hold another one.");
        Device = device;
    }

    /// <summary>The recording that is under way on this thread, or null.</summary>
    public static Recording? Current => current;

    /// <summary>The device that records.</summary>
    public Device Device { get; }

    /// <summary>The innermost operation that the thread is in; launches belong to it. Null between operations, where users launch their own kernels.</summary>
    public RecordedOperation? Operation { get; internal set; }

    /// <summary>The reason why the step cannot be replayed; null if it can.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Whether all memory is still where the recording found it: no parameter was moved, and no optimizer or default generator was replaced.</summary>
    public bool IsUpToDate => layoutThen == layout && ReferenceEquals(defaultThen, Generator.Default);

    /// <summary>The step did something that a replay would omit or repeat wrongly. The step continues, but it will not be replayed.</summary>
    /// <param name="reason">A clause about the step, such as "it reads a value". The first reason stays (<see cref="Refusal"/>).</param>
    public void Refuse(string reason) => Refusal ??= reason;

    /// <summary>How far a random stream of the recorded step has advanced by now; null if every replay draws the same numbers.</summary>
    /// <param name="stream">The stream as it was drawn while the step was recorded.</param>
    public Func<ulong>? Advance(RandomStream stream)
    {
        foreach (var (generator, (start, _)) in generators)
            if (generator.Seed == stream.Seed && stream.Stream >= start)
                return () => generator.Position - generators[generator].End;
        return null;
    }

    /// <summary>Repeats the step's changes on the host, then launches everything again.</summary>
    public void Replay()
    {
        foreach (var effect in effects) effect();
        foreach (var storage in written) storage.BeginWrite();
        foreach (var (generator, (start, end)) in generators) generator.Position += end - start;
        Launch();
        foreach (var storage in written) storage.EndWrite();
    }

    /// <summary>Returns the reserved memory.</summary>
    public virtual void Dispose()
    {
        Device.Pool.Release(reserve);
        GC.SuppressFinalize(this);
    }

    /// <summary>Launches everything again.</summary>
    protected abstract void Launch();

    /// <summary>The recording is complete.</summary>
    protected virtual void Ended()
    {
    }

    internal void Begin()
    {
        current = this;
        Device.Pool.RentInto(reserve);
    }

    internal void End()
    {
        if (ReferenceEquals(current, this)) current = null;
        Device.Pool.RentInto(null);
        foreach (var generator in generators.Keys.ToArray()) generators[generator] = (generators[generator].Start, generator.Position);
        if (leaves.Any(leaf => leaf.Grad is not null)) Refuse("it leaves gradients behind, which a replay would overwrite instead of adding to them; let the optimizer step inside");
        leaves.Clear();
        written.RemoveWhere(storage => storage.IsFreed);
        if (Refusal is null) Ended();
    }

    internal void Drawn(Generator generator)
    {
        if (generators.ContainsKey(generator)) return;
        if (generators.Keys.Any(other => other.Seed == generator.Seed)) Refuse("two generators of one seed draw in it");
        generators.Add(generator, (generator.Position, generator.Position));
    }

    /// <summary>The step writes the memory in place, and so does every replay.</summary>
    internal void Writes(Storage storage) => written.Add(storage);

    internal void OnHost(Action effect) => effects.Add(effect);

    internal void GivesGradient(Tensor leaf)
    {
        if (leaves.Add(leaf) && leaf.Grad is not null) Refuse("it adds to gradients of before the step, which the optimizer has not used or cleared");
    }

    /// <summary>Memory that recorded steps use was replaced, so these steps must be recorded again.</summary>
    internal static void Outdate() => Interlocked.Increment(ref layout);
}
