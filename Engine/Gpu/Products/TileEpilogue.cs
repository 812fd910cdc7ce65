using ILGPU;
using ILGPU.Runtime.Cuda;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>
/// The end of a tile, with a fused <see cref="Epilogue{T}"/>. Sums go from registers through shared memory, several rows at a time, so
/// that a thread has one column, whole neurons are together, and writes are coalesced.
/// </summary>
readonly struct TileEpilogue
{
    readonly ArrayView<float> y;
    readonly Optional bias, scale, shift, residual;
    readonly QuadraticNeurons neurons;
    readonly FoldTree<Moments> moments;
    readonly MomentsTarget target;
    readonly Activation activation;
    readonly int quadratic, statistics;

    /// <param name="epilogue">The steps.</param>
    /// <param name="rows">The rows of the whole product.</param>
    /// <param name="y">The output; [slices, rows, columns] if another launch adds up slices.</param>
    /// <param name="moments">Folds the moments of the row tiles, with one tree for each column tile, if statistics are needed.</param>
    public TileEpilogue(in Epilogue<Operand> epilogue, int rows, Operand y, FoldTree<Moments> moments)
    {
        (this.y, this.moments) = (y.View(), moments);
        (bias, scale, shift, residual) = (new(epilogue.Bias, this.y), new(epilogue.Scale, this.y), new(epilogue.Shift, this.y), new(epilogue.Residual, this.y));
        neurons = epilogue.Quadratic is { } term ? new QuadraticNeurons(term) : new QuadraticNeurons(this.y);
        activation = epilogue.Activation;
        quadratic = epilogue.Quadratic is null ? 0 : 1;
        target = epilogue.Statistics is { } gathered ? new MomentsTarget(gathered, rows) : new MomentsTarget(this.y);
        statistics = epilogue.Statistics is null ? 0 : 1;
    }

    /// <summary>The output.</summary>
    public ArrayView<float> Target => y;

    /// <param name="places">The places in y of the rows of the tile.</param>
    /// <param name="sums">The thread's sums.</param>
    /// <param name="shared">The group's memory, which is free now.</param>
    /// <param name="firstColumn">The first column of the tile.</param>
    /// <param name="columnsPerTile">The number of columns that the tile computes.</param>
    /// <param name="allColumns">The columns of y.</param>
    /// <param name="columnTile">The number of the tile among the tiles of its rows.</param>
    /// <param name="rowTile">The number of the tile among the tiles of its columns.</param>
    public void Store<TSums, TPlaces>(TPlaces places, float[] sums, ArrayView<float> shared, int firstColumn, int columnsPerTile, int allColumns, int columnTile, int rowTile)
        where TSums : struct, ISums
        where TPlaces : struct, IPlaces
    {
        int own = Group.IdxX & (TSums.Columns - 1), column = firstColumn + own;
        var inside = own < columnsPerTile && column < allColumns;
        float columnBias = inside ? bias.Or(column, 0f) : 0f, columnScale = inside ? scale.Or(column, 1f) : 1f, columnShift = inside ? shift.Or(column, 0f) : 0f;
        var columns = shared.SubView(TileMemory<TSums>.Columns).Cast<Pair>();
        var rank = 0;
        if (inside && quadratic != 0)
        {
            int head = neurons.Head(column), rankOfNeuron = neurons.Rank(head);
            if (head == column) rank = rankOfNeuron;
            if (Group.IdxX < TSums.Columns) columns[own] = new Pair(columnBias, head == column ? 0f : neurons.Scale(rankOfNeuron) * neurons.Lambda(column));
        }

        var running = new RunningMoments(0f, 0f, 0f, 0f);

        // The number of slabs that have a row in the matrix. It is not known before the kernel runs, so the loop over slabs is not unrolled.
        var slabs = 1;
        while (slabs < TileMemory<TSums>.Slabs && places.Reaches(TSums.RowOf(slabs, 0))) slabs++;
        for (var slab = 0; slab < slabs; slab++)
        {
            TSums.Put(sums, slab, shared);
            Group.Barrier();

            // A thread whose column is outside has no lines.
            for (var line = inside ? Group.IdxX / TSums.Columns : TileMemory<TSums>.SlabRows; line < TileMemory<TSums>.SlabRows; line += TSums.Threads / TSums.Columns)
            {
                int at = line * TSums.SlabPitch + own, place = places.Of(TSums.RowOf(slab, line));
                if (place < 0) continue;
                var value = shared[at] + columnBias;
                if (rank > 0) value += SquaresOfNeuron(shared.SubView(at), columns.SubView(own), rank);
                if (statistics != 0) running = running.With(value);
                var index = place * allColumns + column;
                y[index] = activation.F(value * columnScale + columnShift + residual.Or(index, 0f));
            }

            Group.Barrier();
        }

        if (statistics == 0) return;
        var lanes = new FoldLanes(Group.IdxX / TSums.Columns, TSums.Threads / TSums.Columns, TSums.Columns);
        var all = lanes.Across<Moments, MergeMoments>(running.Moments, shared.Cast<Moments>());
        var of = inside ? column : allColumns;
        if (!CudaAsm.IsSupported)
        {
            moments.Leave(all, rowTile, of, lanes);
        }
        else if (moments.Fold<MergeMoments>(ref all, columnTile, rowTile, of, lanes, shared.Cast<Moments>(), TileMemory<TSums>.Slot(shared)) && inside && lanes.Lane == 0)
        {
            target.Store(column, all.Mean, all.Squares / all.Count);
        }
    }

    // sum s lambda f^2 over the channels after the head of a neuron, in the same row.
    static float SquaresOfNeuron(ArrayView<float> row, ArrayView<Pair> columns, int rank)
    {
        var sum = 0f;
        for (var k = 1; k <= rank; k++)
        {
            var coefficient = columns[k];
            var f = row[k] + coefficient.A;
            sum += coefficient.B * f * f;
        }

        return sum;
    }
}

/// <summary>Count, mean and sum of squared deviations of some numbers.</summary>
readonly struct Moments(float count, float mean, float squares)
{
    public readonly float Count = count, Mean = mean, Squares = squares;
}

/// <summary>
/// Moments of numbers that come one after the other, from the sums of d and d^2, where d is the difference from the first number. This needs no division
/// for each number, and the difference of the sums does not cancel.
/// </summary>
readonly struct RunningMoments(float count, float first, float sum, float squares)
{
    public RunningMoments With(float value)
    {
        float origin = count == 0f ? value : first, d = value - origin;
        return new RunningMoments(count + 1f, origin, sum + d, squares + d * d);
    }

    public Moments Moments
    {
        get
        {
            var shift = count == 0f ? 0f : sum / count;
            return new Moments(count, first + shift, squares - sum * shift);
        }
    }
}

/// <summary>Moments of the union of two sets (Chan, Golub and LeVeque 1979).</summary>
readonly struct MergeMoments : ICombine<Moments>
{
    public static Moments Identity => new(0f, 0f, 0f);

    public static Moments Combine(Moments a, Moments b)
    {
        var n = a.Count + b.Count;
        if (n == 0f) return a;
        float d = b.Mean - a.Mean, share = b.Count / n;
        return new Moments(n, a.Mean + d * share, a.Squares + b.Squares + d * d * a.Count * share);
    }
}

/// <summary>Merges the moments of the row tiles in a separate launch, if the products do not merge them themselves.</summary>
readonly struct MomentsOfTiles(ArrayView<Moments> tiles, MomentsTarget target) : IFold<Moments>
{
    public static Moments Identity => MergeMoments.Identity;

    public static Moments Combine(Moments a, Moments b) => MergeMoments.Combine(a, b);

    public Moments Of(int row, int index, int column) => tiles[index];

    public void Store(int column, Moments total) => target.Store(column, total.Mean, total.Squares / total.Count);
}
