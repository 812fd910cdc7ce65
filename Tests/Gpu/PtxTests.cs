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
