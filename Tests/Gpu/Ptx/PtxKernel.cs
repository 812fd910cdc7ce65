namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>A kernel, decoded once for all its launches.</summary>
sealed class PtxKernel
{
    public required string Name { get; init; }

    public required Instruction[] Code
    {
        get;
        init => (field, Waits) = (value, Array.Exists(value, instruction => instruction is WaitForGrids));
    }

    /// <summary>Whether the kernel may start before the kernels that it depends on have ended. It waits for them, and must not access memory before that.</summary>
    public bool Waits { get; private init; }

    public required int RegisterWords { get; init; }

    public required int Predicates { get; init; }

    /// <summary>The registers for numbers in the text.</summary>
    public required IReadOnlyList<(int Register, ulong Bits, bool Wide)> Constants { get; init; }

    public required IReadOnlyList<(int Predicate, bool Value)> ConstantPredicates { get; init; }

    public required IReadOnlyList<(int Register, Special Special)> SpecialRegisters { get; init; }

    public required IReadOnlyList<Variable> Parameters { get; init; }

    public required IReadOnlyList<Variable> Shared { get; init; }

    public required IReadOnlyList<Variable> Local { get; init; }

    /// <summary>The registers that instructions of warp groups use.</summary>
    public IReadOnlySet<int> GroupRegisters => field ??= Code.OfType<GroupMultiply>().SelectMany(multiply => multiply.Sums.Concat(multiply.Left)).ToHashSet();

    /// <summary>The largest number of threads of a block.</summary>
    public required int MostThreads { get; init; }

    public int ParameterBytes => Parameters.Count == 0 ? 0 : Parameters[^1].End;

    public int LocalWords => IsLocal.Length;

    public int SharedWords => IsShared.Length;

    /// <summary>Whether each word belongs to a variable, not to the gap between two.</summary>
    public bool[] IsLocal => field ??= Words(Local);

    public bool[] IsShared => field ??= Words(Shared);

    static bool[] Words(IReadOnlyList<Variable> variables)
    {
        var words = new bool[variables.Count == 0 ? 0 : (variables[^1].End + 3) / 4];
        foreach (var variable in variables) words.AsSpan(variable.Start / 4, (variable.Bytes + 3) / 4).Fill(true);
        return words;
    }
}

/// <summary>A named part of shared or local memory, or of the arguments.</summary>
readonly record struct Variable(string Name, int Start, int Bytes)
{
    public int End => Start + Bytes;
}
