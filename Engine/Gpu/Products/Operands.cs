using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>Four adjacent floats, which are read and written at once.</summary>
readonly struct Quad(float x, float y, float z, float w)
{
    public readonly float X = x, Y = y, Z = z, W = w;

    /// <summary>The four floats of a thread's own array from an index on.</summary>
    public static Quad Of(float[] values, int at) => new(values[at], values[at + 1], values[at + 2], values[at + 3]);

    /// <summary>Writes the four floats to a thread's own array.</summary>
    public void Spread(float[] values, int at)
    {
        values[at] = X;
        values[at + 1] = Y;
        values[at + 2] = Z;
        values[at + 3] = W;
    }
}

/// <summary>
/// The part of an element's position that a row (or column) of an operand, or a term of the sum, contributes. Offsets add up to an index into memory; rows and
/// columns add up to a pixel, which may lie outside the image. Each part is computed once for many elements.
/// </summary>
readonly struct Coordinate(int offset, int row, int column)
{
    public readonly int Offset = offset, Row = row, Column = column;

    /// <summary>A coordinate outside: every sum with it lies outside, where elements are 0.</summary>
    public static Coordinate Nowhere => new(0, int.MinValue / 2, 0);

    /// <summary>The index of the element at two coordinates, or -1 if one of them is outside.</summary>
    public int With(Coordinate other) => Row + other.Row < 0 ? -1 : Offset + other.Offset;

    /// <summary>The same in an image: -1 if the pixel lies outside.</summary>
    public int With(Coordinate other, int height, int width) =>
        (uint)(Row + other.Row) < (uint)height & (uint)(Column + other.Column) < (uint)width ? Offset + other.Offset : -1;
}

/// <summary>
/// An operand of a product, [outer, k]. Its elements may lie in a matrix, or in the windows of an image that a convolution
/// multiplies as if they were a matrix (implicit GEMM). Four elements are adjacent either along k or along the outer axis.
/// </summary>
interface IOperand
{
    static abstract bool AlongK { get; }

    Source Memory { get; }

    Coordinate Outer(int outer);

    Coordinate Term(int k);

    /// <summary>The index of the element, or -1 if the element is 0.</summary>
    /// <param name="outer">The coordinate from <see cref="Outer"/>.</param>
    /// <param name="term">The coordinate from <see cref="Term"/>.</param>
    int Index(Coordinate outer, Coordinate term);
}

/// <summary>Whether adjacent elements are read four at a time; their number and the addresses must be divisible by 4.</summary>
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

/// <summary>A matrix in memory, from an element on: [outer, depth] if adjacent elements lie along k, otherwise [depth, outer].</summary>
readonly struct Matrix<TDirection>(Source elements, int outers, int depth, int offset = 0) : IOperand where TDirection : struct, IDirection
{
    public static bool AlongK => TDirection.AlongK;

    public Source Memory => elements;

    public Coordinate Outer(int outer) => outer < outers ? new(offset + (TDirection.AlongK ? outer * depth : outer), 0, 0) : Coordinate.Nowhere;

    public Coordinate Term(int k) => k < depth ? new(TDirection.AlongK ? k : k * outers, 0, 0) : Coordinate.Nowhere;

    public int Index(Coordinate outer, Coordinate term) => outer.With(term);

    /// <summary>One matrix of a batch. It keeps the whole view, because ILGPU does not know the alignment of a part of a view and would read it float by float.</summary>
    public Matrix<TDirection> From(int first) => new(elements, outers, depth, first);
}
