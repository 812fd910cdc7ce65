using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>How a convolution of stride 1 uses a filter [kh, kw, ci, co], and how the filter's part for four terms comes to shared memory, [tap, term, column].</summary>
interface IFilterUse
{
    /// <summary>Whether four elements that are adjacent in memory are adjacent in shared memory.</summary>
    static abstract bool AlongColumns { get; }

    /// <summary>1 if the taps of the sum come in the order of memory, -1 if they come in reverse order.</summary>
    static abstract int TapsForward { get; }

    /// <summary>The index in memory of the quad at a tap, a term and a column.</summary>
    /// <param name="tap">3 kh + kw, from 0 to 8, in the order of the sum.</param>
    /// <param name="term">The term of the sum; the first of four if quads do not lie along columns.</param>
    /// <param name="column">The column of the result; the first of four if quads lie along columns.</param>
    /// <param name="terms">The number of terms of a tap.</param>
    /// <param name="columns">The number of columns of the result.</param>
    static abstract int Index(int tap, int term, int column, int terms, int columns);
}

/// <summary>y = x * filter: terms are ci, columns co.</summary>
readonly struct FilterOfOutputs : IFilterUse
{
    public static bool AlongColumns => true;

    public static int TapsForward => 1;

    public static int Index(int tap, int term, int column, int terms, int columns) => (tap * terms + term) * columns + column;
}

/// <summary>dx = dy * filter, rotated by 180 degrees: terms are co, columns ci.</summary>
readonly struct FilterOfInputs : IFilterUse
{
    public static bool AlongColumns => false;

    public static int TapsForward => -1;

    public static int Index(int tap, int term, int column, int terms, int columns) => ((8 - tap) * columns + column) * terms + term;
}

/// <summary>
/// A 3x3 convolution of stride 1, y[pixel, column] = sum over taps and terms of x[pixel + tap, term] filter[tap, term, column], then <typeparamref name="TEnd"/>. It also computes
/// the input gradient, which has the same form. A group computes <typeparamref name="TTile"/>, whose rows are blocks of 8x8 pixels. It copies
/// four terms of the blocks, with their borders, to shared memory, once for all taps. A thread has a row of eight pixels and four columns. Ten quads of
/// shared memory serve the three taps of a row, and each quad of the filter serves eight pixels, so 384 multiply-adds need 22 reads.
/// Floor: 9 multiply-adds per pixel, term and column.
/// </summary>
readonly struct SlidingConvolution<TTile, TFilter, TInput, TEnd>(Source x, InputNorm norm, Source filter, PixelBlocks inputs, PixelBlocks outputs, int padding, int terms, FastDivisor columnTiles, TEnd end) : IKernel
    where TTile : struct, IPixelTile
    where TFilter : struct, IFilterUse
    where TInput : struct, IInputUse
    where TEnd : struct, ISlidingEnd
{
    const int MostNormalized = InputNorm.MostChannels;
    const int Size = 3, Side = PixelRows.Side, Rim = Side + Size - 1;

    public static int Threads => PixelRows<TTile>.Threads;

    public static bool Unrolled => true;

    public static int GroupsPerMultiprocessor => 512 / Threads;

    int Columns => columnTiles.Divisor * TTile.Columns;

    static int Blocks => TTile.Rows / (Side * Side);

    static int Across => TTile.Columns / 4;

    // Two parts of shared memory alternate. A part is [block, row, column] of input, then [tap, term, column] of the filter.
    static int PartQuads => InputQuads + FilterQuads;

    static int InputQuads => Blocks * Rim * Rim;

    static int FilterQuads => Size * Size * TTile.Columns;

    static int InputsStaged => (InputQuads + Threads - 1) / Threads;

    static int FiltersStaged => (FilterQuads + Threads - 1) / Threads;

    public void Run()
    {
        var shared = SharedMemory.Allocate<Quad>(Math.Max(2 * PartQuads, TileMemory<PixelRows<TTile>>.Quads));
        var places = SharedMemory.Allocate<int>(TTile.Rows);
        int rowTile = columnTiles.Divide(Grid.IdxX), columnTile = columnTiles.Rest(Grid.IdxX, rowTile), firstColumn = columnTile * TTile.Columns, firstBlock = rowTile * Blocks;
        var at = new int[InputsStaged];
        Locate(firstBlock, at, places);
        var norms = SharedMemory.Allocate<Quad>(TInput.Normalizes ? InputNorm.Floats(MostNormalized) / 4 : 1);
        if (TInput.Normalizes)
        {
            norm.WorkOut(0, terms, MostNormalized, norms.Cast<float>());
            Group.Barrier();
        }

        int line = Group.IdxX / Across, weight = FirstWeight(firstColumn);
        var left = shared.SubView((line / Side * Rim + (line & (Side - 1))) * Rim);
        var right = shared.SubView(InputQuads + (Group.IdxX & (Across - 1)));
        var sums = new float[4 * Side];
        for (var i = 0; i < 4 * Side; i++) sums[i] = 0f;
        var staged = new float[4 * (InputsStaged + FiltersStaged)];
        Fetch(at, weight, 0, staged);
        var part = 0;
        for (var term = 0; term < terms; term += 4)
        {
            if (TInput.Normalizes) Normalize(at, norms.SubView(term / 4), staged);
            Put(staged, shared.SubView(part));
            Group.Barrier();
            if (term + 4 < terms) Fetch(at, weight, term + 4, staged);
            for (var kh = 0; kh < Size; kh++) AddTaps(left.SubView(part + kh * Rim), right.SubView(part + kh * Size * TTile.Columns), sums);

            // No barrier follows, because ILGPU would move the reads that only sums need behind it. The other part is free.
            part = PartQuads - part;
        }

        end.Store<TTile>(sums, new(places, (outputs.Count - firstBlock) * Side * Side), shared, Columns, columnTile, rowTile);
    }

    // Finds the positions of the thread's input pixels in memory (-1 outside), and the pixel of each row of the tile. Barriers of the main loop lie between this and the first reader.
    void Locate(int firstBlock, int[] at, ArrayView<int> places)
    {
        for (var i = 0; i < InputsStaged; i++)
        {
            int place = Group.IdxX + i * Threads, block = PixelBlocks.Divide(place, Rim * Rim), inBlock = place - block * Rim * Rim, row = PixelBlocks.Divide(inBlock, Rim);
            var first = outputs.First(firstBlock + block);
            var pixel = place < InputQuads && firstBlock + block < outputs.Count ? inputs.Pixel(first.Image, first.Row - padding + row, first.Column - padding + inBlock - row * Rim) : -1;
            at[i] = pixel < 0 ? -1 : pixel * terms;
        }

        for (var row = Group.IdxX; row < TTile.Rows; row += Threads)
        {
            var block = firstBlock + row / (Side * Side);
            var first = outputs.First(block);
            places[row] = block < outputs.Count ? outputs.Pixel(first.Image, first.Row + (row / Side & (Side - 1)), first.Column + (row & (Side - 1))) : -1;
        }
    }

    // The position of the thread's first quad of the filter at term 0; its other quads lie whole taps after it.
    int FirstWeight(int firstColumn) => TFilter.AlongColumns
        ? TFilter.Index(Group.IdxX / TTile.Columns, Group.IdxX / Across & 3, firstColumn + 4 * (Group.IdxX & (Across - 1)), terms, Columns)
        : TFilter.Index(Group.IdxX / TTile.Columns, 0, firstColumn + (Group.IdxX & (TTile.Columns - 1)), terms, Columns);

    // Loads four terms of the blocks and of the filter from memory to registers.
    void Fetch(int[] at, int weight, int term, float[] staged)
    {
        for (var i = 0; i < InputsStaged; i++)
        {
            var value = at[i] < 0 ? default : x.Elements.Cast<Quad>()[(at[i] + term) / 4];
            value.Spread(staged, 4 * i);
        }

        int first = weight + (TFilter.AlongColumns ? term * Columns : term), apart = TFilter.TapsForward * (Threads / TTile.Columns) * terms * Columns;
        for (var i = 0; i < FiltersStaged; i++)
        {
            var value = Group.IdxX + i * Threads < FilterQuads ? filter.Elements.Cast<Quad>()[(first + i * apart) / 4] : default;
            value.Spread(staged, 4 * (InputsStaged + i));
        }
    }

    // Elements outside the image stay 0.
    void Normalize(int[] at, ArrayView<Quad> norms, float[] staged)
    {
        for (var i = 0; i < InputsStaged; i++)
            norm.Apply(norms, MostNormalized, at[i] >= 0, staged, 4 * i);
    }

    static void Put(float[] staged, ArrayView<Quad> shared)
    {
        for (var i = 0; i < InputsStaged; i++)
        {
            var place = Group.IdxX + i * Threads;
            if (place < InputQuads) shared[place] = Quad.Of(staged, 4 * i);
        }

        for (var i = 0; i < FiltersStaged; i++)
        {
            int quad = Group.IdxX + i * Threads, from = 4 * (InputsStaged + i);
            if (quad >= FilterQuads) continue;
            if (TFilter.AlongColumns)
            {
                shared[InputQuads + quad] = Quad.Of(staged, from);
            }
            else
            {
                var column = shared.Cast<float>().SubView(4 * InputQuads + quad / TTile.Columns * 4 * TTile.Columns + (quad & (TTile.Columns - 1)));
                for (var j = 0; j < 4; j++) column[j * TTile.Columns] = staged[from + j];
            }
        }
    }

    // The three taps of a row.
    static void AddTaps(ArrayView<Quad> left, ArrayView<Quad> right, float[] sums)
    {
        var pixels = new float[4 * Rim];
        for (var i = 0; i < Rim; i++) left[i].Spread(pixels, 4 * i);
        for (var kw = 0; kw < Size; kw++)
            for (var term = 0; term < 4; term++)
            {
                var weights = new float[4];
                right[(kw * 4 + term) * Across].Spread(weights, 0);
                for (var pixel = 0; pixel < Side; pixel++)
                    for (var column = 0; column < 4; column++)
                        sums[4 * pixel + column] += pixels[4 * (pixel + kw) + term] * weights[column];
            }
    }
}

/// <summary>The sums of a tile of threads whose rows are pixels. A thread has a row of eight pixels, and four columns.</summary>
readonly struct PixelRows<TTile> : ISums where TTile : struct, IPixelTile
{
    public static int Rows => TTile.Rows;

    public static int Columns => TTile.Columns;

    public static int Threads => TTile.Rows / PixelRows.Side * (TTile.Columns / 4);

    public static int WorkingFloats => 0;

    public static int SlabPitch => TTile.Columns + 4;

    public static int RowOf(int slab, int line) => slab * TileMemory<PixelRows<TTile>>.SlabRows + line;

    public static void Put(float[] sums, int slab, ArrayView<float> shared)
    {
        int first = Group.IdxX / (TTile.Columns / 4) * PixelRows.Side - slab * TileMemory<PixelRows<TTile>>.SlabRows;
        if (first < 0 || first >= TileMemory<PixelRows<TTile>>.SlabRows) return;
        var quads = shared.Cast<Quad>().SubView(first * (SlabPitch / 4) + (Group.IdxX & (TTile.Columns / 4 - 1)));
        for (var i = 0; i < PixelRows.Side; i++) quads[i * (SlabPitch / 4)] = Quad.Of(sums, 4 * i);
    }
}

static class PixelRows
{
    /// <summary>Pixels of a block along each side.</summary>
    public const int Side = 8;
}

/// <summary>The places in y of the rows of a tile of pixels.</summary>
/// <param name="pixels">The pixel of each row of the tile, or -1.</param>
/// <param name="rows">Rows of the blocks from the tile's first one on.</param>
readonly struct PixelPlaces(ArrayView<int> pixels, int rows) : IPlaces
{
    public bool Reaches(int row) => row < rows;

    public int Of(int row) => pixels[row];

    /// <summary>The pixels of the thread's rows, which are consecutive.</summary>
    public ArrayView<int> OfThread<TTile>() where TTile : struct, IPixelTile => pixels.SubView(Group.IdxX / (TTile.Columns / 4) * PixelRows.Side);
}
