using ILGPU;
using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Gpu;

sealed partial class GpuBackend
{
    /// <summary>y[i] = left[i] right[i], then the epilogue: fused where a tile holds all that it needs, else in passes of its own.</summary>
    /// <param name="product">The operands.</param>
    /// <param name="four">Both may be read four elements at a time.</param>
    /// <param name="extents">Rows and columns of each y and the length of the sum.</param>
    /// <param name="batches">How many products.</param>
    /// <param name="epilogue">The steps after it.</param>
    /// <param name="y">[batches, rows, columns]</param>
    void Multiply<TProduct, TLeft, TRight>(in TProduct product, bool four, (int Rows, int Columns, int Depth) extents, int batches, in Epilogue epilogue, Tensor y)
        where TProduct : struct, IProduct<TLeft, TRight>
        where TLeft : struct, IOperand
        where TRight : struct, IOperand
    {
        var maySlice = batches == 1 && epilogue.IsEmpty;
        var fused = batches == 1 ? ProductPlan.For(extents.Rows, extents.Columns, extents.Depth, batches, maySlice, epilogue.Quadratic?.Layout.Stride ?? 1) : null;
        var plan = fused ?? ProductPlan.For(extents.Rows, extents.Columns, extents.Depth, batches, maySlice: false, neuron: 1)!.Value;
        four = four && plan.StartsAtQuads;
        if (plan.Slices > 1)
        {
            using var slices = Scratch<float>(plan.Slices * y.Length);
            Run<TProduct, TLeft, TRight>(product, four, plan, plan.Slices, default, slices);
            Fold<Reduction<Sum>, float>(new Reduction<Sum>(slices.View(), y.View()), 1, plan.Slices, y.Length);
            return;
        }

        Run<TProduct, TLeft, TRight>(product, four, plan, batches, fused is null ? default : epilogue, y);
        if (fused is null) Finish(epilogue, y);
    }

    void Run<TProduct, TLeft, TRight>(in TProduct product, bool four, in ProductPlan plan, int batches, in Epilogue epilogue, Tensor y)
        where TProduct : struct, IProduct<TLeft, TRight>
        where TLeft : struct, IOperand
        where TRight : struct, IOperand
    {
        using var memory = Scratch<Pair>(epilogue.Statistics is null ? 1 : plan.RowTiles * plan.Grid.Columns);
        var moments = Elements<Pair>(memory);
        var end = new TileEpilogue(epilogue, y, moments);
        var groups = plan.RowTiles * plan.ColumnTiles;
        switch (plan.Tile)
        {
            case TileChoice.Tile128x128: RunTile<Tile128x128, TProduct, TLeft, TRight>(product, four, plan.Grid, end, groups, batches); break;
            case TileChoice.Tile64x64: RunTile<Tile64x64, TProduct, TLeft, TRight>(product, four, plan.Grid, end, groups, batches); break;
            case TileChoice.Tile128x32: RunTile<Tile128x32, TProduct, TLeft, TRight>(product, four, plan.Grid, end, groups, batches); break;
            case TileChoice.Tile256x16: RunTile<Tile256x16, TProduct, TLeft, TRight>(product, four, plan.Grid, end, groups, batches); break;
            default: RunTile<Tile32x32, TProduct, TLeft, TRight>(product, four, plan.Grid, end, groups, batches); break;
        }

        if (epilogue.Statistics is not { } statistics) return;
        var (rows, columns) = (plan.Grid.Rows, plan.Grid.Columns);
        Fold<MomentsOfTiles, Moments>(new MomentsOfTiles(moments, plan.RowsPerTile, rows, new MomentsTarget(statistics, rows)), 1, plan.RowTiles, columns);
    }

    void RunTile<TTile, TProduct, TLeft, TRight>(in TProduct product, bool four, in TileGrid grid, in TileEpilogue end, int groups, int batches)
        where TTile : struct, ITile
        where TProduct : struct, IProduct<TLeft, TRight>
        where TLeft : struct, IOperand
        where TRight : struct, IOperand
    {
        if (four) device.Launch(new TiledProduct<TTile, Vector, TProduct, TLeft, TRight>(product, grid, end), groups, 1, batches);
        else device.Launch(new TiledProduct<TTile, Scalars, TProduct, TLeft, TRight>(product, grid, end), groups, 1, batches);
    }

    /// <summary>A matrix of this many columns can be read four elements at a time.</summary>
    static bool Four(Tensor matrix, int columns) => matrix.Offset % 4 == 0 && columns % 4 == 0;
}
