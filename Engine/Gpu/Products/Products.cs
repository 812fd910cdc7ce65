using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>A product of two operands, with batches.</summary>
interface IProduct<TLeft, TRight> where TLeft : struct, IOperand where TRight : struct, IOperand
{
    TLeft Left(int batch);

    TRight Right(int batch);

    /// <summary>The length of the sum, at most the depth of the grid.</summary>
    /// <param name="left">The operand from <see cref="Left"/>: batches may have sums of different lengths.</param>
    /// <param name="grid">The part that the group computes.</param>
    int Depth(TLeft left, TileGrid grid);

    /// <summary>The row of y for a row of the product, or -1 if it has none.</summary>
    /// <param name="batch">As in <see cref="Left"/>.</param>
    /// <param name="left">The operand from <see cref="Left"/>.</param>
    /// <param name="row">The row within the batch.</param>
    /// <param name="grid">The part that the group computes.</param>
    int Place(int batch, TLeft left, int row, TileGrid grid);
}

/// <summary>op(a[i]) op(b[i]).</summary>
readonly struct MatrixProduct<TA, TB>(Matrix<TA> a, Matrix<TB> b, int strideA, int strideB) : IProduct<Matrix<TA>, Matrix<TB>>
    where TA : struct, IDirection
    where TB : struct, IDirection
{
    public Matrix<TA> Left(int batch) => a.From(batch * strideA);

    public Matrix<TB> Right(int batch) => b.From(batch * strideB);

    public int Depth(Matrix<TA> left, TileGrid grid) => grid.Depth;

    public int Place(int batch, Matrix<TA> left, int row, TileGrid grid) => batch * grid.Rows + row;
}

/// <summary>
/// y = patches(x) filter, [pixels, kh kw ci] times [kh kw ci, co], or across the sum dFilter = patches(x)^T dy, [kh kw ci, pixels] times [pixels, co],
/// where the pixels are cut into slices.
/// </summary>
readonly struct PatchesProduct<TDirection>(Patches<TDirection> x, Matrix<AcrossSum> right) : IProduct<Patches<TDirection>, Matrix<AcrossSum>> where TDirection : struct, IDirection
{
    public Patches<TDirection> Left(int batch) => x;

    public Matrix<AcrossSum> Right(int batch) => right;

    public int Depth(Patches<TDirection> left, TileGrid grid) => grid.Depth;

    public int Place(int batch, Patches<TDirection> left, int row, TileGrid grid) => batch * grid.Rows + row;
}

/// <summary>
/// dx = patches(dy) filter^T, for each class of input pixels [its pixels, its taps co] times [its taps co, ci]. The batches are the classes
/// (<see cref="GradientWindows"/>), or slices of k if there is only one class.
/// </summary>
readonly struct InputGradientProduct(Source dy, Source filter, int inChannels, GradientWindows windows) : IProduct<PatchesOfGradient, FilterByInput>
{
    public PatchesOfGradient Left(int batch) => new(dy, windows, windows.Class(batch));

    public FilterByInput Right(int batch) => new(filter, inChannels, windows, windows.Class(batch));

    public int Depth(PatchesOfGradient left, TileGrid grid) => left.Depth;

    public int Place(int batch, PatchesOfGradient left, int row, TileGrid grid)
    {
        if (windows.Classes == 1) return batch * grid.Rows + row;
        return left.Pixel(row);
    }
}

/// <summary>The places in y of the rows of a product's tile.</summary>
readonly struct ProductPlaces<TProduct, TLeft, TRight>(TProduct product, TLeft left, int firstRow, TileGrid grid) : IPlaces
    where TProduct : struct, IProduct<TLeft, TRight>
    where TLeft : struct, IOperand
    where TRight : struct, IOperand
{
    public bool Reaches(int row) => firstRow + row < grid.Rows;

    public int Of(int row) => firstRow + row < grid.Rows ? product.Place(grid.Batch, left, firstRow + row, grid) : -1;
}
