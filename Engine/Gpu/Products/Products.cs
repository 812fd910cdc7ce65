using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>A product of two operands, with batches.</summary>
interface IProduct<TLeft, TRight> where TLeft : struct, IOperand where TRight : struct, IOperand
{
    TLeft Left(int batch);

    TRight Right(int batch);
}

/// <summary>op(a[i]) op(b[i]).</summary>
readonly struct MatrixProduct<TA, TB>(Matrix<TA> a, Matrix<TB> b, int strideA, int strideB) : IProduct<Matrix<TA>, Matrix<TB>>
    where TA : struct, IDirection
    where TB : struct, IDirection
{
    public Matrix<TA> Left(int batch) => a.From(batch * strideA);

    public Matrix<TB> Right(int batch) => b.From(batch * strideB);
}

/// <summary>y = patches(x) filter, [pixels, kh kw ci] times [kh kw ci, co].</summary>
readonly struct ForwardProduct(Patches x, Matrix<AcrossSum> filter) : IProduct<Patches, Matrix<AcrossSum>>
{
    public Patches Left(int batch) => x;

    public Matrix<AcrossSum> Right(int batch) => filter;
}

/// <summary>dx = patches(dy) filter^T, [pixels, kh kw co] times [kh kw co, ci].</summary>
readonly struct InputGradientProduct(PatchesOfGradient dy, FilterByInput filter) : IProduct<PatchesOfGradient, FilterByInput>
{
    public PatchesOfGradient Left(int batch) => dy;

    public FilterByInput Right(int batch) => filter;
}

/// <summary>dFilter = patches(x)^T dy, [kh kw ci, pixels] times [pixels, co]; the pixels are cut into slices.</summary>
readonly struct FilterGradientProduct(PatchColumns x, Matrix<AcrossSum> dy) : IProduct<PatchColumns, Matrix<AcrossSum>>
{
    public PatchColumns Left(int batch) => x;

    public Matrix<AcrossSum> Right(int batch) => dy;
}
