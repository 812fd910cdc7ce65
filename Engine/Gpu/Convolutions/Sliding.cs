using ILGPU;
using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Gpu;

/// <summary>Convolutions of 3x3 in float32, whose window slides over the image: which these are, and their launches.</summary>
sealed partial class GpuKernels
{
    const int ChannelsOfFilterTile = SlidingFilterGradient<StrideOfOne, AsItIs>.Channels;

    // Two groups to a multiprocessor of a large GPU.
    const int GroupsOfFilterGradient = 264;

    // A tile takes whole rows of blocks; where too many pixels of blocks lie outside the images, other tiles are faster.
    const double LeastShare = 0.7, LeastShareOfFilterGradient = 0.5;

    public override bool NormalizesWhatItConvolves(ConvGeometry geometry) =>
        IsSliding(geometry, 1) && geometry.InChannels <= InputNorm.MostChannels && TileOf(geometry.InChannels, geometry.OutChannels, Blocks(geometry), 1) > 0 && SlicesOf(geometry, BlocksOfFilterGradient<StrideOfOne>(geometry)) > 0;

    public override void NormalizeAndConv2d(Operand x, NormTerm<Operand> norm, Operand filter, ConvGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        if (!Slides(x, norm, filter, geometry, epilogue, y)) base.NormalizeAndConv2d(x, norm, filter, geometry, epilogue, y);
    }

    public override void NormalizeAndConv2dFilterGradient(Operand x, NormTerm<Operand> norm, Operand dy, ConvGeometry geometry, Operand dFilter)
    {
        if (!Slides(x, norm, dy, geometry, dFilter)) base.NormalizeAndConv2dFilterGradient(x, norm, dy, geometry, dFilter);
    }

    /// <summary>A convolution, where it is one whose window slides.</summary>
    /// <returns>False where it is not, and nothing was done.</returns>
    bool Slides(Operand x, NormTerm<Operand>? norm, Operand filter, ConvGeometry g, in Epilogue<Operand> epilogue, Operand y) =>
        IsSliding(g, 1) && Slides<FilterOfOutputs>(x, norm, Pixels(g.Batch, g.Height, g.Width), g.InChannels, filter, g.Window.Padding, epilogue, y, Blocks(g), g.OutChannels);

    /// <summary>Its input gradient: the convolution of dy with the filter turned.</summary>
    /// <returns>As above.</returns>
    bool Slides(Operand dy, Operand filter, ConvGeometry g, Operand dx) =>
        IsSliding(g, 1) && g.Window.Padding <= 2 && Slides<FilterOfInputs>(dy, null, Pixels(g.Batch, g.OutHeight, g.OutWidth), g.OutChannels, filter, 2 - g.Window.Padding, default, dx,
            new PixelBlocks(g.Batch, g.Height, g.Width, PixelRows.Side, PixelRows.Side), g.InChannels);

    /// <summary>Its filter gradient.</summary>
    /// <returns>As above.</returns>
    bool Slides(Operand x, NormTerm<Operand>? norm, Operand dy, ConvGeometry g, Operand dFilter)
    {
        if (norm is not null) return IsSliding(g, 1) && Slides<StrideOfOne, Normalized>(x, norm, dy, g, dFilter);
        return IsSliding(g, 1) && Slides<StrideOfOne, AsItIs>(x, null, dy, g, dFilter) || IsSliding(g, 2) && Slides<StrideOfTwo, AsItIs>(x, null, dy, g, dFilter);
    }

    bool IsSliding(ConvGeometry g, int stride) =>
        g is { Groups: 1, Window: { Height: 3, Width: 3, Dilation: 1 } } && g.Window.Stride == stride && device.Precision == Precision.Float32 && device.OnlyTile is null;

    static PixelBlocks Pixels(int images, int height, int width) => new(images, height, width, 1, 1);

    static PixelBlocks Blocks(ConvGeometry g) => new(g.Batch, g.OutHeight, g.OutWidth, PixelRows.Side, PixelRows.Side);

    static PixelBlocks BlocksOfFilterGradient<TStride>(ConvGeometry g) where TStride : struct, IStride =>
        new(g.Batch, g.OutHeight, g.OutWidth, SlidingFilterGradient<TStride, AsItIs>.BlockRows, SlidingFilterGradient<TStride, AsItIs>.BlockColumns);

    // Columns of the tile for these blocks of pixels, or 0 where none suits. Neurons must not lie in two tiles.
    int TileOf(int terms, int columns, PixelBlocks blocks, int neuron)
    {
        var tile = columns % 64 == 0 ? 64 : columns % 32 == 0 ? 32 : 16;
        var suits = terms % 4 == 0 && columns % tile == 0 && (columns == tile || tile % neuron == 0) && blocks.UsedShare >= LeastShare;
        return suits && RowTiles(blocks, tile) * (columns / tile) >= device.FewestGroups ? tile : 0;
    }

    static int RowTiles(PixelBlocks blocks, int tileColumns) => (blocks.Count * tileColumns + 63) / 64;

    bool Slides<TFilter>(Operand x, NormTerm<Operand>? norm, PixelBlocks inputs, int terms, Operand filter, int padding, in Epilogue<Operand> epilogue, Operand y, PixelBlocks outputs, int columns)
        where TFilter : struct, IFilterUse
    {
        var tile = TileOf(terms, columns, outputs, epilogue.Quadratic?.Layout.Stride ?? 1);
        if (tile == 0 || norm is not null && terms > InputNorm.MostChannels || !Four(x, terms) || !Four(filter, columns) || !TFilter.HasEpilogue && !Four(y, columns)) return false;

        int rowTiles = RowTiles(outputs, tile), columnTiles = columns / tile, rows = y.Length / columns;
        epilogue.Statistics?.CheckRows(rows);
        int leaves = epilogue.Statistics is null ? 0 : rowTiles, inner = FoldTree.Inner(leaves);
        using var moments = leaves > 0 ? Scratch<Moments>((leaves + inner) * columns) : null;
        var end = new TileEpilogue(epilogue, rows, y, new(Elements<Moments>(moments ?? y), Arrivals(columnTiles * inner), leaves, columns));
        if (tile == 64) Use<Tile64x64>();
        else if (tile == 32) Use<Tile128x32>();
        else Use<Tile256x16>();
        Merge(moments, rowTiles, epilogue.Statistics, rows, columns);
        return true;

        void Use<TTile>() where TTile : struct, IPixelTile
        {
            if (norm is null) Launch<TTile, AsItIs>();
            else Launch<TTile, Normalized>();
        }

        void Launch<TTile, TInput>() where TTile : struct, IPixelTile where TInput : struct, IInputUse =>
            device.Launch(new SlidingConvolution<TTile, TFilter, TInput>(new(x.View()), new(x, norm), new(filter.View()), inputs, outputs, padding, terms, new FastDivisor(columnTiles), end), rowTiles * columnTiles);
    }

    // Slices for these blocks of pixels, or 0 where there are too few.
    int SlicesOf(ConvGeometry g, PixelBlocks blocks)
    {
        if (g.InChannels % ChannelsOfFilterTile != 0 || g.OutChannels % ChannelsOfFilterTile != 0 || blocks.UsedShare < LeastShareOfFilterGradient) return 0;
        int pairs = PairsOf(g), slices = Math.Clamp(GroupsOfFilterGradient / Math.Max(1, pairs), 1, Math.Max(1, blocks.Count));
        return pairs * slices >= device.FewestGroups ? slices : 0;
    }

    static int PairsOf(ConvGeometry g) => g.InChannels / ChannelsOfFilterTile * (g.OutChannels / ChannelsOfFilterTile);

    bool Slides<TStride, TInput>(Operand x, NormTerm<Operand>? norm, Operand dy, ConvGeometry g, Operand dFilter) where TStride : struct, IStride where TInput : struct, IInputUse
    {
        var blocks = BlocksOfFilterGradient<TStride>(g);
        var slices = SlicesOf(g, blocks);
        if (slices == 0 || !Four(x, g.InChannels) || !Four(dy, g.OutChannels)) return false;

        using var memory = Scratch<float>(slices * dFilter.Length);
        var sums = Elements<float>(memory);
        device.Launch(new SlidingFilterGradient<TStride, TInput>(new(x.View()), new(x, norm), new(dy.View()), Pixels(g.Batch, g.Height, g.Width), blocks, g.Window.Padding,
            g.InChannels, new FastDivisor(g.OutChannels / ChannelsOfFilterTile), slices, sums), PairsOf(g), slices);
        Fold<Reduction<Sum>, float>(new Reduction<Sum>(sums, dFilter.View()), 1, slices, dFilter.Length);
        return true;
    }
}
