using System.Diagnostics;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>Every kernel compiles for CUDA, though there may be no GPU here.</summary>
public class PtxTests
{
    [Test]
    public void Every_kernel_compiles_without_unresolved_calls([Values(80, 90)] int architecture)
    {
        List<string> failures = [];
        var count = 0;
        foreach (var kernel in KernelCatalogue.Kernels)
        {
            count++;
            try
            {
                if (PtxText.UnresolvedCalls(Ptx.Of(kernel, architecture)) is { Count: > 0 } calls) failures.Add($"{KernelNaming.Display(kernel)} calls {string.Join(", ", calls)}");
            }
            catch (InternalCompilerException exception)
            {
                failures.Add($"{KernelNaming.Display(kernel)}: {exception.InnerException?.Message}");
            }
        }

        TestContext.Out.WriteLine($"{count} kernels for sm_{architecture}");
        Assert.That(failures, Is.Empty);
        Assert.That(count, Is.GreaterThan(100));
    }
}

/// <summary>What NVIDIA's assembler makes of the kernels whose speed rests on registers; where ptxas is installed (QUADENGINE_PTXAS names another place).</summary>
public class RegisterTests
{
    public static IEnumerable<Type> Tiles => KernelCatalogue.Kernels.Where(kernel => kernel.IsGenericType && kernel.GetGenericTypeDefinition() == typeof(TiledProduct<,,,,>));

    [Test]
    public void Sums_of_tiles_stay_in_registers()
    {
        List<string> spilled = [];
        foreach (var kernel in Tiles.Where(kernel => kernel.GetGenericArguments()[1] == typeof(Vector)))
        {
            var report = Assemble(Ptx.Of(kernel, architecture: 80));
            if (!report.Contains("0 bytes stack frame, 0 bytes spill stores", StringComparison.Ordinal)) spilled.Add($"{KernelNaming.Display(kernel)}: {report}");
        }

        Assert.That(spilled, Is.Empty);
    }

    static string Assemble(string ptx)
    {
        var source = Path.GetTempFileName();
        try
        {
            File.WriteAllText(source, ptx);
            var assembler = Environment.GetEnvironmentVariable("QUADENGINE_PTXAS") is { Length: > 0 } named ? named : "ptxas";
            using var process = Process.Start(new ProcessStartInfo(assembler, ["-arch=sm_80", "-v", source, "-o", "/dev/null"]) { RedirectStandardError = true })!;
            var report = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.That(process.ExitCode, Is.Zero, report);
            return report;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("There is no ptxas here (it comes with NVIDIA's CUDA toolkit).");
            throw;
        }
        finally
        {
            File.Delete(source);
        }
    }
}

/// <summary>Compiles kernels to PTX text without a driver.</summary>
static class Ptx
{
    public static string Of(Type kernel, int architecture)
    {
        // A failed compilation leaves its context unusable, so each kernel has its own.
        using var context = Context.Create(builder => builder.EnableAlgorithms().Optimize(OptimizationLevel.O2));
        var sm = architecture == 80 ? CudaArchitecture.SM_80 : CudaArchitecture.SM_90;
        using var backend = new PTXBackend(context, new CudaCapabilityContext(sm), sm, new CudaInstructionSet(7, 8), null);
        var compiled = (PTXCompiledKernel)backend.Compile(KernelNaming.EntryPoint(kernel), KernelNaming.Specialization(kernel));
        return PtxText.Rewrite(compiled.PTXAssembly);
    }
}
