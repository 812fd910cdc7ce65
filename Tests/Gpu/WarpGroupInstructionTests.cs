using QuadEngine.Tests.Gpu.Ptx;

namespace QuadEngine.Tests.Gpu;

/// <summary>The interpreter executes wgmma.mma_async in a kernel written by hand, and finds faults in other kernels.</summary>
public class WarpGroupInstructionTests
{
    const int Threads = 128, Columns = 128;

    // The words of a thread, after those that every thread begins with: eight words of a right column, four of left factors, 64 sums.
    const int First = 4 * Threads, Words = 76;

    const string Read = """
        mul.wide.u32 %rd3, %r0, 304;
        add.u64 %rd3, %rd0, %rd3;
        add.u64 %rd3, %rd3, 2048;
        ld.global.v4.b32 {%r4, %r5, %r6, %r7}, [%rd3];
        ld.global.v4.b32 {%r8, %r9, %r10, %r11}, [%rd3+16];
        ld.global.v4.b32 {%r12, %r13, %r14, %r15}, [%rd3+32];
        """;

    // Core matrices of eight columns are next to each other, first the two along the sum of a column: 128 bytes apart along the sum, 256 bytes across.
    const string Store = """
        shr.u32 %r16, %r0, 3;
        shl.b32 %r16, %r16, 8;
        and.b32 %r17, %r0, 7;
        shl.b32 %r17, %r17, 4;
        add.u32 %r16, %r16, %r17;
        st.shared.v4.b32 [%r16], {%r4, %r5, %r6, %r7};
        st.shared.v4.b32 [%r16+128], {%r8, %r9, %r10, %r11};
        """;

    const string Publish = "fence.proxy.async.shared::cta; bar.sync 0;", Fence = "wgmma.fence.sync.aligned;", Commit = "wgmma.commit_group.sync.aligned;", Wait = "wgmma.wait_group.sync.aligned 0;", Descriptor = "mov.b64 %rd4, 68720001024;";

    static readonly string Clear = $".reg .f32 %d<64>; {string.Concat(Enumerable.Range(0, 64).Select(i => $"mov.f32 %d{i}, 0f3F000000; "))}";

    static readonly string Write = string.Concat(Enumerable.Range(0, 16).Select(i => $"st.global.v4.f32 [%rd3+{48 + 16 * i}], {{%d{4 * i}, %d{4 * i + 1}, %d{4 * i + 2}, %d{4 * i + 3}}}; "));

    static string Multiply(bool bf16) =>
        $"wgmma.mma_async.sync.aligned.{(bf16 ? "m64n128k16.f32.bf16.bf16" : "m64n128k8.f32.tf32.tf32")} {{{string.Join(", ", Enumerable.Range(0, 64).Select(i => $"%d{i}"))}}}, {{%r12, %r13, %r14, %r15}}, %rd4, 1, 1, 1{(bf16 ? ", 0" : "")};";

    static string Program(bool bf16 = false) => PtxProgram.Text($"{Read}\n{Store}\n{Publish}\n{Clear}\n{Descriptor}\n{Fence}\n{Multiply(bf16)}\n{Multiply(bf16)}\n{Commit}\n{Wait}\n{Write}", sharedBytes: 4096);

    // The places of a lane's elements as in NVIDIA's CUTLASS: strides of column-major matrices, 64 x K and 64 x N, by lane mod 4, lane / 4, warp and the bits of an element's number.
    [Test]
    public void A_warp_group_multiplies([Values] bool bf16)
    {
        var depth = bf16 ? 16 : 8;
        var random = new Random(1);
        float[] a = Values(64 * depth), b = Values(Columns * depth);
        var memory = new uint[First + Threads * Words];
        for (var thread = 0; thread < Threads; thread++)
        {
            var own = First + thread * Words;
            int t = thread % 4, g = thread % 32 / 4, warp = thread / 32;
            for (var i = 0; i < 8; i++) memory[own + i] = bf16 ? Pair(b[thread * depth + 2 * i], b[thread * depth + 2 * i + 1]) : BitConverter.SingleToUInt32Bits(b[thread * depth + i]);
            for (var i = 0; i < 4; i++)
            {
                var row = g + 16 * warp + 8 * (i & 1);
                memory[own + 8 + i] = bf16 ? Pair(a[row + 64 * (2 * t + 8 * (i >> 1))], a[row + 64 * (2 * t + 1 + 8 * (i >> 1))]) : BitConverter.SingleToUInt32Bits(a[row + 64 * (t + 4 * (i >> 1))]);
            }
        }

        PtxProgram.RunText(Program(bf16), memory, Threads);
        for (var thread = 0; thread < Threads; thread++)
            for (var i = 0; i < 64; i++)
            {
                var place = 128 * (thread % 4) + thread % 32 / 4 + 16 * (thread / 32) + 64 * (i & 1) + 8 * (i >> 1 & 1) + 512 * (i >> 2);
                var expected = 0.5 + 2 * Enumerable.Range(0, depth).Sum(k => (double)a[place % 64 + 64 * k] * b[place / 64 * depth + k]);
                Assert.That(BitConverter.UInt32BitsToSingle(memory[First + thread * Words + 12 + i]), Is.EqualTo((float)expected), $"thread {thread}, sum {i}");
            }

        // Numbers that both formats can hold.
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(-64, 64) / 16f)];

        static uint Pair(float lower, float upper) => BitConverter.SingleToUInt32Bits(upper) & 0xffff0000 | BitConverter.SingleToUInt32Bits(lower) >> 16;
    }

    [TestCase("fence.proxy.async.shared::cta;", "", "with no fence.proxy.async between")]
    [TestCase("fence.proxy.async.shared::cta; bar.sync 0;", "bar.sync 0; fence.proxy.async.shared::cta;", "with no fence.proxy.async between, and a barrier after it")]
    [TestCase("bar.sync 0;", "", "with no barrier between|never written")]
    [TestCase("st.shared.v4.b32 [%r16+128], {%r8, %r9, %r10, %r11};", "", "never written")]
    [TestCase(Fence, "", "there was no wgmma.fence")]
    [TestCase(Fence, $"{Fence} mov.f32 %d3, 0f00000000;", "used by another instruction since the last wgmma.fence")]
    [TestCase(Fence, $"{Fence} mov.b32 %r12, 0;", "used by another instruction since the last wgmma.fence")]
    [TestCase(Wait, "", "a register of sums is accessed")]
    [TestCase(Commit, "", "a register of sums is accessed")]
    [TestCase(Commit, $"{Commit} mov.b32 %r12, 1;", "a register of left factors has changed")]
    [TestCase(Commit, $"{Commit} st.shared.b32 [%r16], %r0;", "written while products")]
    [TestCase(Wait, $"{Wait} st.shared.b32 [%r16], %r0;", "with no barrier between|written while products")]
    [TestCase(Fence, $"setp.lt.u32 %p1, %r0, 32; @%p1 ret; {Fence}", "the four warps of this group do not execute the same")]
    [TestCase(Fence, $"setp.eq.u32 %p1, %r0, 7; @%p1 ret; {Fence}", "threads of the warp are missing")]
    [TestCase(Descriptor, "mov.b64 %rd4, 4611686087147388928;", "asks for a swizzle")]
    [TestCase(Descriptor, "mov.b64 %rd4, 68720001024; add.u64 %rd4, %rd4, %rd2;", "the descriptor differs from that of lane 0")]
    [TestCase(".target sm_90a", ".target sm_90", "needs .target sm_90a")]
    public void A_fault_is_found(string part, string instead, string message)
    {
        var memory = new uint[First + Threads * Words];
        memory[4 * 5] = 16;
        Assert.That(Assert.Throws<PtxFault>(() => PtxProgram.RunText(Program().Replace(part, instead), memory, Threads))!.Message, Does.Match(message));
    }

    [Test]
    public void What_was_waited_for_may_be_overwritten_after_a_barrier() =>
        Assert.DoesNotThrow(() => PtxProgram.RunText(Program().Replace(Wait, $"{Wait} bar.sync 0; st.shared.b32 [%r16], %r0;"), new uint[First + Threads * Words], Threads));
}
