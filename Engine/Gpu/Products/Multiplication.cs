using ILGPU;
using ILGPU.Runtime.Cuda;
using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    /// <summary>y[i] = left[i] right[i], then the epilogue. The epilogue is fused if a tile holds everything that it needs; otherwise it runs in separate passes.</summary>
    /// <param name="product">The operands.</param>
    /// <param name="four">Whether both operands may be read four elements at a time.</param>
    /// <param name="extents">Rows and columns of each y and the length of the sum.</param>
    /// <param name="batches">The number of products.</param>
    /// <param name="epilogue">The steps after it.</param>
    /// <param name="y">[batches, rows, columns]</param>
    void Multiply<TProduct, TLeft, TRight>(in TProduct product, bool four, (int Rows, int Columns, int Depth) extents, int batches, in Epilogue<Operand> epilogue, Operand y)
        where TProduct : struct, IProduct<TLeft, TRight>
        where TLeft : struct, IOperand
        where TRight : struct, IOperand
    {
        epilogue.Statistics?.CheckRows(batches * extents.Rows);
        var precision = four ? device.Precision : Precision.Float32;
        var neuron = epilogue.Quadratic?.Layout.Stride ?? 1;
        var fused = batches > 1 ? null : ProductPlan.For(precision, extents, batches, FoldsWithin, epilogue.IsEmpty, neuron, device.OnlyTile, device.HasWarpGroups) ?? ProductPlan.For(Precision.Float32, extents, batches, FoldsWithin, epilogue.IsEmpty, neuron);
        var plan = fused ?? ProductPlan.For(precision, extents, batches, FoldsWithin, mayFold: true, neuron: 1, device.OnlyTile, device.HasWarpGroups)!.Value;
        four = four && plan.StartsAtQuads;
        if (plan.Slices > 1 && !plan.AddsSlices)
        {
            using var slices = Scratch<float>(plan.Slices * y.Length);
            Run<TProduct, TLeft, TRight>(product, four, plan, plan.Slices, default, slices);
            Fold<Reduction<SumOp>, float>(new Reduction<SumOp>(slices.View(), y.View()), 1, plan.Slices, y.Length);
        }
        else
        {
            Run<TProduct, TLeft, TRight>(product, four, plan, plan.AddsSlices ? plan.Slices : batches, fused is null ? default : epilogue, y);
        }

        if (fused is null) Finish(epilogue, y);
    }

    // PoCL, which runs OpenCL on CPUs, runs the first thread twice through the code after a barrier that only some groups reach, so it would count twice.
    bool FoldsWithin => device.Accelerator is CudaAccelerator;

    /// <summary>Merges the moments [row tiles, columns] of the tiles, if the tiles do not merge them themselves.</summary>
    void Merge(Operand? moments, int rowTiles, ChannelStatistics<Operand>? statistics, int rows, int columns)
    {
        if (!FoldsWithin && statistics is not null)
            Fold<MomentsOfTiles, Moments>(new MomentsOfTiles(Elements<Moments>(moments!), new MomentsTarget(statistics, rows)), 1, rowTiles, columns);
    }

    // The z axis of the grid: batches or slices.
    void Run<TProduct, TLeft, TRight>(in TProduct product, bool four, in ProductPlan plan, int batches, in Epilogue<Operand> epilogue, Operand y)
        where TProduct : struct, IProduct<TLeft, TRight>
        where TLeft : struct, IOperand
        where TRight : struct, IOperand
    {
        // Counters: one per tile for slices, and one per column tile for statistics.
        int tiles = plan.RowTiles * plan.ColumnTiles, toAdd = plan.AddsSlices ? plan.Slices : 0, counted = plan.AddsSlices ? tiles : 0;
        int columns = plan.Grid.Columns, rowTiles = epilogue.Statistics is null ? 0 : plan.RowTiles, inner = FoldTree.Inner(rowTiles);
        var arrivals = Arrivals(counted + plan.ColumnTiles * inner);
        using Operand? sums = toAdd > 0 ? Scratch<float>(tiles * toAdd * plan.ElementsPerTile) : null, moments = rowTiles > 0 ? Scratch<Moments>((rowTiles + inner) * columns) : null;
        var slices = new Slices((sums ?? y).View(), arrivals);
        var end = new TileEpilogue(epilogue, plan.Grid.Rows, y, new(Elements<Moments>(moments ?? y), arrivals.From(counted), rowTiles, columns));
        var grid = plan.Grid with { SlicesToAdd = toAdd };
        switch (plan.Tile)
        {
            case TileChoice.Tile128x128: Threads<Tile128x128>(product); break;
            case TileChoice.Tile64x64: Threads<Tile64x64>(product); break;
            case TileChoice.Tile128x32: Threads<Tile128x32>(product); break;
            case TileChoice.Tile256x16: Threads<Tile256x16>(product); break;
            case TileChoice.Tile32x32: Threads<Tile32x32>(product); break;
            case TileChoice.Warps128x128: Warps<Warps128x128>(product); break;
            case TileChoice.Warps128x64: Warps<Warps128x64>(product); break;
            case TileChoice.Warps128x32: Warps<Warps128x32>(product); break;
            case TileChoice.Warps128x16: Warps<Warps128x16>(product); break;
            case TileChoice.Warps32x32: Warps<Warps32x32>(product); break;
            default: OfWarpGroups(product); break;
        }

        Merge(moments, rowTiles, epilogue.Statistics, plan.Grid.Rows, columns);

        void Threads<TTile>(in TProduct product) where TTile : struct, IThreadTile
        {
            if (four) Launch<FloatMultiplier<TTile, Vector>>(product);
            else Launch<FloatMultiplier<TTile, Scalars>>(product);
        }

        void Warps<TTile>(in TProduct product) where TTile : struct, IWarpTile
        {
            if (device.Precision == Precision.Tf32) Format<TTile, Tf32>(product);
            else Format<TTile, Bf16>(product);
        }

        void Format<TTile, TFormat>(in TProduct product) where TTile : struct, IWarpTile where TFormat : struct, IFormat
        {
            if (device.Accelerator is CudaAccelerator) Launch<TensorCoreMultiplier<TTile, Cores<TFormat>>>(product);
            else Launch<TensorCoreMultiplier<TTile, EmulatedCores<TFormat>>>(product);
        }

        void OfWarpGroups(in TProduct product)
        {
            if (device.Precision == Precision.Tf32) FormatOfWarpGroups<Tf32>(product);
            else FormatOfWarpGroups<Bf16>(product);
        }

        void FormatOfWarpGroups<TFormat>(in TProduct product) where TFormat : struct, IFormat
        {
            if (device.Accelerator is CudaAccelerator) Launch<WarpGroupMultiplier<WarpGroupCores<TFormat>>>(product);
            else Launch<WarpGroupMultiplier<EmulatedWarpGroupCores<TFormat>>>(product);
        }

        void Launch<TMultiplier>(in TProduct product) where TMultiplier : struct, IMultiplier
        {
            for (var first = 0; first < batches; first += GpuDevice.MostGroupsYZ)
                device.Launch(new TiledProduct<TMultiplier, TProduct, TLeft, TRight>(product, grid with { FirstBatch = first }, slices, end), tiles, 1, Math.Min(batches - first, GpuDevice.MostGroupsYZ));
        }
    }

    /// <summary>Whether a matrix of this many columns can be read four elements at a time.</summary>
    static bool Four(Operand matrix, int columns) => matrix.Offset % 4 == 0 && columns % 4 == 0;
}
