using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.IR.Transformations;

namespace QuadEngine.Gpu;

/// <summary>
/// Has ILGPU unroll the loops of one kernel (<see cref="IKernel.Unrolled"/>). It has the transformation but never runs it; with indices
/// constant, its later steps turn local arrays into registers.
/// </summary>
static class LoopUnroller
{
    // A loop of at most so many rounds is unrolled; loops lie in each other at most so deep.
    const int MostRounds = 128, Nesting = 3;

    /// <summary>Compiles with loops unrolled; the context compiles nothing else meanwhile.</summary>
    public static T Run<T>(Context context, Func<T> compile)
    {
        ref var transformer = ref TransformerOf(context);
        var usual = transformer;
        try
        {
            Transformation[] unroll = [new LoopUnrolling(MostRounds), new SimplifyControlFlow(), new DeadCodeElimination()];
            transformer = Transformer.Create(usual.Configuration, [.. usual.Transformations, .. Enumerable.Repeat(unroll, Nesting).SelectMany(step => step)]);
            return compile();
        }
        finally
        {
            transformer = usual;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<ContextTransformer>k__BackingField")]
    static extern ref Transformer TransformerOf(Context context);
}
