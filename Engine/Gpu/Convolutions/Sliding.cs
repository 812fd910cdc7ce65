using ILGPU;
using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Gpu;

/// <summary>Sliding convolutions, which are 3x3 convolutions in float32: this decides when they are used, and launches them.</summary>
sealed partial class GpuKernels
{
    const int ChannelsOfFilterTile = SlidingFilterGradient<StrideOfOne, AsItIs>.Channels;

    // Two groups for each multiprocessor of a large GPU.
    const int GroupsOfFilterGradient = 264;

    // A tile takes whole rows of blocks. If too many pixels of the blocks lie outside the images, other tiles are faster.
    const double LeastShare = 0.7, LeastShareOfFilterGradient = 0.5;

    public override bool NormalizesWhatItConvolves(ConvGeometry geometry) =>
        geometry.InChannels <= InputNorm.MostChannels && PlanOfOutputs(geometry, 1) is not null && PlanOfInputs(geometry) is not null && SlicesOf(geometry, BlocksOfFilterGradient<StrideOfOne>(geometry)) > 0;

    public override void NormalizeAndConv2d(Operand x, NormTerm<Operand> norm, Operand filter, ConvGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        if (!Slides(x, norm, filter, geometry, epilogue, y)) base.NormalizeAndConv2d(x, norm, filter, geometry, epilogue, y);
    }

    public override void NormalizeAndConv2dFilterGradient(Operand x, NormTerm<Operand> norm, Operand dy, ConvGeometry geometry, Operand dFilter)
    {
        if (!Slides(x, norm, dy, geometry, dFilter)) base.NormalizeAndConv2dFilterGradient(x, norm, dy, geometry, dFilter);
    }

    public override void NormalizeAndConv2dInputGradient(Operand dy, Operand filter, ConvGeometry geometry, Operand x, NormTerm<Operand> norm, Operand g, Operand dGamma, Operand dBeta)
    {
        if (!Slides(dy, filter, geometry, x, norm, g, new(new ChannelNorm(norm), dGamma.View(), dBeta.View()))) base.NormalizeAndConv2dInputGradient(dy, filter, geometry, x, norm, g, dGamma, dBeta);
    }

    /// <summary>Runs a convolution if it can slide.</summary>
    /// <returns>False if it cannot slide; then nothing was done.</returns>
    bool Slides(Operand x, NormTerm<Operand>? norm, Operand filter, ConvGeometry g, in Epilogue<Operand> epilogue, Operand y)
    {
        if (PlanOfOutputs(g, epilogue.Quadratic?.Layout.Stride ?? 1) is not { } plan || norm is not null && g.InChannels > InputNorm.MostChannels || !Four(x, g.InChannels) || !Four(filter, g.OutChannels)) return false;

        var rows = y.Length / g.OutChannels;
        epilogue.Statistics?.CheckRows(rows);
        int leaves = epilogue.Statistics is null ? 0 : plan.RowTiles, inner = FoldTree.Inner(leaves);
        using var moments = leaves > 0 ? Scratch<Moments>((leaves + inner) * g.OutChannels) : null;
        var end = new StepsEnd(new TileEpilogue(epilogue, rows, y, new(Elements<Moments>(moments ?? y), Arrivals(plan.ColumnTiles * inner), leaves, g.OutChannels)));
        if (norm is null) Slide<FilterOfOutputs, AsItIs, StepsEnd>(plan, x, null, filter, end);
        else Slide<FilterOfOutputs, Normalized, StepsEnd>(plan, x, norm, filter, end);
        Merge(moments, plan.RowTiles, epilogue.Statistics, rows, g.OutChannels);
        return true;
    }

    /// <summary>Runs its input gradient: the convolution of dy with the filter rotated by 180 degrees.</summary>
    /// <returns>As above.</returns>
    bool Slides(Operand dy, Operand filter, ConvGeometry g, Operand dx)
    {
        if (PlanOfInputs(g) is not { } plan || !Four(dy, g.OutChannels) || !Four(filter, g.OutChannels) || !Four(dx, g.InChannels)) return false;

        Slide<FilterOfInputs, AsItIs, PlainEnd>(plan, dy, null, filter, new(dx.View()));
        return true;
    }

    /// <summary>The same, together with the sums of the batch norm before the convolution.</summary>
    /// <returns>As above.</returns>
    bool Slides(Operand dy, Operand filter, ConvGeometry geometry, Operand x, NormTerm<Operand> norm, Operand g, NormSumsTarget target)
    {
        if (PlanOfInputs(geometry) is not { } plan || !Four(dy, geometry.OutChannels) || !Four(filter, geometry.OutChannels) || !Four(x, geometry.InChannels) || !Four(g, geometry.InChannels)) return false;

        int fours = geometry.InChannels / 4, inner = FoldTree.Inner(plan.RowTiles);
        using var memory = Scratch<FourPairs>((plan.RowTiles + inner) * fours);
        var sums = Elements<FourPairs>(memory);
        Slide<FilterOfInputs, AsItIs, NormGradientEnd>(plan, dy, null, filter, new(x.View(), new(x, norm), new(sums, Arrivals(plan.ColumnTiles * inner), plan.RowTiles, fours), target, g.View()));
        if (!FoldsWithin) Fold<NormSumsOfTiles, FourPairs>(new NormSumsOfTiles(sums, target), 1, plan.RowTiles, fours);
        return true;
    }

    /// <summary>Runs its filter gradient.</summary>
    /// <returns>As above.</returns>
    bool Slides(Operand x, NormTerm<Operand>? norm, Operand dy, ConvGeometry g, Operand dFilter)
    {
        if (norm is not null) return IsSliding(g, 1) && Slides<StrideOfOne, Normalized>(x, norm, dy, g, dFilter);
        return IsSliding(g, 1) && Slides<StrideOfOne, AsItIs>(x, null, dy, g, dFilter) || IsSliding(g, 2) && Slides<StrideOfTwo, AsItIs>(x, null, dy, g, dFilter);
    }

    bool IsSliding(ConvGeometry g, int stride) =>
        g is { Groups: 1, Window: { Height: 3, Width: 3, Dilation: 1 } } && g.Window.Stride == stride && device.Precision == Precision.Float32 && device.OnlyTile is null;

    static PixelBlocks Blocks(int images, int height, int width) => new(images, height, width, PixelRows.Side, PixelRows.Side);

    static PixelBlocks Pixels(int images, int height, int width) => new(images, height, width, 1, 1);

    static PixelBlocks BlocksOfFilterGradient<TStride>(ConvGeometry g) where TStride : struct, IStride =>
        new(g.Batch, g.OutHeight, g.OutWidth, SlidingFilterGradient<TStride, AsItIs>.BlockRows, SlidingFilterGradient<TStride, AsItIs>.BlockColumns);

    // The plan of a convolution, or null if it cannot slide.
    SlidingPlan? PlanOfOutputs(ConvGeometry g, int neuron) =>
        IsSliding(g, 1) ? Plan(Pixels(g.Batch, g.Height, g.Width), Blocks(g.Batch, g.OutHeight, g.OutWidth), g.Window.Padding, g.InChannels, g.OutChannels, neuron) : null;

    // The plan of its input gradient, or null.
    SlidingPlan? PlanOfInputs(ConvGeometry g) =>
        IsSliding(g, 1) && g.Window.Padding <= 2 ? Plan(Pixels(g.Batch, g.OutHeight, g.OutWidth), Blocks(g.Batch, g.Height, g.Width), 2 - g.Window.Padding, g.OutChannels, g.InChannels, 1) : null;

    // A neuron must not lie in two tiles.
    SlidingPlan? Plan(PixelBlocks inputs, PixelBlocks outputs, int padding, int terms, int columns, int neuron)
    {
        var tile = columns % 64 == 0 ? 64 : columns % 32 == 0 ? 32 : 16;
        if (terms % 4 != 0 || columns % tile != 0 || columns != tile && tile % neuron != 0 || outputs.UsedShare < LeastShare) return null;
        var plan = new SlidingPlan(inputs, outputs, padding, terms, columns, tile);
        return plan.RowTiles * plan.ColumnTiles >= device.FewestGroups ? plan : null;
    }

    void Slide<TFilter, TInput, TEnd>(SlidingPlan plan, Operand x, NormTerm<Operand>? norm, Operand filter, TEnd end)
        where TFilter : struct, IFilterUse
        where TInput : struct, IInputUse
        where TEnd : struct, ISlidingEnd
    {
        if (plan.TileColumns == 64) Launch<Tile64x64>();
        else if (plan.TileColumns == 32) Launch<Tile128x32>();
        else Launch<Tile256x16>();

        void Launch<TTile>() where TTile : struct, IPixelTile => device.Launch(
            new SlidingConvolution<TTile, TFilter, TInput, TEnd>(new(x.View()), new(x, norm), new(filter.View()), plan.Inputs, plan.Outputs, plan.Padding, plan.Terms, new FastDivisor(plan.ColumnTiles), end),
            plan.RowTiles * plan.ColumnTiles);
    }

    // The number of slices for these blocks of pixels, or 0 if there are too few blocks.
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
        Fold<Reduction<SumOp>, float>(new Reduction<SumOp>(sums, dFilter.View()), 1, slices, dFilter.Length);
        return true;
    }
}
