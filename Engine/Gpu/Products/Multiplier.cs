using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// The units of a group that multiply its tile: which sums each thread holds, how operands come to shared memory, and how sums are formed
/// from there. Everything else of a product is the same for all of them (<see cref="TiledProduct{TMultiplier, TProduct, TLeft, TRight}"/>).
/// </summary>
interface IMultiplier : ISums
{
    /// <inheritdoc cref="IKernel.Unrolled"/>
    static abstract bool Unrolled { get; }

    /// <inheritdoc cref="IKernel.GroupsPerMultiprocessor"/>
    static abstract int GroupsPerMultiprocessor { get; }

    /// <summary>Terms of the sum in one step.</summary>
    static abstract int Depth { get; }

    /// <summary>Sums of one thread.</summary>
    static abstract int Sums { get; }

    /// <summary>Steps that are on their way while one is multiplied.</summary>
    static abstract int Ahead { get; }

    /// <summary>Parts of shared memory that take turns.</summary>
    static abstract int Parts { get; }

    /// <summary>Floats of one part of shared memory: the left operand's, then the right one's.</summary>
    static abstract int PartFloats { get; }

    /// <summary>Floats of a thread's registers in which a step waits.</summary>
    static abstract int Staged { get; }

    /// <summary>How many rows of both operands a thread loads from.</summary>
    static abstract int Lines<TLeft, TRight>() where TLeft : struct, IOperand where TRight : struct, IOperand;

    /// <summary>Works out these rows, three numbers each.</summary>
    /// <param name="left">Its outer axis are the rows of the product.</param>
    /// <param name="right">Its outer axis are the columns of the product.</param>
    /// <param name="row">The first one of the tile.</param>
    /// <param name="column">The first one of the tile.</param>
    /// <param name="lines">Gets them, the left operand's first.</param>
    static abstract void Locate<TLeft, TRight>(TLeft left, TRight right, int row, int column, int[] lines) where TLeft : struct, IOperand where TRight : struct, IOperand;

    /// <summary>Sets the sums to 0.</summary>
    /// <param name="sums">The thread's own array of <see cref="Sums"/>; left alone where instructions have registers for them.</param>
    static abstract void Clear(float[] sums);

    /// <summary>Asks for the step at k.</summary>
    /// <param name="left">As <see cref="Locate"/> was given it.</param>
    /// <param name="right">As <see cref="Locate"/> was given it.</param>
    /// <param name="lines">As <see cref="Locate"/> left them.</param>
    /// <param name="k">The first term of the step.</param>
    /// <param name="end">The end of the sum: a step that begins there or behind is not asked for.</param>
    /// <param name="staged">Where the step waits, unless it goes to shared memory at once.</param>
    /// <param name="shared">The group's memory.</param>
    /// <param name="part">The first float of the step's part.</param>
    static abstract void Request<TLeft, TRight>(TLeft left, TRight right, int[] lines, int k, int end, float[] staged, ArrayView<float> shared, int part) where TLeft : struct, IOperand where TRight : struct, IOperand;

    /// <summary>The thread's share of the oldest step asked for is in shared memory when this returns.</summary>
    /// <param name="staged">What <see cref="Request"/> filled.</param>
    /// <param name="shared">The group's memory.</param>
    /// <param name="part">The first float of that step's part.</param>
    static abstract void Receive<TLeft, TRight>(float[] staged, ArrayView<float> shared, int part) where TLeft : struct, IOperand where TRight : struct, IOperand;

    /// <summary>Waits for all that was asked for and begun, so that shared memory is free.</summary>
    static abstract void Drain();

    /// <summary>To multiply is to begin it: the next step is asked for afterwards, and waits in <c>staged</c> while this one is multiplied.</summary>
    static abstract bool MultipliesMeanwhile { get; }

    /// <summary>Adds the products of one step.</summary>
    /// <param name="staged">The thread's share of the step, where factors are taken from registers.</param>
    /// <param name="shared">The group's memory, with the shares of all threads.</param>
    /// <param name="part">The first float of the step's part.</param>
    /// <param name="sums">The thread's; they grow.</param>
    static abstract void Multiply<TLeft, TRight>(float[] staged, ArrayView<float> shared, int part, float[] sums) where TLeft : struct, IOperand where TRight : struct, IOperand;
}

/// <summary>The sums of a tile: which of them each thread holds, and how they leave it (<see cref="TileEpilogue"/>).</summary>
interface ISums
{
    static abstract int Rows { get; }

    static abstract int Columns { get; }

    static abstract int Threads { get; }

    /// <summary>Floats of shared memory that the kernel needs for other things before.</summary>
    static abstract int WorkingFloats { get; }

    /// <summary>The tile leaves through shared memory, a row every so many floats, in slabs (<see cref="TileMemory{TMultiplier}"/>).</summary>
    static abstract int SlabPitch { get; }

    /// <summary>The row of the tile that is a slab's line.</summary>
    /// <param name="slab">Its number, counted from 0.</param>
    /// <param name="line">A row of the slab, counted from 0.</param>
    static abstract int RowOf(int slab, int line);

    /// <summary>Stores the thread's sums of a slab. All their indices are constants once loops are unrolled: only so do they stay in registers.</summary>
    /// <param name="sums">The thread's.</param>
    /// <param name="slab">Its number, counted from 0.</param>
    /// <param name="shared">Gets [line, column], lines <see cref="SlabPitch"/> floats apart.</param>
    static abstract void Put(float[] sums, int slab, ArrayView<float> shared);
}

/// <summary>Where the rows of a tile go.</summary>
interface IPlaces
{
    /// <summary>A row of the tile may have a place; where it has none, those behind it have none either.</summary>
    /// <param name="row">Within the tile, counted from 0.</param>
    bool Reaches(int row);

    /// <summary>The row of y where a row of the tile goes, or -1 where it goes nowhere.</summary>
    /// <param name="row">Within the tile, counted from 0.</param>
    int Of(int row);
}
