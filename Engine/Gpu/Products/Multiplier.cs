using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// The units of a group that multiply its tile: the sums that each thread holds, the way of operands to shared memory, and the way sums are computed
/// from there. The rest of a product is the same for all of them (<see cref="TiledProduct{TMultiplier, TProduct, TLeft, TRight}"/>).
/// </summary>
interface IMultiplier : ISums
{
    /// <inheritdoc cref="IKernel.Unrolled"/>
    static abstract bool Unrolled { get; }

    /// <inheritdoc cref="IKernel.GroupsPerMultiprocessor"/>
    static abstract int GroupsPerMultiprocessor { get; }

    /// <summary>The number of terms of the sum in one step.</summary>
    static abstract int Depth { get; }

    /// <summary>The number of sums of one thread.</summary>
    static abstract int Sums { get; }

    /// <summary>The number of steps that are being loaded while one is multiplied.</summary>
    static abstract int Ahead { get; }

    /// <summary>The number of parts of shared memory, which alternate.</summary>
    static abstract int Parts { get; }

    /// <summary>The number of floats of one part of shared memory: first the left operand's, then the right operand's.</summary>
    static abstract int PartFloats { get; }

    /// <summary>The number of floats of a thread's registers that hold a waiting step.</summary>
    static abstract int Staged { get; }

    /// <summary>The number of rows of both operands from which a thread loads.</summary>
    static abstract int Lines<TLeft, TRight>() where TLeft : struct, IOperand where TRight : struct, IOperand;

    /// <summary>Computes the places of these rows, three values each.</summary>
    /// <param name="left">The left operand; its outer axis is the rows of the product.</param>
    /// <param name="right">The right operand; its outer axis is the columns of the product.</param>
    /// <param name="row">The first row of the tile.</param>
    /// <param name="column">The first column of the tile.</param>
    /// <param name="lines">Gets the values, the left operand's first.</param>
    static abstract void Locate<TLeft, TRight>(TLeft left, TRight right, int row, int column, int[] lines) where TLeft : struct, IOperand where TRight : struct, IOperand;

    /// <summary>Sets the sums to 0.</summary>
    /// <param name="sums">The thread's own array of <see cref="Sums"/>; not used if instructions have registers for the sums.</param>
    static abstract void Clear(float[] sums);

    /// <summary>Starts to load the step at k.</summary>
    /// <param name="left">As in <see cref="Locate"/>.</param>
    /// <param name="right">As in <see cref="Locate"/>.</param>
    /// <param name="lines">The values from <see cref="Locate"/>.</param>
    /// <param name="k">The first term of the step.</param>
    /// <param name="end">The end of the sum: a step that begins at or after it is not loaded.</param>
    /// <param name="staged">Holds the waiting step, unless the step goes to shared memory at once.</param>
    /// <param name="shared">The group's memory.</param>
    /// <param name="part">The first float of the step's part.</param>
    static abstract void Request<TLeft, TRight>(TLeft left, TRight right, int[] lines, int k, int end, float[] staged, ArrayView<float> shared, int part) where TLeft : struct, IOperand where TRight : struct, IOperand;

    /// <summary>Ensures that the thread's part of the oldest requested step is in shared memory when this returns.</summary>
    /// <param name="staged">The array that <see cref="Request"/> filled.</param>
    /// <param name="shared">The group's memory.</param>
    /// <param name="part">The first float of that step's part.</param>
    static abstract void Receive<TLeft, TRight>(float[] staged, ArrayView<float> shared, int part) where TLeft : struct, IOperand where TRight : struct, IOperand;

    /// <summary>Waits for all loads and products, so that shared memory is free.</summary>
    static abstract void Drain();

    /// <summary>Whether <see cref="Multiply"/> only starts the multiplication. Then the next step is requested afterwards, and waits in <c>staged</c> while this one is multiplied.</summary>
    static abstract bool MultipliesMeanwhile { get; }

    /// <summary>Adds the products of one step.</summary>
    /// <param name="staged">The thread's part of the step, if factors come from registers.</param>
    /// <param name="shared">The group's memory, with the parts of all threads.</param>
    /// <param name="part">The first float of the step's part.</param>
    /// <param name="sums">The thread's sums, updated in place.</param>
    static abstract void Multiply<TLeft, TRight>(float[] staged, ArrayView<float> shared, int part, float[] sums) where TLeft : struct, IOperand where TRight : struct, IOperand;
}

/// <summary>The sums of a tile: which of them each thread holds, and how a thread stores them (<see cref="TileEpilogue"/>).</summary>
interface ISums
{
    static abstract int Rows { get; }

    static abstract int Columns { get; }

    static abstract int Threads { get; }

    /// <summary>The number of floats of shared memory that the kernel uses before the sums are stored.</summary>
    static abstract int WorkingFloats { get; }

    /// <summary>The number of floats from row to row in shared memory, through which a tile is stored in slabs (<see cref="TileMemory{TMultiplier}"/>).</summary>
    static abstract int SlabPitch { get; }

    /// <summary>The row of the tile that is in a line of a slab.</summary>
    /// <param name="slab">The number of the slab, counted from 0.</param>
    /// <param name="line">A row of the slab, counted from 0.</param>
    static abstract int RowOf(int slab, int line);

    /// <summary>Stores the thread's sums of a slab. All indices of the sums must be constants after loops are unrolled; otherwise the sums do not stay in registers.</summary>
    /// <param name="sums">The thread's sums.</param>
    /// <param name="slab">The number of the slab, counted from 0.</param>
    /// <param name="shared">Gets [line, column], lines <see cref="SlabPitch"/> floats apart.</param>
    static abstract void Put(float[] sums, int slab, ArrayView<float> shared);
}

/// <summary>The places in y of the rows of a tile.</summary>
interface IPlaces
{
    /// <summary>Whether a row of the tile may have a place. If a row has none, the rows after it have none either.</summary>
    /// <param name="row">The row within the tile, counted from 0.</param>
    bool Reaches(int row);

    /// <summary>The row of y for a row of the tile, or -1 if it has none.</summary>
    /// <param name="row">The row within the tile, counted from 0.</param>
    int Of(int row);
}
