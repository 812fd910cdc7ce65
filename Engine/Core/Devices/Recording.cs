namespace QuadEngine.Devices;

/// <summary>
/// What a device launches for one thread while a step runs, kept so that it can be run again without the host code that asked for it.
/// A device that can do so gives one by <see cref="Device.Record"/>; <see cref="RecordedStep"/> is what users see of it.
/// </summary>
/// <remarks>
/// A replay writes where the recorded step wrote: the blocks it took from the pool stay reserved for it. What the step changed on the
/// host (counters of random numbers and of optimizers, versions of what was overwritten) is changed again by every replay, and numbers that
/// follow from it or from a schedule are read again.
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

    /// <summary>A recording of what this thread launches on a device from now on, until <see cref="End"/>.</summary>
    /// <param name="device">Its pool reserves the blocks that the step rents.</param>
    protected Recording(Device device)
    {
        if (current is not null) throw new InvalidOperationException("RecordedStep: a step is being recorded on this thread; a step cannot hold another one.");
        Device = device;
    }

    /// <summary>What is being recorded on this thread, or null.</summary>
    public static Recording? Current => current;

    /// <summary>The device that records.</summary>
    public Device Device { get; }

    /// <summary>The operation that the thread is in, the innermost: what is launched now belongs to it. Null between operations, where users launch kernels of their own.</summary>
    public RecordedOperation? Operation { get; internal set; }

    /// <summary>Why the step cannot be replayed; null where it can.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Everything is still where the recording found it: no parameter was moved, no optimizer or default generator replaced.</summary>
    public bool IsUpToDate => layoutThen == layout && ReferenceEquals(defaultThen, Generator.Default);

    /// <summary>The step did something that a replay would leave out or repeat wrongly. It goes on, but will not be replayed.</summary>
    /// <param name="reason">A clause about the step, such as "it reads a value". The first one given stays (<see cref="Refusal"/>).</param>
    public void Refuse(string reason) => Refusal ??= reason;

    /// <summary>How far a random stream of the recorded step moves on by now; null where every replay draws the same.</summary>
    /// <param name="stream">As it was drawn while the step was recorded.</param>
    public Func<ulong>? Advance(RandomStream stream)
    {
        foreach (var (generator, (start, _)) in generators)
            if (generator.Seed == stream.Seed && stream.Stream >= start)
                return () => generator.Position - generators[generator].End;
        return null;
    }

    /// <summary>Launches everything again, after what it does on the host.</summary>
    public void Replay()
    {
        foreach (var effect in effects) effect();
        foreach (var storage in written) storage.BeginWrite();
        foreach (var (generator, (start, end)) in generators) generator.Position += end - start;
        Launch();
        foreach (var storage in written) storage.EndWrite();
    }

    /// <summary>Gives the reserved memory back.</summary>
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

    /// <summary>Memory that steps were recorded with was replaced: they are recorded anew.</summary>
    internal static void Outdate() => Interlocked.Increment(ref layout);
}
