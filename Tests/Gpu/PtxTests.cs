using System.Diagnostics;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using QuadEngine.Gpu;
using QuadEngine.Tests.Gpu.Ptx;

namespace QuadEngine.Tests.Gpu;

/// <summary>Every kernel compiles for CUDA, even without a GPU.</summary>
[Parallelizable]
public partial class PtxTests
{
    // The interpreter compiles and executes functions of elements and sliding convolutions too (PtxExecutionTests, SlidingConvolutionTests), which are half of the work here.
    // So one in three of those is compiled here, or all if QUADENGINE_CALLS asks for more.
    static bool IsChosen(Type kernel, int index) => index % 3 == 0 || !IsExecuted().IsMatch($"{kernel}") || Environment.GetEnvironmentVariable("QUADENGINE_CALLS") is not null;

    [GeneratedRegex(@"QuadEngine\.Operations\.\w+Op\b|\.SlidingConvolution`")]
    private static partial Regex IsExecuted();

    [Test]
    public void Every_kernel_compiles_without_unresolved_calls()
    {
        Type[] kernels = [.. KernelCatalog.Kernels.Where(IsChosen)];
        TestContext.Out.WriteLine($"{kernels.Length} kernels");
        Assert.That(kernels, Has.Length.GreaterThan(100));
        Assert.That(kernels.AsParallel().Select(Failure).Where(failure => failure is not null), Is.Empty);
    }

    // So the results for one architecture also hold for the other. Each kernel takes a quarter of a second, so only a sample is checked.
    [Test]
    public void A_newer_architecture_gets_the_same_text_behind_a_wait()
    {
        const string Wait = "{\n\tgriddepcontrol.launch_dependents;\n\tgriddepcontrol.wait;\n";
        foreach (var kernel in KernelCatalog.Kernels.Where((_, i) => i % 30 == 0))
        {
            string newer = PtxCompilation.Of(kernel, 90), name = KernelNaming.Display(kernel);
            Assert.That(Regex.Count(newer, @"^\.target sm_90$", RegexOptions.Multiline), Is.EqualTo(1), name);
            Assert.That(newer.Split(Wait), Has.Length.EqualTo(2), name);
            Assert.That(newer.Split(Wait)[0], Does.Match(@"\.entry[^;{]*$"), $"{name}: nothing comes before the wait");
            Assert.That(Renumbered(newer.Replace(Wait, "{\n").Replace(".target sm_90", ".target sm_80")), Is.EqualTo(Renumbered(PtxCompilation.Of(kernel, 80))), name);
        }
    }

    [Test]
    public void Kernels_wait_where_architecture_and_instruction_set_know_how()
    {
        Assert.That(PtxText.CanWait(CudaArchitecture.SM_90, CudaInstructionSet.ISA_78));
        Assert.That(PtxText.CanWait(new CudaArchitecture(12, 0), CudaInstructionSet.ISA_88));
        Assert.That(PtxText.CanWait(CudaArchitecture.SM_89, CudaInstructionSet.ISA_88), Is.False);
        Assert.That(PtxText.CanWait(CudaArchitecture.SM_90, CudaInstructionSet.ISA_77), Is.False);
    }

    // The compiler numbers labels and parameters consecutively over all kernels of the process.
    static string Renumbered(string ptx)
    {
        var names = new Dictionary<string, string>();
        return Numbered().Replace(ptx, name => names.TryGetValue(name.Value, out var known) ? known : names[name.Value] = $"n{names.Count}");
    }

    [GeneratedRegex(@"\b(L|_kernel)_\d+\b")]
    private static partial Regex Numbered();

    static string? Failure(Type kernel)
    {
        try
        {
            var text = PtxCompilation.Of(kernel, architecture: 80);
            PtxParser.Parse(text);
            return PtxText.UnresolvedCalls(text) is { Count: > 0 } calls ? $"{KernelNaming.Display(kernel)} calls {string.Join(", ", calls)}" : null;
        }
        catch (PtxFault fault)
        {
            return $"{KernelNaming.Display(kernel)}: {fault.Message}";
        }
        catch (InternalCompilerException exception)
        {
            return $"{KernelNaming.Display(kernel)}: {exception.InnerException?.Message}";
        }
    }

    [Test]
    public void Tensor_cores_multiply_what_is_copied_asynchronously()
    {
        using (Assert.EnterMultipleScope())
            foreach (var kernel in KernelCatalog.TensorCoreKernels)
            {
                string text = PtxCompilation.Of(kernel, architecture: 80), name = KernelNaming.Display(kernel);
                Assert.That(PtxText.UnresolvedCalls(text), Is.Empty, name);
                Assert.That(text, Does.Contain(name.Contains(nameof(Tf32), StringComparison.Ordinal) ? "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32" : "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"), name);
                Assert.That(text, Does.Contain("cp.async.cg.shared.global").And.Contain("cp.async.wait_group"), name);
                Assert.That(text, Does.Not.Contain(".local"), $"{name}: ptxas keeps no array in registers once there is cp.async");

                // The copies use the name that ILGPU gives to the first shared memory of the group.
                Assert.That(text.Split('\n').Count(line => line.Contains(".shared .align", StringComparison.Ordinal)), Is.EqualTo(1), name);
                Assert.That(text, Does.Match(@"\.shared \.align 16 \.b8 __shared_alloca0\["), name);
            }
    }

    [Test]
    public void Warp_groups_multiply_on_compute_capability_9_0_alone()
    {
        using (Assert.EnterMultipleScope())
            foreach (var kernel in KernelCatalog.WarpGroupKernels)
            {
                string text = PtxCompilation.Of(kernel, 90), name = KernelNaming.Display(kernel);
                PtxParser.Parse(text);
                Assert.That(PtxText.UnresolvedCalls(text), Is.Empty, name);
                Assert.That(text, Does.Contain(name.Contains(nameof(Tf32), StringComparison.Ordinal) ? "wgmma.mma_async.sync.aligned.m64n128k8.f32.tf32.tf32" : "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16"), name);
                Assert.That(text, Does.Match(@"(?m)^\.target sm_90a$").And.Not.Contain(".local").And.Not.Contain("sums."), name);
                Assert.That(text, Does.Match(@"\.shared \.align 16 \.b8 __shared_alloca0\[").And.Not.Contain("__shared_alloca1"), name);
            }
    }
}

/// <summary>Checks the output of NVIDIA's assembler for kernels whose speed depends on registers, if ptxas is installed (QUADENGINE_PTXAS names another place).</summary>
public partial class RegisterTests
{
    static IEnumerable<Type> FloatTiles => KernelCatalog.Kernels.Where(kernel => kernel.IsGenericType && kernel.GetGenericTypeDefinition() == typeof(TiledProduct<,,,>) && kernel.GetGenericArguments()[0].GetGenericArguments()[1] == typeof(Vector));

    [Test]
    public void Every_kernel_assembles_for_sm_90()
    {
        // One kernel runs before the others, so that without ptxas the thread of the test itself skips the test.
        Type[] kernels = [.. KernelCatalog.Kernels];
        string[] reports = [Report(kernels[0]), .. kernels.Skip(1).AsParallel().Select(Report)];
        Assert.That(reports, Has.All.Contain("for 'sm_90'"));

        static string Report(Type kernel) => Assemble(PtxCompilation.Of(kernel, architecture: 90), "sm_90", disassemble: false).Report;
    }

    [Test]
    public void Sums_of_tiles_stay_in_registers([Values(80, 90)] int architecture)
    {
        List<string> spilled = [];
        foreach (var kernel in FloatTiles.Concat(KernelCatalog.TensorCoreKernels).Concat(KernelCatalog.WarpGroupKernels))
        {
            var groups = kernel.GetGenericArguments()[0].GetGenericTypeDefinition() == typeof(WarpGroupMultiplier<>);
            if (groups && architecture < 90) continue;
            var (report, code) = Assemble(PtxCompilation.Of(kernel, architecture), groups ? "sm_90a" : $"sm_{architecture}");
            var name = KernelNaming.Display(kernel);
            TestContext.Out.WriteLine($"{name}: {Registers().Match(report).Groups[1].Value} registers");
            if (!report.Contains("0 bytes stack frame, 0 bytes spill stores", StringComparison.Ordinal)) spilled.Add($"{name}: {report}");
            Assert.That(report, Does.Not.Contain("serialized"), name);
            if (code is null) continue;
            var (products, all) = MainLoop(code, groups ? ["HGMMA"] : ["FFMA", "HMMA"]);
            TestContext.Out.WriteLine($"    {all} instructions per step, of which {products} multiply");
            if (groups)
            {
                Assert.That(Occurrences(code, "HGMMA"), Is.EqualTo(WarpGroups.LeftBlocks * (kernel.GetGenericArguments()[0].GetGenericArguments()[0] == typeof(WarpGroupCores<Tf32>) ? 4 : 2)), $"{name}: no instruction twice, none lost");
                continue;
            }

            if (kernel.GetGenericArguments()[0] is var multiplier && multiplier.GetGenericTypeDefinition() == typeof(TensorCoreMultiplier<,>))
            {
                Assert.That(Occurrences(code, "HMMA"), Is.EqualTo(Instructions(multiplier)), $"{name}: no instruction twice, none lost");
                continue;
            }

            Assert.That(Occurrences(code, "LDG.E.128"), Is.GreaterThan(0), $"{name}: memory is read by quads");
            Assert.That(products, Is.GreaterThan(0.45 * all), $"{name}: at least about half of the instructions of a step multiply");
        }

        Assert.That(spilled, Is.Empty);
    }

    // An instruction computes 16 x 8 sums, of 8 terms in tf32 and 16 in bf16.
    static int Instructions(Type multiplier)
    {
        var tile = multiplier.GetGenericArguments()[0];
        var sums = (int)tile.GetProperty(nameof(ITile.OwnRows))!.GetValue(null)! * (int)tile.GetProperty(nameof(ITile.OwnColumns))!.GetValue(null)!;
        return sums / (Fragments.Rows * Fragments.Columns) * (multiplier.GetGenericArguments()[1] == typeof(Cores<Tf32>) ? 2 : 1);
    }

    // Returns the number of multiplications in the loop that has the most, and the number of its instructions.
    static (int Products, int All) MainLoop(string code, string[] multiplications)
    {
        List<string> instructions = [];
        var labels = new Dictionary<string, int>();
        var best = (Products: 0, All: 0);
        foreach (var line in code.Split('\n'))
        {
            if (Label().Match(line) is { Success: true } label) labels[label.Groups[1].Value] = instructions.Count;
            if (MachineInstruction().Match(line) is not { Success: true } instruction) continue;
            instructions.Add(instruction.Groups["name"].Value);
            if (!labels.TryGetValue(instruction.Groups["target"].Value, out var first)) continue;
            var loop = instructions[first..];
            var products = loop.Count(multiplications.Contains);
            if (products > best.Products) best = (products, loop.Count);
        }

        return best;
    }

    static int Occurrences(string text, string word) => text.Split(word).Length - 1;

    // The report of ptxas, and the machine code if nvdisasm is beside it.
    static (string Report, string? Code) Assemble(string ptx, string architecture, bool disassemble = true)
    {
        string source = Path.GetTempFileName(), binary = source + ".cubin";
        try
        {
            File.WriteAllText(source, ptx);
            var assembler = Environment.GetEnvironmentVariable("QUADENGINE_PTXAS") is { Length: > 0 } named ? named : "ptxas";
            var (exit, report) = Run(assembler, [$"-arch={architecture}", "-v", source, "-o", binary]);
            Assert.That(exit, Is.Zero, report);
            if (!disassemble) return (report, null);
            try
            {
                return (report, Run(Path.Combine(Path.GetDirectoryName(assembler)!, "nvdisasm"), ["-c", binary]).Text);
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return (report, null);
            }
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("There is no ptxas here (it comes with NVIDIA's CUDA toolkit).");
            throw;
        }
        finally
        {
            File.Delete(source);
            File.Delete(binary);
        }
    }

    static (int Exit, string Text) Run(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, text + errors.Result);
    }

    [GeneratedRegex(@"^\s*(\.L_x_\d+):")]
    private static partial Regex Label();

    [GeneratedRegex(@"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?(?<name>[A-Z]\w*)(?:[^;`]*`\((?<target>\.L_x_\d+)\))?[^;]*;")]
    private static partial Regex MachineInstruction();

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex Registers();
}

/// <summary>Compiles kernels to PTX text without a driver.</summary>
static class PtxCompilation
{
    public static string Of(Type kernel, int architecture)
    {
        // A failed compilation makes its context unusable, so each kernel has its own.
        using var context = Context.Create(builder => builder.EnableAlgorithms().Optimize(OptimizationLevel.O2));
        var sm = architecture == 80 ? CudaArchitecture.SM_80 : CudaArchitecture.SM_90;
        using var backend = new PTXBackend(context, new CudaCapabilityContext(sm), sm, kernel.ToString().Contains(nameof(WarpGroupCores<>), StringComparison.Ordinal) ? CudaInstructionSet.ISA_80 : new CudaInstructionSet(7, 8), null);
        return KernelLoader.CompilePtx(backend, KernelNaming.EntryPoint(kernel), KernelNaming.Specialization(kernel)).PTXAssembly;
    }
}
