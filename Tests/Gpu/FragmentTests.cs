using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>
/// Compares the values that lanes pass to mma.sync and get from it with the PTX ISA's tables ("Matrix fragments for mma.m16n8k8", .tf32, and "mma.m16n8k16",
/// .bf16), for the functions that kernels use. No GPU is needed: the tests simulate a warp.
/// </summary>
public class FragmentTests
{
    const int Lanes = 32, Terms = Fragments.Terms, Tf32Words = 4, Bf16Words = 2;

    /// <summary>The places of elements for the instructions of a format, by the manual: (row or column, term) of a lane's register and half.</summary>
    sealed record Manual(int Depth, int PerRegister, Func<int, int, int, (int Row, int Term)> Left, Func<int, int, int, (int Column, int Term)> Right);

    // groupID = lane >> 2, threadID_in_group = lane % 4.
    static readonly Manual OfTf32 = new(8, 1,
        (lane, register, _) => ((lane >> 2) + (register is 1 or 3 ? 8 : 0), lane % 4 + (register is 2 or 3 ? 4 : 0)),
        (lane, register, _) => (lane >> 2, lane % 4 + (register is 1 ? 4 : 0)));

    static readonly Manual OfBf16 = new(16, 2,
        (lane, register, half) => ((lane >> 2) + (register is 1 or 3 ? 8 : 0), lane % 4 * 2 + half + (register is 2 or 3 ? 8 : 0)),
        (lane, register, half) => (lane >> 2, lane % 4 * 2 + half + (register is 1 ? 8 : 0)));

    static (int Row, int Column) ManualSum(int lane, int sum) => ((lane >> 2) + (sum < 2 ? 0 : 8), lane % 4 * 2 + (sum & 1));

    static Manual Of(bool bf16) => bf16 ? OfBf16 : OfTf32;

    [Test]
    public void A_warp_multiplies_16_terms_as_the_manual_has_it([Values] bool bf16)
    {
        var manual = Of(bf16);
        var random = new Generator(3);
        float[] a = Tensor.Uniform([Fragments.Rows, Terms], -1f, 1f, random).ToArray(), b = Tensor.Uniform([Terms, Fragments.Columns], -1f, 1f, random).ToArray();
        var sums = new double[Fragments.Rows, Fragments.Columns];
        var words = bf16 ? Bf16.Words : Tf32.Words;
        for (var instruction = 0; instruction < words / 2; instruction++)
        {
            // The operands as the tensor core gets them from the lanes.
            var left = new double?[Fragments.Rows, manual.Depth];
            var right = new double?[manual.Depth, Fragments.Columns];
            for (var lane = 0; lane < Lanes; lane++)
                for (var half = 0; half < manual.PerRegister; half++)
                {
                    for (var register = 0; register < 4; register++)
                    {
                        var (row, term) = manual.Left(lane, register, half);
                        Assert.That(left[row, term], Is.Null, "given once");
                        left[row, term] = a[(Fragments.Outer(lane) + 8 * Fragments.LeftRow(register)) * Terms + TermOf(lane, Fragments.LeftWord(instruction, register), half)];
                    }

                    for (var register = 0; register < 2; register++)
                    {
                        var (column, term) = manual.Right(lane, register, half);
                        Assert.That(right[term, column], Is.Null, "given once");
                        right[term, column] = b[TermOf(lane, Fragments.RightWord(instruction, register), half) * Fragments.Columns + Fragments.Outer(lane)];
                    }
                }

            for (var row = 0; row < Fragments.Rows; row++)
                for (var column = 0; column < Fragments.Columns; column++)
                    for (var term = 0; term < manual.Depth; term++)
                        sums[row, column] += left[row, term]!.Value * right[term, column]!.Value;
        }

        for (var lane = 0; lane < Lanes; lane++)
            for (var sum = 0; sum < Fragments.SumsPerLane; sum++)
            {
                var (row, column) = ManualSum(lane, sum);
                Assert.That((Fragments.SumRow(lane, sum), Fragments.SumColumn(lane, sum)), Is.EqualTo((row, column)));
                var expected = Enumerable.Range(0, Terms).Sum(k => (double)a[row * Terms + k] * b[k * Fragments.Columns + column]);
                Assert.That(sums[row, column], Is.EqualTo(expected).Within(1e-9));
            }

        // Words are packed in the order of terms (IFormat.Pack), the first of a pair in the lower half.
        int TermOf(int lane, int word, int half) => Fragments.Term(lane) + word * manual.PerRegister + half;
    }

    // A step of a tile of warp groups: the values that its threads store and pass on are read as the manual says ("Register Fragments", "Shared Memory Matrix Layout": along the sum, no swizzle).
    [Test]
    public void Warp_groups_multiply_a_step_as_the_manual_has_it([Values] bool bf16)
    {
        var manual = Of(bf16);
        var words = bf16 ? Bf16.Words : Tf32.Words;
        var random = new Generator(3);
        float[] a = Tensor.Uniform([WarpGroups.Rows, WarpGroups.Depth], -1f, 1f, random).ToArray(), b = Tensor.Uniform([WarpGroups.Columns, WarpGroups.Depth], -1f, 1f, random).ToArray();

        // Each word holds one or two terms.
        var shared = new float[]?[WarpGroups.Words(words) * WarpGroups.Columns];
        for (var thread = 0; thread < WarpGroups.Threads; thread++)
            for (var column = 0; column < Block.Side; column++)
                for (var word = 0; word < words; word++)
                {
                    ref var place = ref shared[WarpGroups.RightPlace(words, thread) + WarpGroups.RightDistance(column, word)];
                    Assert.That(place, Is.Null, "stored once");
                    place = Terms(b, WarpGroups.FirstColumn(thread) + column, WarpGroups.RightTerm(thread) + word * manual.PerRegister);
                }

        var sums = new double[WarpGroups.Threads, WarpGroups.Sums];
        for (var block = 0; block < WarpGroups.LeftBlocks; block++)
            for (var instruction = 0; instruction < words / 2; instruction++)
                for (var half = 0; half < 2; half++)
                    for (var warp = 0; warp < WarpGroups.Threads / Lanes; warp++) Multiply(block, instruction, half, warp);

        for (var thread = 0; thread < WarpGroups.Threads; thread++)
            for (var sum = 0; sum < WarpGroups.Sums; sum++)
            {
                int row = WarpGroups.FirstRow(thread) + sum / WarpGroups.SumsOfRow, column = WarpGroups.ColumnOf(WarpGroups.SumPlace(thread, sum % WarpGroups.SumsOfRow));
                var expected = Enumerable.Range(0, WarpGroups.Depth).Sum(k => (double)a[row * WarpGroups.Depth + k] * b[column * WarpGroups.Depth + k]);
                Assert.That(sums[thread, sum], Is.EqualTo(expected).Within(1e-9), $"thread {thread}, sum {sum}");
            }

        void Multiply(int block, int instruction, int half, int warp)
        {
            var left = new double[Fragments.Rows, manual.Depth];
            for (var lane = 0; lane < Lanes; lane++)
                for (var register = 0; register < 4; register++)
                {
                    var thread = warp * Lanes + lane;
                    var terms = Terms(a, WarpGroups.FirstRow(thread) + WarpGroups.LeftRow(half, register), WarpGroups.LeftTerm(thread, block) + Fragments.LeftWord(instruction, register) * manual.PerRegister);
                    for (var i = 0; i < manual.PerRegister; i++)
                    {
                        var (row, term) = manual.Left(lane, register, i);
                        left[row, term] = terms[i];
                    }
                }

            // Each place has two chunks of 16 bytes.
            for (var lane = 0; lane < Lanes; lane++)
                for (var d = 0; d < WarpGroups.Sums / 2; d++)
                {
                    int row = lane / 4 + 8 * (d / 2 % 2), place = d / 4 * 8 + lane % 4 * 2 + d % 2;
                    var sum = 0.0;
                    for (var word = 0; word < 2 * WarpGroups.ChunkWords; word++)
                        for (var i = 0; i < manual.PerRegister; i++)
                            sum += left[row, word * manual.PerRegister + i] * shared[((block * words + 2 * instruction + word / WarpGroups.ChunkWords) * WarpGroups.Columns + place) * WarpGroups.ChunkWords + word % WarpGroups.ChunkWords]![i];
                    sums[warp * Lanes + lane, (2 * half + d / 2 % 2) * WarpGroups.SumsOfRow + d / 4 * 2 + d % 2] += sum;
                }
        }

        float[] Terms(float[] matrix, int outer, int term) => matrix[(outer * WarpGroups.Depth + term)..(outer * WarpGroups.Depth + term + manual.PerRegister)];
    }

    [Test]
    public void Warp_groups_store_to_different_banks([Values(Tf32Words, Bf16Words)] int words)
    {
        for (var warp = 0; warp < WarpGroups.Threads / Lanes; warp++)
        {
            var first = warp * Lanes;
            Assert.That(Enumerable.Range(first, Lanes).Select(thread => WarpGroups.RightPlace(words, thread) % 32), Is.Unique);

            // Sums are written as quads, which the hardware handles for eight lanes at a time.
            const int Pitch = WarpGroups.Columns + 4;
            foreach (var lanes in Enumerable.Range(first, Lanes).Chunk(8))
                Assert.That(lanes.Select(thread => (WarpGroups.SlabLine(thread) * Pitch + WarpGroups.ColumnOf(WarpGroups.SumPlace(thread, 0))) / 4 % 8), Is.Unique);
        }
    }

    [Test]
    public void A_word_of_tf32_is_the_rounded_number_once_its_last_bits_are_cut()
    {
        var random = new Random(1);
        uint[] special = [0, 0x80000000, 1, 0x00001000, 0x3f800fff, 0x3f801000, 0x3f801001, 0xbf801000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fffffff, 0x7fc00000, 0xffc00000];
        foreach (var bits in special.Concat(Enumerable.Range(0, 10000).Select(_ => (uint)random.NextInt64(1L << 32))))
        {
            var x = BitConverter.UInt32BitsToSingle(bits);
            var cut = BitConverter.Int32BitsToSingle(Tf32.Word(x) & ~0x1fff);
            if (bits < 0xfffff000) Assert.That(cut, Is.EqualTo(Tf32.Round(x)), $"{bits:x8}");
        }
    }

    [Test]
    public void Every_element_has_a_place_and_quads_stay_whole([Values(16, 32, 64, 128)] int outers)
    {
        Check<Matrix<AlongSum>>();
        Check<Matrix<AcrossSum>>();

        void Check<TOperand>() where TOperand : struct, IOperand
        {
            var places = new HashSet<int>();
            for (var outer = 0; outer < outers; outer++)
                for (var k = 0; k < Terms; k++)
                {
                    var at = Fragments.At<TOperand>(outers, outer, k);
                    Assert.That(at, Is.InRange(0, outers * Terms - 1));
                    Assert.That(places.Add(at), Is.True);
                    var place = TOperand.AlongK ? k : outer;
                    var first = TOperand.AlongK ? Fragments.At<TOperand>(outers, outer, k & ~3) : Fragments.At<TOperand>(outers, outer & ~3, k);
                    Assert.That((first % 4, at - first), Is.EqualTo((0, place & 3)));
                }
        }
    }

    // Shared memory has 32 banks of one word; the hardware handles a load of four words for eight lanes at a time.
    [Test]
    public void Lanes_read_from_different_banks([Values(16, 32, 64, 128)] int outers)
    {
        for (var outer = 0; outer < outers; outer += 8)
            for (var i = 0; i < 4; i++)
            {
                var first = outer;
                var step = i;
                Assert.That(Enumerable.Range(0, Lanes).Select(lane => Fragments.At<Matrix<AcrossSum>>(outers, first + Fragments.Outer(lane), Fragments.Term(lane) + step) % 32), Is.Unique);
                Assert.That(Enumerable.Range(8 * i, 8).Select(lane => Fragments.At<Matrix<AlongSum>>(outers, first + Fragments.Outer(lane), Fragments.Term(lane)) % 32), Is.Unique);
            }
    }

    [Test]
    public void Sums_of_a_tile_leave_by_slabs_each_once()
    {
        Check<Warps128x128>();
        Check<Warps128x64>();
        Check<Warps128x32>();
        Check<Warps128x16>();
        Check<Warps32x32>();
        CheckRows<WarpGroupMultiplier<WarpGroupCores<Tf32>>>();

        static void Check<TTile>() where TTile : struct, IWarpTile => CheckRows<TensorCoreMultiplier<TTile, Cores<Tf32>>>();

        static void CheckRows<TMultiplier>() where TMultiplier : struct, IMultiplier
        {
            var rows = new HashSet<int>();
            for (var slab = 0; slab < TileMemory<TMultiplier>.Slabs; slab++)
                for (var line = 0; line < TileMemory<TMultiplier>.SlabRows; line++)
                    Assert.That(rows.Add(TMultiplier.RowOf(slab, line)), Is.True);
            Assert.That(rows, Has.Count.EqualTo(TMultiplier.Rows));
            Assert.That(rows.Max(), Is.EqualTo(TMultiplier.Rows - 1));
        }
    }

    // dx[h] takes dy[oh] at tap kh where h + padding = oh stride + kh dilation.
    [Test]
    public void Classes_of_a_strided_gradient_have_every_pair_of_pixel_and_tap_once()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var s = new Sample(Device.Cpu, seed, tiny: false);
            int size = s.Pick(1, 5), dilation = s.Pick(1, 4), stride = s.Pick(1, 4), padding = s.Pick(0, 3), extent = dilation * (size - 1) + s.Pick(1, 12);
            var g = new ConvGeometry(2, extent, extent + 1, 4, 4, new Window(size, size, stride, padding, dilation));
            var windows = new GradientWindows(g);
            List<(int, int)> expected = [], got = [];
            for (var oh = 0; oh < g.OutHeight; oh++)
                for (var kh = 0; kh < size; kh++)
                    if (oh * stride + kh * dilation - padding is var h && h >= 0 && h < g.Height) expected.Add((h, kh));

            var pixels = new HashSet<int>();
            for (var number = 0; number < windows.Classes; number++)
            {
                var pixelsOf = windows.Class(number);
                Assert.That(pixelsOf.Rows.Taps * pixelsOf.Columns.Taps, Is.LessThanOrEqualTo(windows.MostTaps));
                Assert.That(pixelsOf.Columns.Taps, Is.EqualTo(0).Or.EqualTo(pixelsOf.TapsAcross.Divisor));
                for (var outer = 0; outer < windows.Pixels; outer++)
                {
                    var pixel = windows.Split(outer);
                    if (!windows.Contains(pixel, pixelsOf)) continue;
                    Assert.That(pixels.Add(windows.Pixel(pixel, pixelsOf)), Is.True, "a pixel is in one class");
                    if (pixel.Image != 0 || pixelsOf.Columns.First + pixel.Column * stride != 0) continue;
                    for (var tap = 0; tap < pixelsOf.Rows.Taps; tap++)
                    {
                        int oh = pixelsOf.Rows.Origin + pixel.Row - tap * windows.Spacing, kh = pixelsOf.Rows.FirstTap + tap * windows.TapStep, h = pixelsOf.Rows.First + pixel.Row * stride;
                        Assert.That(h + padding, Is.EqualTo(oh * stride + kh * dilation));
                        if (oh >= 0 && oh < g.OutHeight) got.Add((h, kh));
                    }
                }
            }

            Assert.That(pixels, Has.Count.EqualTo(g.Batch * g.Height * g.Width));
            Assert.That(got.Order(), Is.EqualTo(expected.Order()), $"{g}");
        }
    }
}
