using System.Text;
using System.Text.RegularExpressions;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>Rewrites and checks the PTX that ILGPU writes, before a driver gets it.</summary>
static partial class PtxText
{
    /// <param name="ptx">The text that ILGPU wrote.</param>
    /// <param name="waits">Whether kernels of the architecture wait on the device (<see cref="CanWait"/>).</param>
    public static string Rewrite(string ptx, bool waits)
    {
        // ILGPU marks loop exits as bra.uni. ptxas then neither unrolls the loop nor keeps local arrays in registers: an 8x8 register tile would be
        // in memory. A plain bra has the same meaning and is optimized.
        var text = WarpGroupText.Rewrite(SlotsInRegisters(ptx.Replace("bra.uni", "bra")));
        return waits ? WithWait(text) : text;
    }

    /// <summary>
    /// Whether kernels for this architecture let dependent kernels start at once, and wait on the device for the kernels on which they depend
    /// (<see cref="GraphEdges.Programmatic"/>).
    /// </summary>
    public static bool CanWait(CudaArchitecture architecture, CudaInstructionSet instructions) => architecture >= CudaArchitecture.SM_90 && instructions >= CudaInstructionSet.ISA_78;

    /// <summary>
    /// Makes a kernel begin with two instructions. The first lets dependent kernels start. The second waits until all kernels on which it depends have ended and their writes are visible. If the kernel
    /// is launched without such a dependency, neither instruction does anything. ILGPU's table of targets ends at sm_80, which has no such instructions, so the target is changed too.
    /// </summary>
    static string WithWait(string ptx)
    {
        var body = EntryBody().Match(ptx);
        if (!body.Success) throw new NotSupportedException("its text has no entry");
        return ptx.Insert(body.Index + body.Length, "\n\tgriddepcontrol.launch_dependents;\n\tgriddepcontrol.wait;").Replace(".target sm_80", ".target sm_90", StringComparison.Ordinal);
    }

    /// <summary>
    /// The operands of inline instructions pass through slots of local memory, one word each. ptxas removes the slots by itself, but not in a kernel that
    /// copies asynchronously (cp.async). Here every slot whose address is not taken becomes a register.
    /// </summary>
    static string SlotsInRegisters(string ptx)
    {
        var lines = ptx.Split('\n');
        var slots = new Dictionary<string, string>();
        foreach (var line in lines)
            if (SlotAddress().Match(line) is { Success: true } match && ptx.Contains($".b8 {match.Groups["slot"].Value}[4];", StringComparison.Ordinal))
                slots[match.Groups["address"].Value] = match.Groups["slot"].Value;

        foreach (var line in lines)
            if (!SlotAddress().IsMatch(line) && !SlotAccess().IsMatch(line))
                foreach (Match register in AddressRegister().Matches(line)) slots.Remove(register.Value);

        var text = new StringBuilder(ptx.Length);
        foreach (var line in lines) text.Append(Register(line)).Append('\n');
        return text.ToString(0, text.Length - 1);

        string Register(string line)
        {
            if (SlotDeclaration().Match(line) is { Success: true } declaration && slots.ContainsValue(declaration.Groups["slot"].Value)) return $"\t.reg .b32 %{declaration.Groups["slot"].Value};";
            if (SlotAddress().Match(line) is { Success: true } address && slots.ContainsKey(address.Groups["address"].Value)) return "";
            if (SlotAccess().Match(line) is not { Success: true } access || !slots.TryGetValue(access.Groups["address"].Value, out var slot)) return line;
            return access.Groups["stored"] is { Success: true, Value: var stored }
                ? $"\tmov.{access.Groups["type"].Value}\t%{slot}, {stored};"
                : $"\tmov.{access.Groups["type"].Value}\t{access.Groups["loaded"].Value}, %{slot};";
        }
    }

    /// <summary>The names of functions that the text calls but does not define. The driver would refuse to load such a text.</summary>
    public static IReadOnlyList<string> UnresolvedCalls(string ptx) => [.. Extern().Matches(ptx).Select(match => match.Groups[1].Value)];

    [GeneratedRegex(@"\.entry[^{]*\{")]
    private static partial Regex EntryBody();

    [GeneratedRegex(@"^\s*\.local \.align 4 \.b8 (?<slot>__local_depot\d+)\[4\];$")]
    private static partial Regex SlotDeclaration();

    [GeneratedRegex(@"^\s*mov\.b64\s+(?<address>%rd\d+), (?<slot>__local_depot\d+);$")]
    private static partial Regex SlotAddress();

    [GeneratedRegex(@"^\s*(?:ld\.local\.(?<type>[bf]32)\s+(?<loaded>%\w+), \[(?<address>%rd\d+)\];|st\.local\.(?<type>[bf]32)\s+\[(?<address>%rd\d+)\], (?<stored>[^;]+);)$")]
    private static partial Regex SlotAccess();

    [GeneratedRegex(@"%rd\d+")]
    private static partial Regex AddressRegister();

    [GeneratedRegex(@"\.extern\s+\.func\s+(?:\([^)]*\)\s*)?(\w+)")]
    private static partial Regex Extern();
}
