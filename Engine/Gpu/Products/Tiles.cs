namespace QuadEngine.Gpu;

/// <summary>
/// A tile of a matrix product. A group computes Rows x Columns elements. Each unit (a thread with its multiply-adds, a warp
/// with its tensor core) has a block of OwnRows x OwnColumns of them in registers. All extents are powers of two and constant when a kernel is compiled.
/// </summary>
interface ITile
{
    static abstract int Rows { get; }

    static abstract int Columns { get; }

    static abstract int OwnRows { get; }

    static abstract int OwnColumns { get; }
}

/// <summary>A tile of threads.</summary>
interface IThreadTile : ITile;

/// <summary>A tile of threads whose rows may also be whole blocks of 8x8 pixels; a thread has eight adjacent pixels and four columns.</summary>
interface IPixelTile : IThreadTile;

/// <summary>A tile of warps.</summary>
interface IWarpTile : ITile;

/// <summary>256 threads, for large products: 64 multiply-adds for every 16 floats from shared memory.</summary>
readonly struct Tile128x128 : IThreadTile
{
    public static int Rows => 128;

    public static int Columns => 128;

    public static int OwnRows => 8;

    public static int OwnColumns => 8;
}

/// <summary>128 threads, for 64 output channels, and for products where larger tiles would leave multiprocessors idle.</summary>
readonly struct Tile64x64 : IPixelTile
{
    public static int Rows => 64;

    public static int Columns => 64;

    public static int OwnRows => 8;

    public static int OwnColumns => 4;
}

/// <summary>128 threads, for 32 output channels.</summary>
readonly struct Tile128x32 : IPixelTile
{
    public static int Rows => 128;

    public static int Columns => 32;

    public static int OwnRows => 8;

    public static int OwnColumns => 4;
}

/// <summary>128 threads, for 16 output channels and fewer.</summary>
readonly struct Tile256x16 : IPixelTile
{
    public static int Rows => 256;

    public static int Columns => 16;

    public static int OwnRows => 8;

    public static int OwnColumns => 4;
}

/// <summary>64 threads, for small products: for them many groups matter more than reuse.</summary>
readonly struct Tile32x32 : IThreadTile
{
    public static int Rows => 32;

    public static int Columns => 32;

    public static int OwnRows => 4;

    public static int OwnColumns => 4;
}

/// <summary>4 warps. With 64 x 64 elements a warp reads 128 floats for 64 instructions of 16 x 8 x 8, so shared memory is fast enough.</summary>
readonly struct Warps128x128 : IWarpTile
{
    public static int Rows => 128;

    public static int Columns => 128;

    public static int OwnRows => 64;

    public static int OwnColumns => 64;
}

/// <summary>4 warps, for 64 output channels.</summary>
readonly struct Warps128x64 : IWarpTile
{
    public static int Rows => 128;

    public static int Columns => 64;

    public static int OwnRows => 64;

    public static int OwnColumns => 32;
}

/// <summary>4 warps, for 32 output channels.</summary>
readonly struct Warps128x32 : IWarpTile
{
    public static int Rows => 128;

    public static int Columns => 32;

    public static int OwnRows => 32;

    public static int OwnColumns => 32;
}

/// <summary>4 warps, for 16 output channels and fewer.</summary>
readonly struct Warps128x16 : IWarpTile
{
    public static int Rows => 128;

    public static int Columns => 16;

    public static int OwnRows => 32;

    public static int OwnColumns => 16;
}

/// <summary>4 warps, for small products.</summary>
readonly struct Warps32x32 : IWarpTile
{
    public static int Rows => 32;

    public static int Columns => 32;

    public static int OwnRows => 16;

    public static int OwnColumns => 16;
}
