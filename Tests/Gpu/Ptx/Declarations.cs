namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>A register: its number of bytes, 0 for a predicate, and its place among the registers of a warp. A register of two bytes takes four, of which the upper two are 0.</summary>
readonly record struct Register(int Bytes, int Place);

/// <summary>The declarations in the text of a kernel so far. Registers of inline instructions belong to the braces around them.</summary>
sealed class Declarations
{
    // The gap between two variables, so that an index outside of one variable does not silently reach the next.
    const int Gap = 16;

    static readonly Dictionary<string, Special> Specials = new()
    {
        ["%tid.x"] = Special.ThreadX, ["%tid.y"] = Special.ThreadY, ["%tid.z"] = Special.ThreadZ,
        ["%ctaid.x"] = Special.BlockX, ["%ctaid.y"] = Special.BlockY, ["%ctaid.z"] = Special.BlockZ,
        ["%ntid.x"] = Special.ThreadsX, ["%ntid.y"] = Special.ThreadsY, ["%ntid.z"] = Special.ThreadsZ,
        ["%nctaid.x"] = Special.BlocksX, ["%nctaid.y"] = Special.BlocksY, ["%nctaid.z"] = Special.BlocksZ,
        ["%laneid"] = Special.Lane, ["%warpid"] = Special.WarpNumber,
    };

    readonly Stack<Dictionary<string, Register>> scopes = new([[]]);
    readonly Dictionary<string, int> specials = [];
    readonly Dictionary<(ulong, bool), int> constants = [];
    readonly Dictionary<bool, int> constantPredicates = [];
    readonly List<Variable> parameters = [], shared = [], local = [];

    public IReadOnlyList<Variable> Parameters => parameters;

    public IReadOnlyList<Variable> Shared => shared;

    public IReadOnlyList<Variable> Local => local;

    public IReadOnlyList<(int, ulong, bool)> Constants => [.. constants.Select(constant => (constant.Value, constant.Key.Item1, constant.Key.Item2))];

    public IReadOnlyList<(int, Special)> SpecialRegisters => [.. specials.Select(special => (special.Value, Specials[special.Key]))];

    public IReadOnlyList<(int, bool)> ConstantPredicates => [.. constantPredicates.Select(constant => (constant.Value, constant.Key))];

    public int Words { get; private set; }

    public int Predicates { get; private set; }

    public int Depth => scopes.Count;

    public void Open() => scopes.Push([]);

    public void Close() => scopes.Pop();

    public void AddRegister(string name, int bytes) => scopes.Peek().Add(name, new Register(bytes, bytes == 0 ? Predicates++ : NewWords(bytes)));

    public void AddParameter(string name, int align, int bytes) => Add(parameters, name, align, bytes, gap: 0);

    public void AddShared(string name, int align, int bytes) => Add(shared, name, align, bytes, Gap);

    public void AddLocal(string name, int align, int bytes) => Add(local, name, align, bytes, Gap);

    public Register? Register(string name)
    {
        foreach (var scope in scopes)
            if (scope.TryGetValue(name, out var register)) return register;
        return null;
    }

    public int? SpecialRegister(string name)
    {
        if (!Specials.ContainsKey(name)) return null;
        return specials.TryGetValue(name, out var place) ? place : specials[name] = NewWords(4);
    }

    public Variable? Variable(string name) => shared.Concat(local).Where(variable => variable.Name == name).Select(variable => (Variable?)variable).FirstOrDefault();

    public Variable? Parameter(string name) => parameters.Where(parameter => parameter.Name == name).Select(parameter => (Variable?)parameter).FirstOrDefault();

    /// <summary>A register that holds a number.</summary>
    public int Constant(ulong bits, bool wide)
    {
        var key = (wide ? bits : (uint)bits, wide);
        return constants.TryGetValue(key, out var place) ? place : constants[key] = NewWords(wide ? 8 : 4);
    }

    public int ConstantPredicate(bool value) => constantPredicates.TryGetValue(value, out var place) ? place : constantPredicates[value] = Predicates++;

    static void Add(List<Variable> variables, string name, int align, int bytes, int gap)
    {
        var free = variables.Count == 0 ? 0 : variables[^1].End + gap;
        variables.Add(new Variable(name, (free + align - 1) / align * align, bytes));
    }

    int NewWords(int bytes)
    {
        var place = Words;
        Words += Warp.Size * Math.Max(bytes, 4) / 4;
        return place;
    }
}
