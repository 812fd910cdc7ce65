using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>
/// A transformation that ILGPU contains but does not use unrolls the loops of kernels for tensor cores. Here it is applied to products
/// that run on OpenCL, where its results can be checked.
/// </summary>
public class UnrollingTests
{
    [Test]
    public void An_unrolled_product_is_the_same()
    {
        Check<FloatMultiplier<Tile32x32, Vector>>();
        Check<FloatMultiplier<Tile32x32, Scalars>>();
        Check<TensorCoreMultiplier<Warps32x32, EmulatedCores<Bf16>>>();
    }

    [Test]
    public void Only_kernels_that_ask_for_it_are_unrolled()
    {
        Assert.That(KernelNaming.Unrolled(typeof(TiledProduct<TensorCoreMultiplier<Warps32x32, Cores<Bf16>>, PatchesProduct<AlongSum>, Patches<AlongSum>, Matrix<AcrossSum>>)), Is.True);
        Assert.That(KernelNaming.Unrolled(typeof(TiledProduct<FloatMultiplier<Tile32x32, Vector>, PatchesProduct<AlongSum>, Patches<AlongSum>, Matrix<AcrossSum>>)), Is.False);
    }

    static void Check<TMultiplier>() where TMultiplier : struct, IMultiplier
    {
        var device = TestDevices.OpenCl;
        const int Rows = 70, Columns = 44, Depth = 52;
        using Tensor a = Tensor.Normal([Rows, Depth], generator: new Generator(1)).To(device), b = Tensor.Normal([Depth, Columns], generator: new Generator(2)).To(device);
        Assert.That(Product(unrolled: true), Is.EqualTo(Product(unrolled: false)).Within(1e-5f));

        float[] Product(bool unrolled)
        {
            using var y = Tensor.Full([Rows, Columns], float.NaN, device);
            using Operand left = a.Read(), right = b.Read(), sums = y.Write();
            int down = (Rows + TMultiplier.Rows - 1) / TMultiplier.Rows, across = (Columns + TMultiplier.Columns - 1) / TMultiplier.Columns;
            var product = new MatrixProduct<AlongSum, AcrossSum>(new(new(left.View()), Rows, Depth), new(new(right.View()), Columns, Depth), 0, 0);
            var kernel = new TiledProduct<TMultiplier, MatrixProduct<AlongSum, AcrossSum>, Matrix<AlongSum>, Matrix<AcrossSum>>(
                product, new TileGrid(Rows, Columns, Depth, TMultiplier.Columns, across, Depth, 0), new Slices(sums.View(), default), new TileEpilogue(default, Rows, sums, default));
            if (unrolled) device.Launch(new Unrolling<TiledProduct<TMultiplier, MatrixProduct<AlongSum, AcrossSum>, Matrix<AlongSum>, Matrix<AcrossSum>>>(kernel), down * across);
            else device.Launch(kernel, down * across);
            return y.ToArray();
        }
    }
}

/// <summary>A kernel with unrolled loops.</summary>
public readonly struct Unrolling<TKernel>(TKernel kernel) : IKernel where TKernel : struct, IKernel
{
    public static int Threads => TKernel.Threads;

    public static bool Unrolled => true;

    public void Run() => kernel.Run();
}
