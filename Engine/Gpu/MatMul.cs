using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void MatMul(Operand a, Operand b, MatMulGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        var g = geometry;
        var steps = epilogue;
        if (g.TransposeA) With<AcrossSum>();
        else With<AlongSum>();

        void With<TA>() where TA : struct, IDirection
        {
            if (g.TransposeB) Run<TA, AlongSum>();
            else Run<TA, AcrossSum>();
        }

        void Run<TA, TB>() where TA : struct, IDirection where TB : struct, IDirection
        {
            // A single product has no next matrix. Its sum may be cut, and all slices begin at the same matrices.
            var (strideA, strideB) = g.Batch == 1 ? (0, 0) : (g.StrideA, g.StrideB);
            var product = new MatrixProduct<TA, TB>(new(new(a.View()), g.M, g.K), new(new(b.View()), g.N, g.K), strideA, strideB);
            var four = Four(a, g.TransposeA ? g.M : g.K) && Four(b, g.TransposeB ? g.K : g.N) && strideA % 4 == 0 && strideB % 4 == 0;
            Multiply<MatrixProduct<TA, TB>, Matrix<TA>, Matrix<TB>>(product, four, (g.M, g.N, g.K), g.Batch, steps, y);
        }
    }
}
