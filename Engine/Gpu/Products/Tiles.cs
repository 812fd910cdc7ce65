namespace QuadEngine.Gpu;

/// <summary>
/// How a matrix product is cut up: a group computes Rows x Columns elements, Depth terms of the sum at a time, a thread
/// ThreadRows x ThreadColumns of them in registers. All are constants when a kernel is compiled.
/// </summary>
interface ITile
{
    static abstract int Rows { get; }

    static abstract int Columns { get; }

    static abstract int Depth { get; }

    static abstract int ThreadRows { get; }

    static abstract int ThreadColumns { get; }

    /// <summary>Threads of a group: Rows / ThreadRows * Columns / ThreadColumns.</summary>
    static abstract int Threads { get; }
}

/// <summary>For large products: 64 multiply-adds for every 16 floats from shared memory.</summary>
readonly struct Tile128x128 : ITile
{
    public static int Rows => 128;

    public static int Columns => 128;

    public static int Depth => 8;

    public static int ThreadRows => 8;

    public static int ThreadColumns => 8;

    public static int Threads => 256;
}

/// <summary>For 64 output channels, and where larger tiles would leave multiprocessors idle.</summary>
readonly struct Tile64x64 : ITile
{
    public static int Rows => 64;

    public static int Columns => 64;

    public static int Depth => 8;

    public static int ThreadRows => 8;

    public static int ThreadColumns => 4;

    public static int Threads => 128;
}

/// <summary>For 32 output channels.</summary>
readonly struct Tile128x32 : ITile
{
    public static int Rows => 128;

    public static int Columns => 32;

    public static int Depth => 8;

    public static int ThreadRows => 8;

    public static int ThreadColumns => 4;

    public static int Threads => 128;
}

/// <summary>For 16 output channels and fewer.</summary>
readonly struct Tile256x16 : ITile
{
    public static int Rows => 256;

    public static int Columns => 16;

    public static int Depth => 8;

    public static int ThreadRows => 8;

    public static int ThreadColumns => 4;

    public static int Threads => 128;
}

/// <summary>For small products, which need many groups more than they need reuse.</summary>
readonly struct Tile32x32 : ITile
{
    public static int Rows => 32;

    public static int Columns => 32;

    public static int Depth => 8;

    public static int ThreadRows => 4;

    public static int ThreadColumns => 4;

    public static int Threads => 64;
}
