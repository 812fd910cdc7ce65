namespace QuadEngine.Gpu;

/// <summary>
/// The elements of a tile that the threads of two warp groups load, give to wgmma.mma_async and get from it (PTX ISA, "Register Fragments" and "Shared Memory Matrix Layout"). With
/// g = lane / 4 and t = lane mod 4, a thread gives rows g and g + 8 of its warp's 16 rows and has their sums, as for mma.sync (<see cref="Fragments"/>).
/// </summary>
/// <remarks>
/// Rows, columns and terms of a product may come in any order. A thread takes a <see cref="Block"/>: rows 4g to 4g + 3 of its warp's 32 rows for two instructions, by terms 4t to 4t + 3
/// of 16, packed into words as for mma.sync. In the right operand, the words w of the four t are side by side; these 16 bytes are a chunk. Shared memory is [chunks, places, 4 words]. Eight
/// places of a chunk are a core matrix of the manual. Column 4c + r is at place 32r + c. So lanes that store word w of column r of their blocks store 32
/// adjacent words, and a lane's sums at four places 32 apart are four adjacent columns.
/// </remarks>
static class WarpGroups
{
    const int WarpLanes = 32;

    public const int Threads = 256, Rows = 256, Columns = 128, Depth = 2 * Fragments.Terms;

    /// <summary>The sums of a thread: those of four rows, at 32 places.</summary>
    public const int Sums = Rows * Columns / Threads, SumsOfRow = Sums / Block.Side;

    /// <summary>The number of blocks of the left operand that a thread has in a step.</summary>
    public const int LeftBlocks = Depth / Fragments.Terms;

    /// <summary>The number of words in a chunk.</summary>
    public const int ChunkWords = 4;

    // The number of blocks side by side along the columns.
    const int ColumnBlocks = Columns / Block.Side;

    /// <summary>The number of words of a column in a step.</summary>
    /// <param name="blockWords">The number of words of four terms: <see cref="IFormat.Words"/>.</param>
    public static int Words(int blockWords) => LeftBlocks * blockWords * ChunkWords;

    static int Lane(int thread) => thread & (WarpLanes - 1);

    static int Warp(int thread) => thread / WarpLanes;

    /// <summary>The thread's line in a slab, which has one row of each thread.</summary>
    public static int SlabLine(int thread) => 8 * Warp(thread) + Fragments.Outer(Lane(thread));

    /// <summary>The first row of the thread's blocks, and the first term of one of them.</summary>
    public static int FirstRow(int thread) => Block.Side * SlabLine(thread);

    public static int LeftTerm(int thread, int block) => Fragments.Terms * block + Fragments.Term(Lane(thread));

    /// <summary>The first column of the thread's block of the right operand, and its first term. Four warps lie side by side along the columns, and two of these groups along the terms.</summary>
    public static int FirstColumn(int thread) => Block.Side * ColumnBlock(thread);

    public static int RightTerm(int thread) => Fragments.Terms * (Warp(thread) >> 2) + Fragments.Term(Lane(thread));

    static int ColumnBlock(int thread) => 8 * (Warp(thread) & 3) + Fragments.Outer(Lane(thread));

    /// <summary>The position of the first word of that block in shared memory, and the distances from it to the other words.</summary>
    public static int RightPlace(int blockWords, int thread) => ((Warp(thread) >> 2) * blockWords * Columns + ColumnBlock(thread)) * ChunkWords + (thread & 3);

    public static int RightDistance(int column, int word) => (word * Columns + column * ColumnBlocks) * ChunkWords;

    /// <summary>The place of one of the thread's sums of a row, and the column at that place.</summary>
    public static int SumPlace(int thread, int sum) => sum / 2 * Fragments.Columns + Fragments.SumColumn(Lane(thread), sum & 1);

    public static int ColumnOf(int place) => Block.Side * (place & (ColumnBlocks - 1)) + place / ColumnBlocks;

    /// <summary>The row of a block (two rows for each of two instructions) of a register of the left operand; its word is <see cref="Fragments.LeftWord"/>.</summary>
    public static int LeftRow(int half, int register) => 2 * half + Fragments.LeftRow(register);
}
