using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace QuadEngine.Gpu;

/// <summary>
/// Expands the instructions by which kernels with warp groups (wgmma) use their sums. The sums are 128 registers, more than an inline instruction can name. Nothing may move them or
/// define left factors between the instructions of a batch; otherwise ptxas makes each instruction wait for the one before. So a kernel contains only these instructions:
/// <code>
///   sums.clear;                                     declares the registers; all sums are 0
///   sums.add.tf32 a0, ..., a3, b0, ..., b3, matrix  puts two instructions into the next batch, of 64 x 128 sums each, whose right factors are the same (.bf16 as well)
///   sums.start;                                     starts the batch
///   sums.store row, address;                        the sums of one of the thread's four rows to shared memory, as quads of adjacent columns
/// </code>
/// A text with these instructions is for compute capability 9.0 only.
/// </summary>
static partial class WarpGroupText
{
    // The number of sums that an instruction has in a thread (the sums of the second instruction follow those of the first), and the number of its left factors.
    const int Sums = WarpGroups.Sums / 2, Left = 4;

    public static string Rewrite(string ptx)
    {
        if (!ptx.Contains("sums.clear;", StringComparison.Ordinal)) return ptx;
        List<string> batch = [];
        var additions = 0;
        return Target().Replace(Statement().Replace(ptx, statement => statement.Groups["name"].Value switch
        {
            "clear" => Clear(),
            "start" => Start(batch),
            "store" => Store(Operands(statement)),
            var add => Add(batch, additions++, add, Operands(statement)),
        }), ".target sm_90a", 1);
    }

    static string[] Operands(Match statement) => statement.Groups["operands"].Value.Split(',', StringSplitOptions.TrimEntries);

    static string Clear()
    {
        var text = new StringBuilder($".reg .f32 %sum<{2 * Sums}>;");
        for (var i = 0; i < 2 * Sums; i++) text.Append(CultureInfo.InvariantCulture, $"\n\tmov.f32 %sum{i}, 0f00000000;");
        return text.ToString();
    }

    // Each has its own registers, because those of the previous batch may still be read.
    static string Add(List<string> batch, int number, string name, string[] operands)
    {
        var text = new StringBuilder($".reg .b32 %left{number}_<{2 * Left}>;\n\t.reg .b64 %matrix{number};\n\tmov.b64 %matrix{number}, {operands[^1]};");
        for (var i = 0; i < 2 * Left; i++) text.Append(CultureInfo.InvariantCulture, $"\n\tmov.b32 %left{number}_{i}, {operands[i]};");
        for (var half = 0; half < 2; half++)
        {
            var registers = $"{Registers("sum", half * Sums, Sums)}, {Registers($"left{number}_", half * Left, Left)}, %matrix{number}";
            batch.Add($"wgmma.mma_async.sync.aligned.{(name == "add.tf32" ? $"m64n128k8.f32.tf32.tf32 {registers}, 1, 1, 1" : $"m64n128k16.f32.bf16.bf16 {registers}, 1, 1, 1, 0")};");
        }

        return text.ToString();
    }

    static string Start(List<string> batch)
    {
        var text = string.Join("\n\t", ["wgmma.fence.sync.aligned;", .. batch, "wgmma.commit_group.sync.aligned;"]);
        batch.Clear();
        return text;
    }

    // Sum 4j + 2h + e of an instruction is the sum of row h at place 8j + 2t + e; places 32 apart are adjacent columns.
    static string Store(string[] operands)
    {
        var row = int.Parse(operands[0], CultureInfo.InvariantCulture);
        return string.Join("\n\t",
            from block in Enumerable.Range(0, 4)
            from pair in Enumerable.Range(0, 2)
            let sums = Enumerable.Range(0, 4).Select(i => $"%sum{row / 2 * Sums + 4 * (block + 4 * i) + row % 2 * 2 + pair}")
            select $"st.shared.v4.f32 [{operands[1]}+{sizeof(float) * WarpGroups.ColumnOf(Fragments.Columns * block + pair)}], {{{string.Join(", ", sums)}}};");
    }

    static string Registers(string name, int first, int count) => $"{{{string.Join(", ", Enumerable.Range(first, count).Select(i => $"%{name}{i}"))}}}";

    [GeneratedRegex(@"sums\.(?<name>[\w.]+)(?:\s+(?<operands>[^;]+))?;")]
    private static partial Regex Statement();

    [GeneratedRegex(@"^\.target sm_\w+", RegexOptions.Multiline)]
    private static partial Regex Target();
}
