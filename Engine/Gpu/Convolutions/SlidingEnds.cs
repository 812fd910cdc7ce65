using ILGPU;
using ILGPU.Runtime.Cuda;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>The last step of a sliding convolution, which uses the sums of its tile. A thread has the sums of eight pixels in a row and of four columns. The columns of a tile divide the columns of the result.</summary>
interface ISlidingEnd
{
    /// <param name="sums">The thread's sums, [pixel, column].</param>
    /// <param name="places">The pixels of the tile.</param>
    /// <param name="shared">The group's memory, which other threads may still read.</param>
    /// <param name="columns">The number of columns of the result.</param>
    /// <param name="columnTile">The number of the tile among the tiles of its pixels.</param>
    /// <param name="rowTile">The number of the tile among the tiles of its columns.</param>
    void Store<TTile>(float[] sums, PixelPlaces places, ArrayView<Quad> shared, int columns, int columnTile, int rowTile) where TTile : struct, IPixelTile;
}

/// <summary>The steps of an <see cref="Epilogue{T}"/>.</summary>
readonly struct StepsEnd(TileEpilogue epilogue) : ISlidingEnd
{
    public void Store<TTile>(float[] sums, PixelPlaces places, ArrayView<Quad> shared, int columns, int columnTile, int rowTile) where TTile : struct, IPixelTile
    {
        Group.Barrier();
        epilogue.Store<PixelRows<TTile>, PixelPlaces>(places, sums, shared.Cast<float>(), columnTile * TTile.Columns, TTile.Columns, columns, columnTile, rowTile);
    }
}

/// <summary>No further step: the sums are written from registers, four columns at a time.</summary>
readonly struct PlainEnd(ArrayView<float> y) : ISlidingEnd
{
    public void Store<TTile>(float[] sums, PixelPlaces places, ArrayView<Quad> shared, int columns, int columnTile, int rowTile) where TTile : struct, IPixelTile
    {
        var own = places.OfThread<TTile>();
        var column = columnTile * TTile.Columns + 4 * (Group.IdxX & (TTile.Columns / 4 - 1));
        for (var i = 0; i < PixelRows.Side; i++)
        {
            var pixel = own[i];
            if (pixel >= 0) y.Cast<Quad>()[(pixel * columns + column) / 4] = Quad.Of(sums, 4 * i);
        }
    }
}

/// <summary>
/// The first half of a batch norm's backward, if the sums are the gradient of its output. It stores g, the gradient before the activation, and adds up
/// g and g (x - mean) over the pixels of each channel.
/// </summary>
/// <param name="x">The input of the batch norm, of the shape of the result.</param>
/// <param name="norm">The batch norm.</param>
/// <param name="tree">Folds the sums of the row tiles, with one tree for each column tile; its columns are four channels each.</param>
/// <param name="target">The outputs for the sums.</param>
/// <param name="g">The output for g.</param>
readonly struct NormGradientEnd(ArrayView<float> x, InputNorm norm, FoldTree<FourPairs> tree, NormSumsTarget target, ArrayView<float> g) : ISlidingEnd
{
    public void Store<TTile>(float[] sums, PixelPlaces places, ArrayView<Quad> shared, int columns, int columnTile, int rowTile) where TTile : struct, IPixelTile
    {
        const int Side = PixelRows.Side;
        int across = TTile.Columns / 4, own = Group.IdxX & (across - 1), first = columnTile * TTile.Columns / 4 + own;
        var pixels = places.OfThread<TTile>();

        // All reads are issued before the first is used.
        var inputs = new float[4 * Side];
        for (var i = 0; i < Side; i++)
        {
            var value = pixels[i] < 0 ? default : x.Cast<Quad>()[pixels[i] * (columns / 4) + first];
            value.Spread(inputs, 4 * i);
        }

        Group.Barrier();
        norm.WorkOut(columnTile * TTile.Columns, TTile.Columns, TTile.Columns, shared.Cast<float>());
        Group.Barrier();
        var means = new float[4];
        shared[own].Spread(means, 0);
        var totals = new float[8];
        for (var i = 0; i < 8; i++) totals[i] = 0f;
        for (var i = 0; i < Side; i++)
        {
            var normalized = new float[4];
            for (var c = 0; c < 4; c++) normalized[c] = inputs[4 * i + c];
            norm.Apply(shared.SubView(own), TTile.Columns, pixels[i] >= 0, normalized, 0);
            for (var c = 0; c < 4; c++)
            {
                var through = norm.Backward(sums[4 * i + c], normalized[c]);
                var gradient = pixels[i] >= 0 ? through : 0f;
                sums[4 * i + c] = gradient;
                totals[2 * c] += gradient;
                totals[2 * c + 1] += gradient * (inputs[4 * i + c] - means[c]);
            }

            if (pixels[i] >= 0) g.Cast<Quad>()[pixels[i] * (columns / 4) + first] = Quad.Of(sums, 4 * i);
        }

        Group.Barrier();
        var lanes = new FoldLanes(Group.IdxX / across, PixelRows<TTile>.Threads / across, across);
        var all = lanes.Across<FourPairs, AddFourPairs>(FourPairs.Of(totals), shared.Cast<FourPairs>());
        if (!CudaAsm.IsSupported)
            tree.Leave(all, rowTile, first, lanes);
        else if (tree.Fold<AddFourPairs>(ref all, columnTile, rowTile, first, lanes, shared.Cast<FourPairs>(), SharedMemory.Allocate<int>(1)) && lanes.Lane == 0)
            all.StoreTo(target, 4 * first);
    }
}

/// <summary>Two sums for each of four adjacent channels.</summary>
readonly struct FourPairs(Quad first, Quad second)
{
    /// <summary>The sums of the first two channels, and of the other two.</summary>
    public readonly Quad First = first, Second = second;

    public static FourPairs Of(float[] sums) => new(Quad.Of(sums, 0), Quad.Of(sums, 4));

    /// <summary>Stores them, beginning with the given channel.</summary>
    public void StoreTo(NormSumsTarget target, int channel)
    {
        target.Store(channel, First.X, First.Y);
        target.Store(channel + 1, First.Z, First.W);
        target.Store(channel + 2, Second.X, Second.Y);
        target.Store(channel + 3, Second.Z, Second.W);
    }
}

readonly struct AddFourPairs : ICombine<FourPairs>
{
    public static FourPairs Identity => new(default, default);

    public static FourPairs Combine(FourPairs a, FourPairs b) => new(Sum(a.First, b.First), Sum(a.Second, b.Second));

    static Quad Sum(Quad a, Quad b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z, a.W + b.W);
}

/// <summary>Adds up the sums of the row tiles in a separate launch, if the convolutions do not add them up themselves.</summary>
readonly struct NormSumsOfTiles(ArrayView<FourPairs> tiles, NormSumsTarget target) : IFold<FourPairs>
{
    public static FourPairs Identity => AddFourPairs.Identity;

    public static FourPairs Combine(FourPairs a, FourPairs b) => AddFourPairs.Combine(a, b);

    public FourPairs Of(int row, int index, int column) => tiles[index];

    public void Store(int column, FourPairs total) => total.StoreTo(target, 4 * column);
}
