using System.Runtime.Intrinsics;

namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>
/// mma.sync of 16 x 8 sums: d = a b + c, distributed over the warp as the PTX ISA says under "Matrix fragments for mma.m16n8k8" (.tf32) and
/// "mma.m16n8k16 with floating point type" (.bf16). With g = lane / 4 and t = lane mod 4, the elements of a lane are
/// <code>
///   .tf32   a_i at row g + 8 (i mod 2),        column t + 4 (i / 2)                     b_i at row t + 4 i                          column g
///   .bf16   a_i at row g + 8 (i / 2 mod 2),    column 2 t + i mod 2 + 8 (i / 4)         b_i at row 2 t + i mod 2 + 8 (i / 2)        column g
///   c, d    c_i at row g + 8 (i / 2),          column 2 t + i mod 2
/// </code>
/// Two bf16 share a register, the even one in its lower half. Products are exact. A sum is rounded once; hardware may round it differently.
/// </summary>
sealed class MatrixMultiply(int[] d, int[] a, int[] b, int[] c, bool bf16) : Instruction
{
    const int Rows = 16, Columns = 8;

    // Hardware reads 19 bits of a tf32.
    const uint Tf32Bits = 0xffffe000;

    int Depth => bf16 ? 16 : 8;

    public override void Execute(Warp warp, uint lanes)
    {
        warp.RequireAll(lanes, uint.MaxValue);
        Span<double> left = stackalloc double[Rows * 16], right = stackalloc double[16 * Columns], sums = stackalloc double[Rows * Columns];
        for (var lane = 0; lane < Warp.Size; lane++)
        {
            int g = lane / 4, t = lane % 4;
            if (bf16)
            {
                for (var i = 0; i < 8; i++) left[(g + 8 * (i / 2 % 2)) * Depth + 2 * t + i % 2 + 8 * (i / 4)] = Half(warp.At<uint>(a[i / 2], lane), i % 2);
                for (var i = 0; i < 4; i++) right[(2 * t + i % 2 + 8 * (i / 2)) * Columns + g] = Half(warp.At<uint>(b[i / 2], lane), i % 2);
            }
            else
            {
                for (var i = 0; i < 4; i++) left[(g + 8 * (i % 2)) * Depth + t + 4 * (i / 2)] = Tf32(warp.At<uint>(a[i], lane));
                for (var i = 0; i < 2; i++) right[(t + 4 * i) * Columns + g] = Tf32(warp.At<uint>(b[i], lane));
            }

            for (var i = 0; i < 4; i++) sums[(g + 8 * (i / 2)) * Columns + 2 * t + i % 2] = warp.At<float>(c[i], lane);
        }

        for (var row = 0; row < Rows; row++)
        {
            var sum = Vector512.Create<double>(sums[(row * Columns)..]);
            for (var k = 0; k < Depth; k++) sum += left[row * Depth + k] * Vector512.Create<double>(right[(k * Columns)..]);
            sum.CopyTo(sums[(row * Columns)..]);
        }

        for (var lane = 0; lane < Warp.Size; lane++)
            for (var i = 0; i < 4; i++) warp.At<float>(d[i], lane) = (float)sums[(lane / 4 + 8 * (i / 2)) * Columns + 2 * (lane % 4) + i % 2];
    }

    public static double Half(uint pair, int upper) => BitConverter.UInt32BitsToSingle(upper == 0 ? pair << 16 : pair & 0xffff0000);

    public static double Tf32(uint word) => BitConverter.UInt32BitsToSingle(word & Tf32Bits);
}

/// <summary>shfl.sync: a lane takes the value of another (PTX ISA, "shfl.sync").</summary>
sealed class Shuffle(int d, int a, int b, int c, int members, string mode) : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        for (var lane = 0; lane < Warp.Size; lane++)
            if ((lanes >> lane & 1) != 0) warp.RequireAll(lanes, warp.At<uint>(members, lane));

        Span<uint> taken = stackalloc uint[Warp.Size];
        for (var lane = 0; lane < Warp.Size; lane++)
        {
            if ((lanes >> lane & 1) == 0) continue;
            int by = warp.At<int>(b, lane) & 31, clamp = warp.At<int>(c, lane) & 31, segment = warp.At<int>(c, lane) >> 8 & 31;
            int highest = (lane & segment) | (clamp & ~segment), lowest = lane & segment;
            var (from, inside) = mode switch
            {
                "up" => (lane - by, lane - by >= highest),
                "down" => (lane + by, lane + by <= highest),
                "bfly" => (lane ^ by, (lane ^ by) <= highest),
                _ => (lowest | (by & ~segment), (lowest | (by & ~segment)) <= highest),
            };
            if (!inside) from = lane;
            if ((lanes >> from & 1) == 0) throw warp.Fault(lane, $"takes the value of lane {from}, which does not take part");
            taken[lane] = warp.At<uint>(a, from);
        }

        for (var lane = 0; lane < Warp.Size; lane++)
            if ((lanes >> lane & 1) != 0) warp.At<uint>(d, lane) = taken[lane];
    }
}
