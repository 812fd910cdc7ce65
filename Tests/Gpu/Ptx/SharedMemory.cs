namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>
/// The shared memory of a block, in words of 32 bits. For each word the threads that wrote and read it since the last barrier are known, so that two threads
/// that should wait for each other, but do not, are found in any order of execution.
/// </summary>
sealed class SharedMemory
{
    const int Many = -2, MostThreads = 1024;

    readonly PtxKernel kernel;
    readonly Word[] words;
    readonly List<int>[] fences = [.. Enumerable.Range(0, MostThreads).Select(_ => new List<int>())];
    int epoch = 1, firstEpoch;

    public SharedMemory(PtxKernel kernel)
    {
        this.kernel = kernel;
        words = new Word[kernel.SharedWords];
    }

    /// <summary>Begins a block. The values of earlier blocks are undefined.</summary>
    public void StartBlock()
    {
        firstEpoch = ++epoch;
        for (var i = 0; i < words.Length; i++) words[i].InFlight = words[i].GroupReads = 0;
        foreach (var thread in fences) thread.Clear();
    }

    /// <summary>All threads have arrived at a barrier.</summary>
    public void Barrier() => epoch++;

    public uint Read(Warp warp, int lane, ulong address)
    {
        var thread = warp.Number * Warp.Size + lane;
        ref var word = ref WordAt(warp, lane, address);
        if (word.WriteEpoch < firstEpoch) throw warp.Fault(lane, $"{Describe(address)} is read and was never written");
        if (word.InFlight != 0) throw warp.Fault(lane, $"{Describe(address)} is read while a copy of thread {word.InFlight - 1} to it (line {word.WriteLine}) may be under way: cp.async.wait_group, then a barrier");
        if (word.WriteEpoch == epoch && word.Writer != thread) throw warp.Fault(lane, $"{Describe(address)} is read, which thread {word.Writer} writes (line {word.WriteLine}) with no barrier between");
        word.Reader = word.ReadEpoch != epoch || word.Reader == thread ? thread : Many;
        (word.ReadEpoch, word.ReadLine) = (epoch, warp.Current.Line);
        return word.Value;
    }

    public void Write(Warp warp, int lane, ulong address, uint value)
    {
        ref var word = ref Claim(warp, lane, address);
        word.Value = value;
    }

    /// <summary>Begins a copy to a word. No thread may access the word until one has waited for the copy.</summary>
    public void BeginCopy(Warp warp, int lane, ulong address) => Claim(warp, lane, address).InFlight = warp.Number * Warp.Size + lane + 1;

    /// <summary>Ends a copy. The copying thread knows this at once, the others after a barrier.</summary>
    public void EndCopy(Warp warp, int lane, ulong address, uint value)
    {
        ref var word = ref WordAt(warp, lane, address);
        word.InFlight = 0;
        var thread = warp.Number * Warp.Size + lane;
        (word.Value, word.WriteEpoch, word.Writer, word.Fences) = (value, epoch, thread, fences[thread].Count);
    }

    /// <summary>Makes the earlier writes of the thread visible to wgmma.mma_async in threads that wait for it at a barrier.</summary>
    public void FenceProxy(Warp warp, int lane) => fences[warp.Number * Warp.Size + lane].Add(epoch);

    /// <summary>Begins to read a word by wgmma.mma_async. No thread may write to the word until one has waited for the instruction.</summary>
    public uint BeginGroupRead(Warp warp, ulong address)
    {
        ref var word = ref WordAt(warp, 0, address);
        if (word.WriteEpoch < firstEpoch) throw warp.Fault(0, $"{Describe(address)} is read and was never written");
        if (word.InFlight != 0) throw warp.Fault(0, $"{Describe(address)} is read while a copy of thread {word.InFlight - 1} to it (line {word.WriteLine}) may be under way");
        if (word.WriteEpoch == epoch) throw warp.Fault(0, $"{Describe(address)} is read, which thread {word.Writer} writes (line {word.WriteLine}) with no barrier between");
        if (fences[word.Writer].Count <= word.Fences || fences[word.Writer][word.Fences] == epoch) throw warp.Fault(0, $"{Describe(address)} is read, which thread {word.Writer} writes (line {word.WriteLine}) with no fence.proxy.async between, and a barrier after it");
        word.GroupReads++;
        word.ReadLine = warp.Current.Line;
        return word.Value;
    }

    /// <summary>Ends reading a word. The warp knows this at once, the others after a barrier.</summary>
    public void EndGroupRead(Warp warp, ulong address)
    {
        ref var word = ref WordAt(warp, 0, address);
        word.GroupReads--;
        (word.ReadEpoch, word.Reader) = (epoch, Many);
    }

    ref Word Claim(Warp warp, int lane, ulong address)
    {
        var thread = warp.Number * Warp.Size + lane;
        ref var word = ref WordAt(warp, lane, address);
        if (word.InFlight != 0) throw warp.Fault(lane, $"{Describe(address)} is written while a copy of thread {word.InFlight - 1} to it (line {word.WriteLine}) may be under way");
        if (word.GroupReads != 0) throw warp.Fault(lane, $"{Describe(address)} is written while products (line {word.ReadLine}) may still read it: wgmma.wait_group, then a barrier");
        if (word.WriteEpoch == epoch && word.Writer != thread) throw warp.Fault(lane, $"{Describe(address)} is written, which thread {word.Writer} writes too (line {word.WriteLine}) with no barrier between");
        if (word.ReadEpoch == epoch && word.Reader != thread) throw warp.Fault(lane, $"{Describe(address)} is written, which {(word.Reader == Many ? "other threads read" : $"thread {word.Reader} reads")} (line {word.ReadLine}) with no barrier between");
        (word.WriteEpoch, word.Writer, word.WriteLine, word.Fences) = (epoch, thread, warp.Current.Line, fences[thread].Count);
        return ref word;
    }

    ref Word WordAt(Warp warp, int lane, ulong address)
    {
        var at = address / 4;
        if (at >= (ulong)words.Length || !kernel.IsShared[at]) throw warp.Fault(lane, $"{Describe(address)} is not in a variable of this kernel");
        return ref words[at];
    }

    string Describe(ulong address)
    {
        foreach (var variable in kernel.Shared)
            if (address >= (ulong)variable.Start && address < (ulong)variable.End) return $"{variable.Name}[{address - (ulong)variable.Start}]";
        return $"shared address {(long)address}";
    }

    struct Word
    {
        public uint Value;
        public int WriteEpoch, Writer, WriteLine, ReadEpoch, Reader, ReadLine, InFlight;

        /// <summary>The number of fences of the writer before it wrote, and of instructions of warp groups that read the word.</summary>
        public int Fences, GroupReads;
    }
}
