using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuBackend
{
    public override void MatMul(Tensor a, Tensor b, MatMulGeometry geometry, in Epilogue epilogue, Tensor y)
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
            var product = new MatrixProduct<TA, TB>(new(a.View(), g.M, g.K), new(b.View(), g.N, g.K), g.StrideA, g.StrideB);
            var four = Four(a, g.TransposeA ? g.M : g.K) && Four(b, g.TransposeB ? g.K : g.N) && g.StrideA % 4 == 0 && g.StrideB % 4 == 0;
            Multiply<MatrixProduct<TA, TB>, Matrix<TA>, Matrix<TB>>(product, four, (g.M, g.N, g.K), g.Batch, steps, y);
        }
    }
}

/// <summary>The plain product, one element of y a thread.</summary>
readonly struct DotProducts(ArrayView<float> a, ArrayView<float> b, ArrayView<float> y, MatMulGeometry geometry) : IPointwise<float>
{
    readonly FastDivisor columns = new(geometry.N), rows = new(geometry.M);
    readonly int depth = geometry.K, batchA = geometry.StrideA, batchB = geometry.StrideB;

    // Steps from row to row of op(a), from column to column of op(b), and along the sum in each.
    readonly int rowA = geometry.TransposeA ? 1 : geometry.K, alongA = geometry.TransposeA ? geometry.M : 1;
    readonly int columnB = geometry.TransposeB ? geometry.K : 1, alongB = geometry.TransposeB ? 1 : geometry.N;

    public float Compute(int i)
    {
        int line = columns.Divide(i), batch = rows.Divide(line);
        int fromA = batch * batchA + (line - batch * rows.Divisor) * rowA;
        int fromB = batch * batchB + (i - line * columns.Divisor) * columnB;
        var sum = 0f;
        for (var k = 0; k < depth; k++) sum += a[fromA + k * alongA] * b[fromB + k * alongB];
        return sum;
    }

    public void Store(int i, float value) => y[i] = value;
}
