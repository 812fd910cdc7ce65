using CsCheck;
using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class MatMulTests
{
    /// <summary>The right operand is larger than the L2 cache and the rows are few, so each chunk packs the columns of a panel itself.</summary>
    [Test]
    public void Products_with_a_large_right_operand_are_right() => Gen.Select(Gen.Int[48, 160], Gen.Int[300, 900], Gen.Int[0, 3]).ForAll((m, k, transposes) =>
    {
        var n = (512 << 10) / sizeof(float) / k + 1 + m % 70;
        bool transposeA = (transposes & 1) != 0, transposeB = (transposes & 2) != 0;
        var geometry = new MatMulGeometry(1, m, n, k, transposeA, transposeB, 0, 0);
        Assert.That(MatrixProduct.PacksByColumns(geometry));
        float[] left = Values(m * k, seed: m), right = Values(k * n, seed: n), bias = Values(n, seed: k);
        using Tensor a = Unaligned(left, transposeA ? [k, m] : [m, k]), b = Unaligned(right, transposeB ? [n, k] : [k, n]), shift = Unaligned(bias, [n]);
        var got = SameOnAnyThreads(() =>
        {
            var y = Result([m, n]);
            CpuBackend.MatMul(a, b, geometry, new Epilogue<Tensor> { Bias = shift, Activation = Activation.Relu }, y);
            return y;
        });
        var sums = Oracles.Projections.MatMul(left, right, geometry);
        for (var i = 0; i < got.Length; i++)
            Assert.That(got[i], Is.EqualTo(Math.Max(0, sums[i].Value + bias[i % n])).Within(sums[i].Error + 1e-5), $"element {i} of {m} x {k} x {n}");
    }, iterations: 8);
}
