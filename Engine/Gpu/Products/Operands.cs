using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>Four neighbours in memory, read and written at once.</summary>
readonly struct Quad(float x, float y, float z, float w)
{
    public readonly float X = x, Y = y, Z = z, W = w;

    /// <summary>The four of a thread's own array from an index on.</summary>
    public static Quad Of(float[] values, int at) => new(values[at], values[at + 1], values[at + 2], values[at + 3]);

    /// <summary>Writes the four to a thread's own array.</summary>
    public void Spread(float[] values, int at)
    {
        values[at] = X;
        values[at + 1] = Y;
        values[at + 2] = Z;
        values[at + 3] = W;
    }
}

/// <summary>
/// What a row (or column) of an operand, or a term of the sum, adds to the place of an element: offsets add up to an index into memory, rows and
/// columns to a pixel, which may lie outside the image. Each is worked out once for many elements.
/// </summary>
readonly struct Coordinate(int offset, int row, int column)
{
    public readonly int Offset = offset, Row = row, Column = column;

    /// <summary>Whatever is added to it lies outside, where elements are 0.</summary>
    public static Coordinate Nowhere => new(0, int.MinValue / 2, 0);

    /// <summary>The index of the element that two of them meet in, or -1 where one is nowhere.</summary>
    public int With(Coordinate other) => Row + other.Row < 0 ? -1 : Offset + other.Offset;

    /// <summary>The same in an image: -1 where the pixel lies outside.</summary>
    public int With(Coordinate other, int height, int width) =>
        (uint)(Row + other.Row) < (uint)height & (uint)(Column + other.Column) < (uint)width ? Offset + other.Offset : -1;
}

/// <summary>
/// An operand of a product, [outer, k], wherever its elements lie: in a matrix, or in the windows of an image that a convolution
/// multiplies as if they were a matrix (implicit GEMM). Four elements are neighbours either along k or along the outer axis.
/// </summary>
interface IOperand
{
    static abstract bool AlongK { get; }

    Source Memory { get; }

    Coordinate Outer(int outer);

    Coordinate Term(int k);

    /// <summary>Where the element lies, or -1 where it is 0.</summary>
    /// <param name="outer">From <see cref="Outer"/>.</param>
    /// <param name="term">From <see cref="Term"/>.</param>
    int Index(Coordinate outer, Coordinate term);
}

/// <summary>Whether neighbours are read four at a time: their number and the addresses must be divisible by 4.</summary>
interface IWidth
{
    static abstract bool Four { get; }
}

readonly struct Vector : IWidth
{
    public static bool Four => true;
}

readonly struct Scalars : IWidth
{
    public static bool Four => false;
}

/// <summary>A direction, as a type.</summary>
interface IDirection
{
    static abstract bool AlongK { get; }
}

readonly struct AlongSum : IDirection
{
    public static bool AlongK => true;
}

readonly struct AcrossSum : IDirection
{
    public static bool AlongK => false;
}

/// <summary>A matrix in memory, from an element on: [outer, depth] where neighbours lie along k, else [depth, outer].</summary>
readonly struct Matrix<TDirection>(Source elements, int outers, int depth, int offset = 0) : IOperand where TDirection : struct, IDirection
{
    public static bool AlongK => TDirection.AlongK;

    public Source Memory => elements;

    public Coordinate Outer(int outer) => outer < outers ? new(offset + (TDirection.AlongK ? outer * depth : outer), 0, 0) : Coordinate.Nowhere;

    public Coordinate Term(int k) => k < depth ? new(TDirection.AlongK ? k : k * outers, 0, 0) : Coordinate.Nowhere;

    public int Index(Coordinate outer, Coordinate term) => outer.With(term);

    /// <summary>One matrix of a batch. A part of the view would do too, but ILGPU no longer knows it to be aligned and reads it float by float.</summary>
    public Matrix<TDirection> From(int first) => new(elements, outers, depth, first);
}
