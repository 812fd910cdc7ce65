using System.Reflection;
using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>Every tile, including those that only large products use, computes a product of a few tiles. Its PTX is executed.</summary>
public class TileTests
{
    const int Rows = 268, Columns = 140, Depth = 148;

    InterpretedCuda cuda = null!;

    [OneTimeSetUp]
    public void Execute() => cuda = new InterpretedCuda();

    [OneTimeTearDown]
    public void Stop() => cuda?.Dispose();

    static IEnumerable<Type> Tiles => KernelCatalog.Kernels.Concat(KernelCatalog.TensorCoreKernels).Concat(KernelCatalog.WarpGroupKernels)
        .Where(kernel => kernel.IsGenericType && kernel.GetGenericTypeDefinition() == typeof(TiledProduct<,,,>))
        .Select(kernel => kernel.GetGenericArguments()[0]).Distinct();

    [TestCaseSource(nameof(Tiles))]
    public void A_tile_multiplies(Type multiplier) =>
        typeof(TileTests).GetMethod(nameof(Multiply), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(multiplier).Invoke(null, BindingFlags.DoNotWrapExceptions, null, [cuda.Device()], null);

    // 132 multiprocessors, one tile for each.
    [TestCase(4096, 4096, Precision.Tf32, true)]
    [TestCase(256 * 132, 128, Precision.Bf16, true)]
    [TestCase(256 * 131, 128, Precision.Bf16, false)]
    [TestCase(1024, 1024, Precision.Tf32, false)]
    [TestCase(4096, 4096, Precision.Float32, false)]
    public void Large_products_take_warp_groups_where_the_device_has_them(int rows, int columns, Precision precision, bool expected)
    {
        Assert.That(ProductPlan.For(precision, (rows, columns, 4096), 1, mayAdd: true, mayFold: true, neuron: 1, warpGroups: true)!.Value.Tile == TileChoice.WarpGroups256x128, Is.EqualTo(expected));
        Assert.That(ProductPlan.For(precision, (rows, columns, 4096), 1, mayAdd: true, mayFold: true, neuron: 1)!.Value.Tile, Is.Not.EqualTo(TileChoice.WarpGroups256x128));
        Assert.That(cuda.Device(precision).HasWarpGroups, Is.True, "the stub is of compute capability 9.0");
    }

    // The interpreter finds the faults that it watches for.
    [TestCase("cp.async.wait_group 1;", "cp.async.wait_group 2;", "may be under way|with no barrier between")]
    [TestCase("bar.sync\t0;", "", "with no barrier between|may be under way|never written")]
    public void A_fault_put_into_a_tile_is_found(string instruction, string instead, string message) =>
        AssertFound<TensorCoreMultiplier<Warps32x32, Cores<Tf32>>>(text => text.Replace(instruction, instead), message);

    static void AssertFound<TMultiplier>(Func<string, string> rewrite, string message) where TMultiplier : struct, IMultiplier
    {
        InterpretedCuda.Rewrite = rewrite;
        try
        {
            var device = (GpuDevice)new GpuDevices().TryGet("cuda")!;
            var error = Assert.Throws<ILGPU.Runtime.Cuda.CudaException>(() => Multiply<TMultiplier>(device));
            Assert.That(error.Message, Does.Match(message));
        }
        finally
        {
            InterpretedCuda.Rewrite = text => text;
        }
    }

    [TestCase("fence.proxy.async.shared::cta;", "", "with no fence.proxy.async between")]
    [TestCase("bar.sync\t0;", "", "with no barrier between|with no fence|never written|may still read it")]
    [TestCase("wgmma.wait_group.sync.aligned 1;", "wgmma.wait_group.sync.aligned 2;", "register of left factors has changed")]
    [TestCase("wgmma.wait_group.sync.aligned 0;", "", "a register of sums is accessed|may still read it")]
    [TestCase("wgmma.fence.sync.aligned;", "", "no wgmma.fence")]
    [TestCase("wgmma.commit_group.sync.aligned;", "", "a register of sums is accessed|written while products")]
    public void A_fault_put_into_a_tile_of_warp_groups_is_found(string instruction, string instead, string message) =>
        AssertFound<WarpGroupMultiplier<WarpGroupCores<Tf32>>>(text => text.Replace(instruction, instead), message);

    // The left matrix is transposed in memory: [depth, rows].
    static void Multiply<TMultiplier>(GpuDevice device) where TMultiplier : struct, IMultiplier
    {
        using Tensor a = Values([Depth, Rows], seed: 1), b = Values([Depth, Columns], seed: 2), expected = a.Transpose().MatMul(b);
        using Tensor left = a.To(device), right = b.To(device), y = Tensor.Full([Rows, Columns], float.NaN, device);
        using Operand first = left.Read(), second = right.Read(), sums = y.Write();
        int down = (Rows + TMultiplier.Rows - 1) / TMultiplier.Rows, across = (Columns + TMultiplier.Columns - 1) / TMultiplier.Columns;
        var product = new MatrixProduct<AcrossSum, AcrossSum>(new(new(first.View()), Rows, Depth), new(new(second.View()), Columns, Depth), 0, 0);
        device.Launch(new TiledProduct<TMultiplier, MatrixProduct<AcrossSum, AcrossSum>, Matrix<AcrossSum>, Matrix<AcrossSum>>(
            product, new TileGrid(Rows, Columns, Depth, TMultiplier.Columns, across, Depth, 0), new Slices(sums.View(), default), new TileEpilogue(default, Rows, sums, default)), down * across);
        Assert.That(y.ToArray(), Is.EqualTo(expected.ToArray()).Within(5e-5f));
    }

    // Numbers that every format can hold.
    static Tensor Values(Shape shape, ulong seed) => Tensor.FromArray([.. Tensor.Normal(shape, generator: new Generator(seed)).ToArray().Select(Bf16.Round)], shape);
}
