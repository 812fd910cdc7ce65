using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>The stride of a window, as a type, and the constants that follow from it.</summary>
interface IStride
{
    static abstract int Pixels { get; }

    /// <summary>The number of rows of output pixels that a stream of threads processes; fewer if they need more input.</summary>
    static abstract int RowsPerStream { get; }
}

readonly struct StrideOfOne : IStride
{
    public static int Pixels => 1;

    public static int RowsPerStream => 2;
}

readonly struct StrideOfTwo : IStride
{
    public static int Pixels => 2;

    public static int RowsPerStream => 1;
}

/// <summary>
/// The filter gradient of a 3x3 convolution, dFilter[kh, kw, ci, co] = sum over pixels of x[pixel + (kh, kw), ci] dy[pixel, co], for 16 input and 16 output
/// channels per group. A thread has one kh, four ci, four co, and all three kw. It moves along a row of pixels and keeps the three columns of its
/// window in registers. One column is new at each pixel (two at stride 2), so 48 multiply-adds need two (three) reads of shared memory. The
/// image is copied to shared memory once, not once for each tap. Four streams of 48 threads process different rows, and their sums are added up at the end.
/// Floor: 9 Ci Co multiply-adds per pixel.
/// </summary>
/// <remarks>
/// The grid is [pairs of channel tiles, slices]. A slice is a sequence of blocks of 8x8 output pixels (4x8 at stride 2) and stores its sums in
/// slices[slice, kh, kw, ci, co].
/// </remarks>
readonly struct SlidingFilterGradient<TStride, TInput>(Source x, InputNorm norm, Source dy, PixelBlocks inputs, PixelBlocks outputs, int padding, int inChannels, FastDivisor outTiles, int slices, ArrayView<float> sumsOfSlices) : IKernel
    where TStride : struct, IStride
    where TInput : struct, IInputUse
{
    /// <summary>The number of input channels, and of output channels, of a tile.</summary>
    public const int Channels = 16;

    /// <summary>The size of a block in output pixels.</summary>
    public const int BlockColumns = 8;

    const int Streams = 4, Size = 3, QuadsPerPixel = Channels / 4, ThreadsPerStream = Size * QuadsPerPixel * QuadsPerPixel, Sums = Size * 16;

    public static int Threads => Streams * ThreadsPerStream;

    public static bool Unrolled => true;

    // 12 warps, three per scheduler, and 168 registers per thread.
    public static int GroupsPerMultiprocessor => 2;

    public static int BlockRows => Streams * TStride.RowsPerStream;

    static int InputRows => (BlockRows - 1) * TStride.Pixels + Size;

    static int InputColumns => (BlockColumns - 1) * TStride.Pixels + Size;

    static int InputQuads => InputRows * InputColumns * QuadsPerPixel;

    static int OutputQuads => BlockRows * BlockColumns * QuadsPerPixel;

    // The number of quads of each operand that a thread loads.
    static int InputsStaged => (InputQuads + Threads - 1) / Threads;

    static int OutputsStaged => (OutputQuads + Threads - 1) / Threads;

    // Two parts of shared memory alternate. A part is a block's input, then its gradients.
    static int PartQuads => InputQuads + OutputQuads;

    // At the end, half of the streams pass on their sums at a time.
    static int SharedQuads => Math.Max(2 * PartQuads, Streams / 2 * ThreadsPerStream * Sums / 4);

    int OutChannels => outTiles.Divisor * Channels;

    public void Run()
    {
        var shared = SharedMemory.Allocate<Quad>(SharedQuads);
        int inTile = outTiles.Divide(Grid.IdxX), firstIn = inTile * Channels, firstOut = outTiles.Rest(Grid.IdxX, inTile) * Channels;
        int stream = Group.IdxX / ThreadsPerStream, member = Group.IdxX - stream * ThreadsPerStream;
        int kh = member / (QuadsPerPixel * QuadsPerPixel), own = member & (QuadsPerPixel * QuadsPerPixel - 1);
        var left = shared.SubView((stream * TStride.RowsPerStream * TStride.Pixels + kh) * InputColumns * QuadsPerPixel + own / QuadsPerPixel);
        var right = shared.SubView(InputQuads + stream * TStride.RowsPerStream * BlockColumns * QuadsPerPixel + (own & (QuadsPerPixel - 1)));

        var sums = new float[Sums];
        for (var i = 0; i < Sums; i++) sums[i] = 0f;
        var staged = new float[4 * (InputsStaged + OutputsStaged)];
        int[] rows = new int[InputsStaged + OutputsStaged], columns = new int[InputsStaged + OutputsStaged], offsets = new int[InputsStaged + OutputsStaged];
        Locate(firstIn, firstOut, rows, columns, offsets);
        var norms = SharedMemory.Allocate<Quad>(TInput.Normalizes ? InputNorm.Floats(Channels) / 4 : 1);
        if (TInput.Normalizes)
        {
            norm.WorkOut(firstIn, Channels, Channels, norms.Cast<float>());
            Group.Barrier();
        }

        int block = (int)((long)Grid.IdxY * outputs.Count / slices), end = (int)((Grid.IdxY + 1L) * outputs.Count / slices);
        Fetch(block, rows, columns, offsets, staged);
        var part = 0;
        for (; block < end; block++)
        {
            if (TInput.Normalizes) Normalize(block, rows, columns, norms.SubView(Group.IdxX & (QuadsPerPixel - 1)), staged);
            Put(staged, shared.SubView(part));
            Group.Barrier();
            if (block + 1 < end) Fetch(block + 1, rows, columns, offsets, staged);
            for (var row = 0; row < TStride.RowsPerStream; row++)
                AddRow(left.SubView(part + row * TStride.Pixels * InputColumns * QuadsPerPixel), right.SubView(part + row * BlockColumns * QuadsPerPixel), sums);

            // No barrier follows, because ILGPU would move the reads that only sums need behind it. The other part is free.
            part = PartQuads - part;
        }

        Group.Barrier();
        HandOver(stream, member, 2, sums, shared);
        HandOver(stream, member, 1, sums, shared);
        if (stream > 0) return;
        var at = (((Grid.IdxY * Size + kh) * Size * inChannels + firstIn + own / QuadsPerPixel * 4) * OutChannels + firstOut) / 4 + (own & (QuadsPerPixel - 1));
        var target = sumsOfSlices.Cast<Quad>();
        for (var kw = 0; kw < Size; kw++)
            for (var ci = 0; ci < 4; ci++)
            {
                var first = (kw * 4 + ci) * 4;
                target[at + (kw * inChannels + ci) * OutChannels / 4] = Quad.Of(sums, first);
            }
    }

    // Finds the thread's quads of a block, including the border that its windows reach: their pixels relative to the first pixel of the block, and their positions in memory relative to the block.
    void Locate(int firstIn, int firstOut, int[] rows, int[] columns, int[] offsets)
    {
        for (var i = 0; i < InputsStaged; i++)
        {
            int place = (Group.IdxX + i * Threads) / QuadsPerPixel, row = PixelBlocks.Divide(place, InputColumns);
            Locate(i, row - padding, place - row * InputColumns - padding, Group.IdxX + i * Threads < InputQuads, inputs.Width, inChannels, firstIn, rows, columns, offsets);
        }

        for (var i = 0; i < OutputsStaged; i++)
        {
            var place = (Group.IdxX + i * Threads) / QuadsPerPixel;
            Locate(InputsStaged + i, place / BlockColumns, place & (BlockColumns - 1), Group.IdxX + i * Threads < OutputQuads, outputs.Width, OutChannels, firstOut, rows, columns, offsets);
        }
    }

    static void Locate(int i, int row, int column, bool exists, int width, int channels, int firstChannel, int[] rows, int[] columns, int[] offsets)
    {
        rows[i] = exists ? row : int.MinValue / 2;
        columns[i] = column;
        offsets[i] = (row * width + column) * channels + firstChannel + (Group.IdxX & (QuadsPerPixel - 1)) * 4;
    }

    // Loads a block from memory to registers.
    void Fetch(int block, int[] rows, int[] columns, int[] offsets, float[] staged)
    {
        var first = outputs.First(block);
        int top = first.Row * TStride.Pixels, start = first.Column * TStride.Pixels, input = ((first.Image * inputs.Height + top) * inputs.Width + start) * inChannels;
        for (var i = 0; i < InputsStaged; i++)
            Read(x, IsInput(top + rows[i], start + columns[i]) ? input + offsets[i] : -1, staged, 4 * i);
        var output = ((first.Image * outputs.Height + first.Row) * outputs.Width + first.Column) * OutChannels;
        for (var i = InputsStaged; i < InputsStaged + OutputsStaged; i++)
            Read(dy, (uint)(first.Row + rows[i]) < (uint)outputs.Height & (uint)(first.Column + columns[i]) < (uint)outputs.Width ? output + offsets[i] : -1, staged, 4 * i);
    }

    // Elements outside the image stay 0.
    void Normalize(int block, int[] rows, int[] columns, ArrayView<Quad> norms, float[] staged)
    {
        var first = outputs.First(block);
        for (var i = 0; i < InputsStaged; i++)
            norm.Apply(norms, Channels, IsInput(first.Row * TStride.Pixels + rows[i], first.Column * TStride.Pixels + columns[i]), staged, 4 * i);
    }

    bool IsInput(int row, int column) => (uint)row < (uint)inputs.Height & (uint)column < (uint)inputs.Width;

    static void Read(Source from, int index, float[] staged, int at)
    {
        var value = index < 0 ? default : from.Elements.Cast<Quad>()[index / 4];
        value.Spread(staged, at);
    }

    static void Put(float[] staged, ArrayView<Quad> shared)
    {
        for (var i = 0; i < InputsStaged; i++)
        {
            var quad = Group.IdxX + i * Threads;
            if (quad < InputQuads) shared[quad] = Quad.Of(staged, 4 * i);
        }

        for (var i = 0; i < OutputsStaged; i++)
        {
            int quad = Group.IdxX + i * Threads, from = 4 * (InputsStaged + i);
            if (quad < OutputQuads) shared[InputQuads + quad] = Quad.Of(staged, from);
        }
    }

    // The pixels of a row are written out, because the registers that hold a column of the window depend on the pixel.
    static void AddRow(ArrayView<Quad> left, ArrayView<Quad> right, float[] sums)
    {
        var window = new float[Size * 4];
        for (var column = 0; column < Size - TStride.Pixels; column++) left[column * QuadsPerPixel].Spread(window, 4 * column);
        AddPixel(left, right, 0, window, sums);
        AddPixel(left, right, 1, window, sums);
        AddPixel(left, right, 2, window, sums);
        AddPixel(left, right, 3, window, sums);
        AddPixel(left, right, 4, window, sums);
        AddPixel(left, right, 5, window, sums);
        AddPixel(left, right, 6, window, sums);
        AddPixel(left, right, 7, window, sums);
    }

    static void AddPixel(ArrayView<Quad> left, ArrayView<Quad> right, int pixel, float[] window, float[] sums)
    {
        for (var kw = Size - TStride.Pixels; kw < Size; kw++) left[(pixel * TStride.Pixels + kw) * QuadsPerPixel].Spread(window, Slot(pixel, kw));
        var gradients = new float[4];
        right[pixel * QuadsPerPixel].Spread(gradients, 0);
        for (var kw = 0; kw < Size; kw++)
            for (var ci = 0; ci < 4; ci++)
                for (var co = 0; co < 4; co++)
                    sums[(kw * 4 + ci) * 4 + co] += window[Slot(pixel, kw) + ci] * gradients[co];
    }

    static int Slot(int pixel, int kw) => 4 * ((pixel * TStride.Pixels + kw) % Size);

    // The upper half of the first 2 * heirs streams pass their sums to the lower half.
    static void HandOver(int stream, int member, int heirs, float[] sums, ArrayView<Quad> shared)
    {
        if (stream >= heirs && stream < 2 * heirs)
            for (var i = 0; i < Sums / 4; i++) shared[(i * heirs + stream - heirs) * ThreadsPerStream + member] = Quad.Of(sums, 4 * i);
        Group.Barrier();
        if (stream < heirs)
            for (var i = 0; i < Sums / 4; i++)
            {
                var other = shared[(i * heirs + stream) * ThreadsPerStream + member];
                sums[4 * i] += other.X;
                sums[4 * i + 1] += other.Y;
                sums[4 * i + 2] += other.Z;
                sums[4 * i + 3] += other.W;
            }

        Group.Barrier();
    }
}
