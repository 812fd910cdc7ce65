using System.Globalization;
using System.Text.RegularExpressions;

namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>Reads the text of a module with one kernel. It refuses everything that it does not know.</summary>
sealed partial class PtxParser
{
    readonly string text;
    readonly Declarations declared = new();
    readonly List<Instruction> code = [];
    readonly Dictionary<string, int> labels = [];
    readonly Dictionary<string, string[]> tables = [];
    int at;

    // Blanks replace comments, so that line numbers do not change.
    PtxParser(string text) => this.text = Comment().Replace(text, comment => NotNewLine().Replace(comment.Value, " "));

    /// <summary>Returns the kernel. Its name comes from a comment in the first line, else from its entry.</summary>
    public static PtxKernel Parse(string text)
    {
        var name = text.StartsWith("// ", StringComparison.Ordinal) ? text[3..text.IndexOf('\n', StringComparison.Ordinal)].Trim() : null;
        try
        {
            return new PtxParser(text).Module(name);
        }
        catch (PtxFault fault) when (name is not null)
        {
            throw new PtxFault($"{name}, {fault.Message}");
        }
    }

    PtxKernel Module(string? name)
    {
        var header = Take(Header(), "a header: .version, .target, .address_size 64");
        var entry = Take(Entry(), "a .visible .entry with .param and .maxntid");
        foreach (var parameter in entry.Groups["parameters"].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)) Parameter(parameter);
        while (!Ends()) Statement();
        if (text[at..].Trim() is { Length: > 0 } rest) throw Fault($"there is more text after the kernel: {rest.Split('\n')[0]}");
        var threads = entry.Groups["threads"].Captures.Select(extent => int.Parse(extent.Value, CultureInfo.InvariantCulture));
        if (code.Exists(instruction => instruction is GroupMultiply) && (header.Groups["target"].Value != "sm_90a" || decimal.Parse(header.Groups["version"].Value, CultureInfo.InvariantCulture) < 8))
            throw Fault("wgmma.mma_async needs .target sm_90a and .version 8.0");
        Resolve();
        return new PtxKernel
        {
            Name = name ?? entry.Groups["name"].Value,
            Code = [.. code],
            RegisterWords = declared.Words,
            Predicates = declared.Predicates,
            Constants = declared.Constants,
            ConstantPredicates = declared.ConstantPredicates,
            SpecialRegisters = declared.SpecialRegisters,
            Parameters = declared.Parameters,
            Shared = declared.Shared,
            Local = declared.Local,
            MostThreads = threads.Any() ? threads.Aggregate((product, extent) => product * extent) : 1024,
        };
    }

    // Inline instructions may have their own braces with their own registers.
    bool Ends()
    {
        if (Brace().Match(text, at) is not { Success: true } brace) return false;
        at += brace.Length;
        if (brace.Value.Trim() == "{") declared.Open();
        else if (declared.Depth == 1) return true;
        else declared.Close();
        return Ends();
    }

    void Statement()
    {
        if (Label().Match(text, at) is { Success: true } label)
        {
            at += label.Length;
            if (!labels.TryAdd(label.Groups["name"].Value, code.Count)) throw Fault($"the label {label.Groups["name"].Value} stands twice");
            if (BranchTargets().Match(text, at) is not { Success: true } table) return;
            at += table.Length;
            tables[label.Groups["name"].Value] = Names(table.Groups["names"].Value);
            return;
        }

        if (Declaration().Match(text, at) is { Success: true } declaration)
        {
            at += declaration.Length;
            Declare(declaration);
            return;
        }

        var match = Take(InstructionText(), "an instruction");
        var (line, source) = (LineAt(match.Groups["name"].Index), Spaces().Replace(match.Value.Trim(), " "));
        var operands = new Operands(declared, line, source, Split(match.Groups["operands"].Value));
        var instruction = InstructionSet.Decode(match.Groups["name"].Value, operands);
        if (operands.Used < operands.Count) throw operands.Fault("it has more operands than are known");
        (instruction.Line, instruction.Text, instruction.Registers) = (line, source, operands.Registers);
        if (match.Groups["guard"].Success)
        {
            instruction.Guard = declared.Register(match.Groups["guard"].Value) is { Bytes: 0, Place: var place } ? place : throw operands.Fault("its guard is not a predicate");
            instruction.GuardNegated = match.Groups["not"].Length > 0;
        }

        code.Add(instruction);
    }

    void Declare(Match declaration)
    {
        var (space, type, name) = (declaration.Groups["space"].Value, declaration.Groups["type"].Value, declaration.Groups["name"].Value);
        if (space == "reg")
        {
            if (declaration.Groups["align"].Success || declaration.Groups["bytes"].Success) throw Fault($"this declaration of a register is not known: {declaration.Value.Trim()}");
            if (!declaration.Groups["count"].Success) declared.AddRegister(name, BytesOf(type));
            else
                for (var i = 0; i < int.Parse(declaration.Groups["count"].Value, CultureInfo.InvariantCulture); i++) declared.AddRegister($"{name}{i}", BytesOf(type));
            return;
        }

        if (declaration.Groups["count"].Success || !declaration.Groups["bytes"].Success || type != "b8") throw Fault($"this declaration of a variable is not known: {declaration.Value.Trim()}");
        var (align, bytes) = (declaration.Groups["align"].Success ? Number(declaration.Groups["align"]) : 1, Number(declaration.Groups["bytes"]));
        if (space == "shared") declared.AddShared(name, align, bytes);
        else declared.AddLocal(name, align, bytes);
    }

    void Parameter(string parameter)
    {
        var match = ParameterText().Match(parameter);
        if (!match.Success) throw Fault($"this declaration of a parameter is not known: {parameter}");
        var bytes = match.Groups["bytes"].Success ? Number(match.Groups["bytes"]) : BytesOf(match.Groups["type"].Value);
        declared.AddParameter(match.Groups["name"].Value, match.Groups["align"].Success ? Number(match.Groups["align"]) : bytes, bytes);
    }

    // Gives jumps their targets, and the places where paths meet again.
    void Resolve()
    {
        if (code.Count == 0 || code[^1].FallsThrough) throw Fault("the last instruction does not end the kernel");
        foreach (var jump in code.OfType<JumpTable>()) jump.Entries = tables.TryGetValue(jump.Table, out var entries) ? entries : throw Fault($"line {jump.Line}: there are no .branchtargets {jump.Table}");
        int[][] next = [.. code.Select((instruction, i) => (int[])[.. instruction.Labels.Select(Position), .. instruction.FallsThrough ? [i + 1] : instruction is Return ? [code.Count] : (int[])[]])];
        for (var i = 0; i < code.Count; i++)
            if (code[i] is Return && code[i].Guard >= 0) next[i] = [i + 1, code.Count];
        var joins = Joins.Of(next);
        for (var i = 0; i < code.Count; i++)
            if (code[i] is Jump jump) jump.Resolve(next[i][0], joins[i]);
            else if (code[i] is JumpTable table) table.Resolve([.. table.Labels.Select(Position)], joins[i]);

        int Position(string label) => labels.TryGetValue(label, out var position) ? position : throw Fault($"there is no label {label}");
    }

    static int BytesOf(string type) => type switch
    {
        "pred" => 0,
        "b16" or "u16" or "s16" => 2,
        "b32" or "u32" or "s32" or "f32" => 4,
        "b64" or "u64" or "s64" or "f64" => 8,
        _ => throw new PtxFault($"the interpreter does not know the type .{type}"),
    };

    static int Number(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    static string[] Names(string list) => [.. list.Split(',').Select(name => name.Trim())];

    // Splits at the commas outside of braces.
    static List<string> Split(string operands)
    {
        var (parts, depth, start) = (new List<string>(), 0, 0);
        for (var i = 0; i < operands.Length; i++)
        {
            if (operands[i] is '{' or '[') depth++;
            if (operands[i] is '}' or ']') depth--;
            if (operands[i] != ',' || depth > 0) continue;
            parts.Add(operands[start..i].Trim());
            start = i + 1;
        }

        if (operands[start..].Trim() is { Length: > 0 } last) parts.Add(last);
        return parts;
    }

    Match Take(Regex regex, string wanted)
    {
        var match = regex.Match(text, at);
        if (!match.Success) throw Fault($"expected {wanted}, got {Spaces().Replace(text[at..Math.Min(text.Length, at + 80)].Trim(), " ")}");
        at += match.Length;
        return match;
    }

    PtxFault Fault(string message) => new($"line {LineAt(at)}: {message}");

    int LineAt(int place) => text.AsSpan(0, place).Count('\n') + 1;

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"[^\n]")]
    private static partial Regex NotNewLine();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"\G\s*\.version\s+(?<version>\d+\.\d+)\s+\.target\s+(?<target>\w+)\s+\.address_size\s+64")]
    private static partial Regex Header();

    [GeneratedRegex(@"\G\s*\.visible\s+\.entry\s+(?<name>\w+)\s*\((?<parameters>[^)]*)\)\s*(?:\.maxntid\s+(?<threads>\d+)(?:\s*,\s*(?<threads>\d+))*\s*|\.minnctapersm\s+\d+\s*)*\{")]
    private static partial Regex Entry();

    [GeneratedRegex(@"^\.param\s+(?:\.align\s+(?<align>\d+)\s+)?\.(?<type>\w+)\s+(?<name>\w+)(?:\[(?<bytes>\d+)\])?$")]
    private static partial Regex ParameterText();

    [GeneratedRegex(@"\G\s*[{}]")]
    private static partial Regex Brace();

    [GeneratedRegex(@"\G\s*(?<name>[\w$]+):")]
    private static partial Regex Label();

    [GeneratedRegex(@"\G\s*\.branchtargets\s+(?<names>[^;]+);")]
    private static partial Regex BranchTargets();

    [GeneratedRegex(@"\G\s*\.(?<space>reg|shared|local)\s+(?:\.align\s+(?<align>\d+)\s+)?\.(?<type>\w+)\s+(?<name>[%\w]+)(?:<(?<count>\d+)>|\[(?<bytes>\d+)\])?\s*;")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\G\s*(?:@(?<not>!?)(?<guard>%\w+)\s+)?(?<name>[a-z](?:[\w.]|::)*)(?<operands>[^;]*);")]
    private static partial Regex InstructionText();
}
