using QuadEngine.Tests.Gpu.Ptx;

namespace QuadEngine.Tests.Gpu;

/// <summary>Tests the effects of instructions with kernels written by hand. The interpreter checks the engine's kernels, so it is checked here.</summary>
public class PtxInterpreterTests
{
    // An instruction with a = %r1 or %f1 and b = %r2 or %f2, and its result in %r4, %f4 or %p1.
    static IEnumerable<TestCaseData> Instructions()
    {
        const float Nan = float.NaN, Infinity = float.PositiveInfinity, Smallest = float.Epsilon;
        (string Instruction, object A, object B, object Expected)[] cases =
        [
            ("add.s32 %r4, %r1, %r2", 7, -9, -2),
            ("sub.s32 %r4, %r1, %r2", 7, -9, 16),
            ("mul.lo.s32 %r4, %r1, %r2", 0x10001, 0x10003, 0x40003),
            ("mad.lo.u32 %r4, %r1, %r2, 5", 6, 7, 47),
            ("mul.hi.u32 %r4, %r1, %r2", -1, -1, -2),
            ("div.s32 %r4, %r1, %r2", -7, 2, -3),
            ("rem.s32 %r4, %r1, %r2", -7, 2, -1),
            ("div.u32 %r4, %r1, %r2", -7, 2, 0x7ffffffc),
            ("min.s32 %r4, %r1, %r2", -7, 2, -7),
            ("max.u32 %r4, %r1, %r2", -7, 2, -7),
            ("neg.s32 %r4, %r1", 5, 0, -5),
            ("abs.s32 %r4, %r1", -5, 0, 5),
            ("and.b32 %r4, %r1, %r2", 12, 10, 8),
            ("or.b32 %r4, %r1, %r2", 12, 10, 14),
            ("xor.b32 %r4, %r1, %r2", 12, 10, 6),
            ("not.b32 %r4, %r1", 5, 0, -6),
            ("shl.b32 %r4, %r1, 4", 5, 0, 80),
            ("shl.b32 %r4, %r1, %r2", 5, 32, 0),
            ("shr.s32 %r4, %r1, 1", -5, 0, -3),
            ("shr.s32 %r4, %r1, %r2", -5, 40, -1),
            ("shr.u32 %r4, %r1, 28", -1, 0, 15),
            ("shr.u32 %r4, %r1, %r2", -1, 32, 0),
            ("mov.b32 %r4, 4294967295", 0, 0, -1),
            ("selp.b32 %r4, %r1, %r2, %p0", 3, 4, 3),
            ("cvt.rn.f32.s32 %f4, %r1", 16777217, 0, 16777216f),
            ("cvt.rn.f32.u32 %f4, %r1", -1, 0, 4294967296f),
            ("cvt.rzi.s32.f32 %r4, %f1", -2.9f, 0, -2),
            ("cvt.rni.f32.f32 %f4, %f1", 2.5f, 0, 2f),
            ("cvt.rmi.f32.f32 %f4, %f1", -2.5f, 0, -3f),
            ("setp.lt.s32 %p1, %r1, %r2", -1, 1, true),
            ("setp.lt.u32 %p1, %r1, %r2", -1, 1, false),
            ("setp.hs.u32 %p1, %r1, %r2", -1, 1, true),
            ("setp.ne.u32 %p1, %r1, %r2", 1, 1, false),
            ("setp.ge.or.s32 %p1, %r1, %r2, %p0", 0, 1, true),
            ("setp.ge.and.s32 %p1, %r1, %r2, !%p0", 1, 1, false),
            ("add.f32 %f4, %f1, %f2", 1f, MathF.ScaleB(1, -24), 1f),
            ("sub.f32 %f4, %f1, %f2", Smallest, 2 * Smallest, -Smallest),
            ("mul.f32 %f4, %f1, %f2", 3f, -2.5f, -7.5f),
            ("fma.rn.f32 %f4, %f1, %f1, %f2", 1f + MathF.ScaleB(1, -23), -1f, MathF.ScaleB(1, -22) + MathF.ScaleB(1, -46)),
            ("div.rn.f32 %f4, %f1, %f2", 1f, 3f, 1f / 3f),
            ("rcp.rn.f32 %f4, %f1", 0f, 0, Infinity),
            ("sqrt.rn.f32 %f4, %f1", 2f, 0, MathF.Sqrt(2f)),
            ("neg.f32 %f4, %f1", 0f, 0, -0f),
            ("abs.f32 %f4, %f1", -3f, 0, 3f),
            ("min.f32 %f4, %f1, %f2", Nan, 3f, 3f),
            ("max.f32 %f4, %f1, %f2", -0f, 0f, 0f),
            ("ex2.approx.f32 %f4, %f1", 0.5f, 0, MathF.Sqrt(2f)),
            ("lg2.approx.f32 %f4, %f1", 0f, 0, -Infinity),
            ("sin.approx.f32 %f4, %f1", 1f, 0, 0.84147098f),
            ("cos.approx.f32 %f4, %f1", 1f, 0, 0.540302306f),
            ("rsqrt.approx.f32 %f4, %f1", 4f, 0, 0.5f),
            ("setp.lt.f32 %p1, %f1, %f2", Nan, 1f, false),
            ("setp.ltu.f32 %p1, %f1, %f2", Nan, 1f, true),
            ("setp.leu.f32 %p1, %f1, %f2", 2f, 1f, false),
            ("setp.geu.f32 %p1, %f1, %f2", 1f, 1f, true),
            ("setp.gtu.f32 %p1, %f1, %f2", 1f, 1f, false),
            ("setp.eq.f32 %p1, %f1, %f2", Nan, Nan, false),
            ("setp.ne.f32 %p1, %f1, %f2", Nan, 1f, false),
            ("setp.neu.f32 %p1, %f1, %f2", Nan, 1f, true),
            ("setp.equ.f32 %p1, %f1, %f2", Nan, 1f, true),
            ("testp.notanumber.f32 %p1, %f1", Nan, 0, true),
            ("testp.infinite.f32 %p1, %f1", -Infinity, 0, true),
            ("testp.finite.f32 %p1, %f1", 1f, 0, true),
            ("and.pred %p1, %p0, %p2", 0, 0, false),
            ("or.pred %p1, %p0, %p2", 0, 0, true),
            ("xor.pred %p1, %p0, %p0", 0, 0, false),
            ("not.pred %p1, %p0", 0, 0, false),
            ("mov.pred %p1, 1", 0, 0, true),

            // tf32 to nearest, ties away from zero; bf16 to nearest, ties to even, the first source in the upper half.
            ("cvt.rna.tf32.f32 %r4, %f1", 1f + MathF.ScaleB(1, -11), 0, 1f + MathF.ScaleB(1, -10)),
            ("cvt.rna.tf32.f32 %r4, %f1", -1f - MathF.ScaleB(0.99f, -11), 0, -1f),
            ("cvt.rn.bf16x2.f32 %r4, %f1, %f2", 1f + MathF.ScaleB(1, -8), -2f, 0x3f80c000),
            ("cvt.rn.bf16x2.f32 %r4, %f1, %f2", 1f + MathF.ScaleB(3, -8), Infinity, 0x3f827f80),

            // With registers of 64 bits.
            ("cvt.s64.s32 %rd4, %r1; shr.u64 %rd4, %rd4, 32; cvt.u32.u64 %r4, %rd4", -1, 0, -1),
            ("cvt.u64.u32 %rd4, %r1; shr.u64 %rd4, %rd4, 32; cvt.u32.u64 %r4, %rd4", -1, 0, 0),
            ("mul.wide.u32 %rd4, %r1, %r2; shr.u64 %rd4, %rd4, 32; cvt.s32.s64 %r4, %rd4", -1, -1, -2),
            ("mul.wide.s32 %rd4, %r1, %r2; shr.u64 %rd4, %rd4, 32; cvt.s32.s64 %r4, %rd4", -1, 1, -1),
            ("mul.lo.s64 %rd4, %rd2, %rd2; shr.u64 %rd4, %rd4, 32; cvt.u32.u64 %r4, %rd4", 1, 3, 6),
            ("add.u64 %rd4, %rd2, 1; shr.u64 %rd4, %rd4, 32; cvt.u32.u64 %r4, %rd4", -1, 3, 4),
            ("shl.b64 %rd4, %rd2, 8; shr.u64 %rd4, %rd4, 32; cvt.u32.u64 %r4, %rd4", -1, 0, 255),
            ("mul.hi.u64 %rd4, %rd2, %rd2; cvt.u32.u64 %r4, %rd4", 0, 5, 25),
            ("setp.lt.s64 %p1, %rd2, 0", 0, -1, true),
            ("cvt.f64.f32 %fd0, %f1; setp.lt.f64 %p1, %fd0, 0d0000000000000000", -1f, 0, true),
            ("cvt.rn.f64.u32 %fd0, %r1; cvt.rn.f32.f64 %f4, %fd0", -1, 0, 4294967296f),

            // With the memory of the thread.
            ("st.local.f32 [local+4], %f1; ld.local.f32 %f4, [local+4]", 5f, 0, 5f),
            ("st.local.b64 [local+8], %rd2; ld.local.b32 %r4, [local+12]", 5, 6, 6),
            ("mov.b64 %rd4, local; mul.wide.u32 %rd5, %r1, 4; add.u64 %rd4, %rd4, %rd5; st.local.b32 [%rd4], %r2; ld.local.b32 %r4, [local+8]", 2, 6, 6),

            // One byte of its words, and two bytes.
            ("{ .reg .b16 %h; ld.global.b8 %h, [%rd1+1]; cvt.s32.u8 %r4, %h; }", 0x12fa34, 0, 0xfa),
            ("{ .reg .b16 %h; ld.global.u16 %h, [%rd1+2]; cvt.u32.u16 %r4, %h; }", 0x12fa34, 0, 0x12),

            // Instructions in braces, with their own register.
            ("{ .reg .b32 %t; add.s32 %t, %r1, %r1; mov.b32 %r4, %t; }", 4, 0, 8),
        ];
        return cases.Select(test => new TestCaseData(test.Instruction, Word(test.A), Word(test.B), test.Expected is bool holds ? holds ? 1u : 0u : Word(test.Expected)).SetArgDisplayNames(test.Instruction, $"{test.A}", $"{test.B}"));
    }

    [TestCaseSource(nameof(Instructions))]
    public void An_instruction_gives(string instruction, uint a, uint b, uint expected)
    {
        var result = instruction.Contains("%p1", StringComparison.Ordinal) ? "selp.b32 %r4, 1, 0, %p1;" : instruction.Contains("%f4", StringComparison.Ordinal) ? "mov.b32 %r4, %f4;" : "";
        var memory = new uint[4 * 33];
        for (var i = 0; i < 33; i++) (memory[4 * i], memory[4 * i + 1]) = (a, b);

        // The last lane does not take part, and the 33rd thread is alone in its warp.
        PtxProgram.Run($"setp.ne.u32 %p3, %r0, 31; mov.pred %p0, 1; mov.pred %p2, 0; mov.b32 %r4, 77; @%p3 bra WORK; bra STORE; WORK: {instruction}{(instruction.EndsWith('}') ? "" : ";")} {result} STORE: st.global.b32 [%rd1+8], %r4;", memory, threads: 33);
        for (var i = 0; i < 33; i++) Assert.That(memory[4 * i + 2], Is.EqualTo(i == 31 ? 77u : expected), $"thread {i}");
    }

    // ---- paths that separate and meet

    [Test]
    public void Memory_is_not_touched_before_the_kernel_has_waited_for_those_before_it() =>
        AssertFault("griddepcontrol.wait;", "global memory before griddepcontrol.wait");

    [Test]
    public void Lanes_loop_as_often_as_each_needs_and_meet_again()
    {
        // Lane i adds up 0..i; odd lanes do so twice. All lanes arrive at the barrier together.
        var sums = PtxProgram.Results("""
            mov.b32 %r5, 0;
            mov.b32 %r4, 0;
            LOOP: setp.gt.u32 %p0, %r5, %r0;
            @%p0 bra DONE;
            add.u32 %r4, %r4, %r5;
            and.b32 %r6, %r0, 1;
            setp.eq.u32 %p1, %r6, 0;
            @%p1 bra NEXT;
            add.u32 %r4, %r4, %r5;
            NEXT: add.u32 %r5, %r5, 1;
            bra LOOP;
            DONE: bar.sync 0;
            st.global.b32 [%rd1+8], %r4;
            """, threads: 64);
        Assert.That(sums, Is.EqualTo(Enumerable.Range(0, 64).Select(i => (uint)(i * (i + 1) / 2 * (1 + i % 2)))));
    }

    [Test]
    public void A_jump_goes_to_one_of_a_table()
    {
        const string Table = "TABLE: .branchtargets A, B; brx.idx.uni %r4, TABLE; A: mov.b32 %r5, 10; bra STORE; B: mov.b32 %r5, 20; STORE: st.global.b32 [%rd1+8], %r5;";
        Assert.That(PtxProgram.Results($"mov.u32 %r4, %ctaid.x; {Table}", threads: 2, blocks: 2), Is.EqualTo(new uint[] { 10, 10, 20, 20 }));
        AssertFault($"mov.u32 %r4, %tid.x; {Table}", "the index is 1 here and 0 in lane 0", threads: 2);
        AssertFault($"mov.u32 %r4, 2; {Table}", "index 2 of 2 targets");
    }

    [Test]
    public void Blocks_run_in_an_order_that_the_seed_gives_and_count_together()
    {
        const string Count = "atom.add.global.u32 %r4, [%rd0], 1; st.global.b32 [%rd1+8], %r4;";
        uint[] first = PtxProgram.Results(Count, threads: 1, blocks: 64, seed: 1), second = PtxProgram.Results(Count, threads: 1, blocks: 64, seed: 2);
        Assert.That(first.Order(), Is.EqualTo(Enumerable.Range(0, 64)));
        Assert.That(first, Is.Not.EqualTo(second));
    }

    // ---- shared memory

    const string OwnWord = "mov.u32 %r9, %tid.x; mul.wide.u32 %rd3, %r9, 4; mov.b64 %rd4, shared; add.u64 %rd3, %rd3, %rd4; ";

    [Test]
    public void Threads_exchange_over_a_barrier()
    {
        const string Store = OwnWord + "st.shared.b32 [%rd3], %r0;", Load = "xor.b32 %r9, %r9, 33; mul.wide.u32 %rd5, %r9, 4; add.u64 %rd5, %rd5, %rd4; ld.shared.b32 %r4, [%rd5]; st.global.b32 [%rd1+8], %r4;";
        Assert.That(PtxProgram.Results($"{Store} bar.sync 0; {Load}", threads: 64), Is.EqualTo(Enumerable.Range(0, 64).Select(i => (uint)(i ^ 33))));
        AssertFault($"{Store} bar.sync 0; {Store} {Load}", "with no barrier between", threads: 64);
    }

    [Test]
    public void Shared_memory_is_watched()
    {
        AssertFault(OwnWord + "st.shared.b32 [shared], %r0;", "is written, which thread 0 writes too");
        AssertFault(OwnWord + "st.shared.b32 [%rd3], %r0; ld.shared.b32 %r4, [shared];", "shared[0] is read, which thread 0 writes");
        AssertFault(OwnWord + "st.shared.b32 [%rd3], %r0; bar.sync 0; ld.shared.b32 %r4, [shared]; st.shared.b32 [%rd3], %r0;", "shared[0] is written, which other threads read");
        AssertFault("ld.shared.b32 %r4, [shared];", "is read and was never written");
        AssertFault("st.shared.b32 [shared+1024], %r0;", "is not in a variable", threads: 1);
        AssertFault("st.shared.b32 [shared+2], %r0;", "not a multiple of the 4 bytes", threads: 1);
        AssertFault("ld.local.b32 %r4, [local];", "is read and was never written");
        AssertFault("st.local.b32 [local+16], %r4;", "is not in a variable");
    }

    [Test]
    public void What_an_earlier_block_left_in_shared_memory_is_not_there() =>
        AssertFault("mov.u32 %r4, %ctaid.x; mov.u32 %r5, 0; atom.add.global.u32 %r5, [%rd0], 1; setp.eq.u32 %p0, %r5, 0; @%p0 bra FIRST; ld.shared.b32 %r4, [shared]; bra END; FIRST: st.shared.b32 [shared], %r4; END: ", "is read and was never written", threads: 1, blocks: 200);

    // ---- memory of the device

    [Test]
    public void Memory_of_the_device_is_watched()
    {
        AssertFault("ld.global.b32 %r4, [%rd0+512];", "lies 0 bytes behind the end of the nearest allocation, of 512 bytes");
        AssertFault("st.global.b32 [%rd0+-4], %r0;", "is before all memory");
        AssertFault("ld.global.v4.b32 {%r4, %r5, %r6, %r7}, [%rd0+500];", "not a multiple of the 16 bytes");
        AssertFault("ld.global.v2.f32 {%f4, %f5}, [%rd0+4];", "not a multiple of the 8 bytes");
        AssertFault("ld.global.b64 %rd4, [%rd1+12];", "not a multiple of the 8 bytes");

        // A negative index is widened without its sign.
        AssertFault("mov.b32 %r4, -1; mul.wide.u32 %rd4, %r4, 4; add.u64 %rd4, %rd4, %rd0; ld.global.f32 %f4, [%rd4];", "behind the end of the nearest allocation");
    }

    [Test]
    public void Threads_that_share_memory_of_the_device_wait_for_each_other()
    {
        const string ByFirst = "setp.eq.u32 %p0, %r0, 0; @%p0 st.global.b32 [%rd0+12], %r31;", Read = "ld.global.b32 %r4, [%rd0+12];";
        AssertFault("st.global.b32 [%rd0+12], %r0;", "writes too in the same launch");
        AssertFault(ByFirst + Read, "which thread 0 of block 0 writes in the same launch", threads: 64);
        AssertFault(Read + ByFirst, "which more than one other thread reads in the same launch", threads: 64);
        PtxProgram.Results(ByFirst + "bar.sync 0;" + Read, threads: 64);
        AssertFault(ByFirst + "bar.sync 0;" + Read, "which thread 0 of block 0 writes", threads: 64, blocks: 2);
    }

    [Test]
    public void Blocks_that_count_each_other_put_up_fences()
    {
        // The block that arrives last reads the writes of the other. The first word of the memory counts the blocks.
        Assert.That(Last("membar.gl;", "membar.gl;").Order(), Is.EqualTo(new uint[] { 0, 5 }));
        AssertFault(Text("", "membar.gl;"), "has written to global memory and executed no fence", threads: 1, blocks: 2);
        AssertFault(Text("membar.gl;", ""), "writes in the same launch", threads: 1, blocks: 2);

        static uint[] Last(string before, string after) => PtxProgram.Results(Text(before, after), threads: 1, blocks: 2);

        static string Text(string before, string after) => $"""
            mov.b32 %r4, 5;
            st.global.b32 [%rd1+12], %r4;
            {before}
            atom.add.global.u32 %r5, [%rd0], 1;
            setp.eq.u32 %p0, %r5, 0;
            @%p0 ret;
            {after}
            xor.b32 %r6, %r0, 1;
            mul.wide.u32 %rd3, %r6, 16;
            add.u64 %rd3, %rd3, %rd0;
            ld.global.b32 %r4, [%rd3+12];
            st.global.b32 [%rd1+8], %r4;
            """;
    }

    [Test]
    public void A_fault_says_where_it_happened()
    {
        var fault = Assert.Throws<PtxFault>(() => PtxProgram.Results("setp.eq.u32 %p0, %r0, 37; @%p0 ld.global.b32 %r4, [%rd0+4096];", threads: 40))!;
        Assert.That(fault.Message, Does.Match(@"^by hand, line 25: @%p0 ld\.global\.b32 %r4, \[%rd0\+4096\];\s+block \(0, 0, 0\), thread 37: 4 bytes of global memory"));
    }

    // ---- asynchronous copies

    const string Quad = "mov.u32 %r9, %tid.x; mul.wide.u32 %rd3, %r9, 16; mov.b64 %rd4, shared; add.u64 %rd3, %rd3, %rd4; ";
    const string Neighbor = "xor.b32 %r8, %r9, 1; mul.wide.u32 %rd5, %r8, 16; add.u64 %rd5, %rd5, %rd4; ld.shared.b32 %r4, [%rd5+4]; st.global.b32 [%rd1+8], %r4;";

    static uint[] CopiedToNeighbor(string copyAndWait)
    {
        var memory = new uint[4 * 32];
        for (var i = 0; i < 32; i++) memory[4 * i + 1] = (uint)i;
        PtxProgram.Run(Quad + copyAndWait + Neighbor, memory);
        return [.. Enumerable.Range(0, 32).Select(i => memory[4 * i + 2])];
    }

    [Test]
    public void Copies_arrive_when_they_were_waited_for()
    {
        const string Copy = "cp.async.cg.shared.global [%rd3], [%rd1], 16, 16; cp.async.commit_group;";
        var neighbours = Enumerable.Range(0, 32).Select(i => (uint)(i ^ 1));
        Assert.That(CopiedToNeighbor(Copy + "cp.async.wait_group 0; bar.sync 0;"), Is.EqualTo(neighbours));
        Assert.That(CopiedToNeighbor("cp.async.cg.shared.global [%rd3], [%rd1], 16, 16; cp.async.wait_all; bar.sync 0;"), Is.EqualTo(neighbours));
        Assert.That(CopiedToNeighbor(Copy + "cp.async.commit_group; cp.async.wait_group 1; bar.sync 0;"), Is.EqualTo(neighbours), "one batch, an empty one, may be left");

        Fails(Copy + "bar.sync 0;", "may be under way");
        Fails(Copy + "cp.async.wait_group 1; bar.sync 0;", "may be under way");
        Fails("cp.async.cg.shared.global [%rd3], [%rd1], 16, 16; cp.async.wait_group 0; bar.sync 0;", "may be under way");
        Fails(Copy + "cp.async.wait_group 0;", "with no barrier between");
        Fails(Copy + "st.shared.b32 [%rd3], %r0; cp.async.wait_group 0; bar.sync 0;", "is written while a copy");

        static void Fails(string copyAndWait, string message) => Assert.That(Assert.Throws<PtxFault>(() => CopiedToNeighbor(copyAndWait))!.Message, Does.Contain(message));
    }

    [Test]
    public void A_place_that_is_still_read_may_not_be_copied_to() =>
        AssertFault(OwnWord + "st.shared.b32 [%rd3], %r0; bar.sync 0; ld.shared.b32 %r4, [shared+64]; setp.eq.u32 %p0, %r0, 0; @%p0 cp.async.cg.shared.global [shared+64], [%rd1], 16, 16;", "is written, which other threads read");

    [Test]
    public void A_short_copy_is_filled_with_zeros_and_reads_no_further()
    {
        Assert.That(CopiedToNeighbor("cp.async.cg.shared.global [%rd3], [%rd1], 16, 4; cp.async.commit_group; cp.async.wait_group 0; bar.sync 0;"), Has.All.Zero);
        Assert.That(CopiedToNeighbor("cp.async.cg.shared.global [%rd3], [%rd0+4096], 16, 0; cp.async.commit_group; cp.async.wait_group 0; bar.sync 0;"), Has.All.Zero);
        AssertFault(Quad + "cp.async.cg.shared.global [%rd3], [%rd0+4096], 16, 4;", "behind the end");
        AssertFault(Quad + "cp.async.cg.shared.global [%rd3+4], [%rd1], 16, 16;", "multiples of 16");
        AssertFault(Quad + "cp.async.cg.shared.global [%rd3], [%rd1], 16, 20;", "a length of 20");
    }

    // ---- whole warps

    [Test]
    public void Barriers_and_warp_instructions_are_for_all_threads()
    {
        AssertFault("setp.lt.u32 %p0, %r0, 7; @%p0 bar.sync 0;", "threads of the warp are missing: lanes ffffffff must take part, 0000007f do");
        AssertFault("setp.eq.u32 %p0, %r0, 3; @%p0 ret; bar.sync 0;", "fffffff7 do (00000008 have returned)");
        AssertFault("setp.lt.u32 %p0, %r0, 32; @%p0 bra END; bar.sync 0; END: ", "has returned and never comes to this barrier", threads: 64);
        AssertFault("setp.lt.u32 %p0, %r0, 32; @%p0 bra ONE; bar.sync 0; bra END; ONE: bar.sync 0; END: ", "waits at another barrier", threads: 64);
        AssertFault("setp.lt.u32 %p0, %r0, 8; @%p0 shfl.sync.bfly.b32 %r4, %r0, 1, 31, -1;", "threads of the warp are missing");
        AssertFault("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f4, %f5, %f6, %f7}, {%r1, %r1, %r1, %r1}, {%r1, %r1}, {%f4, %f5, %f6, %f7};", "threads of the warp are missing", threads: 16);
    }

    [TestCase("up", 3, 0, new[] { 0, 1, 2, 0, 1, 2 })]
    [TestCase("down", 2, 31, new[] { 2, 3, 4, 5, 6, 7 })]
    [TestCase("bfly", 1, 31, new[] { 1, 0, 3, 2, 5, 4 })]
    [TestCase("idx", 5, 31, new[] { 5, 5, 5, 5, 5, 5 })]
    [TestCase("idx", 1, 0x1c03, new[] { 1, 1, 1, 1, 5, 5 })]
    public void Lanes_take_values_of_others(string mode, int by, int clamp, int[] first) =>
        Assert.That(PtxProgram.Results($"shfl.sync.{mode}.b32 %r4, %r0, {by}, {clamp}, -1; st.global.b32 [%rd1+8], %r4;")[..6], Is.EqualTo(first));

    // The places of a lane's elements as strides of column-major matrices (M x K, N x K, M x N), as in NVIDIA's CUTLASS.
    [TestCase(false)]
    [TestCase(true)]
    public void Tensor_cores_multiply(bool bf16)
    {
        var depth = bf16 ? 16 : 8;
        var random = new Random(1);
        float[] a = Values(16 * depth), b = Values(8 * depth), c = Values(16 * 8);
        // After the words that every thread begins with.
        const int First = 4 * 32;
        var memory = new uint[First + 32 * 12];
        for (var lane = 0; lane < 32; lane++)
        {
            int t = lane % 4, g = lane / 4;
            for (var i = 0; i < 4; i++)
                memory[First + 12 * lane + i] = bf16
                    ? Pair(a[2 * 16 * t + g + 8 * (i & 1) + 128 * (i >> 1)], a[2 * 16 * t + g + 16 + 8 * (i & 1) + 128 * (i >> 1)])
                    : Word(a[16 * t + g + 8 * (i & 1) + 64 * (i >> 1)]) | 0x1fff;
            for (var i = 0; i < 2; i++)
                memory[First + 12 * lane + 4 + i] = bf16 ? Pair(b[16 * t + g + 64 * i], b[16 * t + g + 8 + 64 * i]) : Word(b[8 * t + g + 32 * i]) | 0x1fff;
            for (var i = 0; i < 4; i++) memory[First + 12 * lane + 8 + i] = Word(c[32 * t + g + 16 * (i & 1) + 8 * (i >> 1)]);
        }

        var shape = bf16 ? "m16n8k16.row.col.f32.bf16.bf16.f32" : "m16n8k8.row.col.f32.tf32.tf32.f32";
        PtxProgram.Run($$"""
            mul.wide.u32 %rd3, %r0, 48;
            add.u64 %rd3, %rd3, %rd0;
            add.u64 %rd3, %rd3, 512;
            ld.global.v4.b32 {%r4, %r5, %r6, %r7}, [%rd3];
            ld.global.v2.b32 {%r8, %r9}, [%rd3+16];
            ld.global.v4.f32 {%f4, %f5, %f6, %f7}, [%rd3+32];
            mma.sync.aligned.{{shape}} {%f4, %f5, %f6, %f7}, {%r4, %r5, %r6, %r7}, {%r8, %r9}, {%f4, %f5, %f6, %f7};
            st.global.v4.f32 [%rd3+32], {%f4, %f5, %f6, %f7};
            """, memory);
        for (var lane = 0; lane < 32; lane++)
            for (var i = 0; i < 4; i++)
            {
                int row = lane / 4 + 8 * (i >> 1), column = 2 * (lane % 4) + (i & 1);
                var sum = c[16 * column + row] + Enumerable.Range(0, depth).Sum(k => (double)a[16 * k + row] * b[8 * k + column]);
                Assert.That(BitConverter.UInt32BitsToSingle(memory[First + 12 * lane + 8 + i]), Is.EqualTo((float)sum), $"row {row}, column {column}");
            }

        // Numbers that both formats can hold.
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(-64, 64) / 16f)];

        static uint Pair(float lower, float upper) => Word(upper) & 0xffff0000 | Word(lower) >> 16;
    }

    // ---- texts that are not understood

    [TestCase("tex.1d.v4.f32.s32 {%f4, %f5, %f6, %f7}, [%rd0, {%r0}];", "does not know the instruction tex.1d.v4.f32.s32")]
    [TestCase("add.ftz.f32 %f4, %f1, %f2;", "does not know the instruction add.ftz.f32")]
    [TestCase("bar.sync 1;", "1 is known only as 0")]
    [TestCase("add.s32 %r4, %r1, %rd2;", "%rd2 has 64 bits, not 32")]
    [TestCase("add.s32 %r4, %r1, %r99;", "%r99 is not declared")]
    [TestCase("add.s32 %r4, %r1;", "operand 3 is missing")]
    [TestCase("add.s32 %r4, %r1, %r2, %r3;", "more operands than are known")]
    [TestCase("mov.u32 %r4, %clock;", "%clock is not declared")]
    [TestCase("bra NOWHERE;", "there is no label NOWHERE")]
    [TestCase(".const .b32 table[4];", "expected an instruction, got .const .b32 table[4];")]
    [TestCase(".reg .f16 %h;", "does not know the type .f16")]
    [TestCase("div.s32 %r4, %r1, 0;", "divide by zero")]
    public void What_is_not_known_is_refused(string instruction, string message) => AssertFault(instruction, message);

    static void AssertFault(string instructions, string message, int threads = 32, int blocks = 1) =>
        Assert.That(Assert.Throws<PtxFault>(() => PtxProgram.Results(instructions, threads, blocks))!.Message, Does.Contain(message));

    static uint Word(object value) => value is float number ? BitConverter.SingleToUInt32Bits(number) : (uint)(int)value;
}
