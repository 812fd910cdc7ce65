using System.Runtime.InteropServices;
using QuadEngine.Tests.Gpu.Ptx;

namespace QuadEngine.Tests.Gpu;

/// <summary>A kernel written by hand, with four words of memory for each thread and a few registers.</summary>
static unsafe class PtxProgram
{
    /// <summary>
    /// Runs instructions in a kernel that has registers %p0-7, %r0-31, %f0-31, %rd0-31, %fd0-7, the shared and local variables "shared" (1 KiB) and
    /// "local" (16 bytes), and begins with: %rd0 the memory, %rd1 the thread's own four words of it, %r0 its number in the grid. Its first two words are in %r1 and %r2, in %f1
    /// and %f2, and together in %rd2.
    /// </summary>
    /// <param name="memory">Four words for each thread, which the kernel changes.</param>
    public static void Run(string instructions, uint[] memory, int threads = 32, int blocks = 1, int seed = 1) => RunText(Text(instructions), memory, threads, blocks, seed);

    /// <summary>Runs a whole text, which is a changed result of <see cref="Text"/>.</summary>
    public static void RunText(string text, uint[] memory, int threads, int blocks = 1, int seed = 1)
    {
        var kernel = PtxParser.Parse(text);
        var bytes = (nuint)memory.Length * 4;
        var device = NativeMemory.AlignedAlloc(bytes, 256);
        try
        {
            memory.CopyTo(new Span<uint>(device, memory.Length));
            var global = new GlobalMemory();
            global.BeginLaunch([(ulong)device], [(ulong)device + bytes]);
            new Launch(kernel, new Index3(blocks, 1, 1), new Index3(threads, 1, 1), BitConverter.GetBytes((ulong)device)).Run(global, seed);
            new Span<uint>(device, memory.Length).CopyTo(memory);
        }
        finally
        {
            NativeMemory.AlignedFree(device);
        }
    }

    /// <summary>Returns the third word of each thread after the run.</summary>
    public static uint[] Results(string instructions, int threads = 32, int blocks = 1, int seed = 1)
    {
        var memory = new uint[4 * threads * blocks];
        Run(instructions, memory, threads, blocks, seed);
        return [.. Enumerable.Range(0, threads * blocks).Select(i => memory[4 * i + 2])];
    }

    public static string Text(string instructions, int sharedBytes = 1024) => $$"""
        // by hand
        .version 8.0
        .target sm_90a
        .address_size 64
        .visible .entry kernel(.param .b64 memory)
        {
            .reg .pred %p<8>;
            .reg .b32 %r<32>;
            .reg .f32 %f<32>;
            .reg .b64 %rd<32>;
            .reg .f64 %fd<8>;
            .shared .align 16 .b8 shared[{{sharedBytes}}];
            .local .align 4 .b8 local[16];
            ld.param.b64 %rd0, [memory];
            mov.u32 %r30, %ctaid.x;
            mov.u32 %r31, %ntid.x;
            mul.lo.u32 %r30, %r30, %r31;
            mov.u32 %r0, %tid.x;
            add.u32 %r0, %r30, %r0;
            mul.wide.u32 %rd1, %r0, 16;
            add.u64 %rd1, %rd0, %rd1;
            ld.global.v2.b32 {%r1, %r2}, [%rd1];
            ld.global.v2.f32 {%f1, %f2}, [%rd1];
            ld.global.b64 %rd2, [%rd1];
            {{instructions}}
            ret;
        }
        """;
}
