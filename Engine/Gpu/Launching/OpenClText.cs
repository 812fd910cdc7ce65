using System.Text.RegularExpressions;

namespace QuadEngine.Gpu;

/// <summary>
/// Makes ILGPU's OpenCL C acceptable to drivers without a generic address space (PoCL before version 4).
/// ILGPU assumes this address space in two places: for the pointer of dynamic shared memory and for the pointers of atomics. It also gives a kernel the same text in every
/// process, so that a driver finds it in its cache of compiled kernels.
/// </summary>
static partial class OpenClText
{
    public static string Rewrite(string source) => Renumbered(AddressSpacesOfAtomics(SharedMemoryInsideKernel(source)));

    // ILGPU numbers types, labels and parameters over everything that the process has compiled. This numbers them in the order of the text.
    static string Renumbered(string source)
    {
        var names = new Dictionary<string, string>();
        return Numbered().Replace(source, name => names.TryGetValue(name.Value, out var known) ? known : names[name.Value] = $"{name.Groups["name"].Value}_{names.Count}");
    }

    // A pointer to local memory may be declared only inside the kernel, not at program scope.
    static string SharedMemoryInsideKernel(string source)
    {
        var declarations = string.Concat(ProgramScopePointer().Matches(source).Select(match => match.Value));
        if (declarations.Length == 0) return source;
        source = ProgramScopePointer().Replace(source, "");
        var body = source.IndexOf('{', source.IndexOf("kernel void", StringComparison.Ordinal)) + 1;
        return source.Insert(body, "\n" + declarations);
    }

    // An atomic's operand is cast to a pointer without address space; the variable's own type says which one it is.
    static string AddressSpacesOfAtomics(string source)
    {
        var spaces = PointerType().Matches(source).ToDictionary(match => match.Groups["type"].Value, match => match.Groups["space"].Value);
        var types = new Dictionary<string, string>();
        foreach (Match match in Variable().Matches(source)) types[match.Groups["name"].Value] = match.Groups["type"].Value;
        return AtomicCast().Replace(source, match =>
            types.TryGetValue(match.Groups["name"].Value, out var type) && spaces.TryGetValue(type, out var space) && space != "__generic"
                ? $"(volatile {space} {match.Groups["atomic"].Value}*){match.Groups["name"].Value}"
                : match.Value);
    }

    // type_12, L_12_3, shared_var_len_12, _index_12
    [GeneratedRegex(@"\b(?<name>type|L|shared_var(?:_len)?|_\w+?)(?:_\d+)+\b")]
    private static partial Regex Numbered();

    [GeneratedRegex(@"^local [\w ]+\* shared_var_\d+;\r?\nint shared_var_len_\d+;\r?\n", RegexOptions.Multiline)]
    private static partial Regex ProgramScopePointer();

    [GeneratedRegex(@"typedef (?<space>\w+) [\w ]+\* (?<type>type_\d+);")]
    private static partial Regex PointerType();

    [GeneratedRegex(@"^\s*(?<type>type_\d+) (?<name>var\d+);", RegexOptions.Multiline)]
    private static partial Regex Variable();

    [GeneratedRegex(@"\((?<atomic>atomic_\w+)\*\)(?<name>var\d+)")]
    private static partial Regex AtomicCast();
}
