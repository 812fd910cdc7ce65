using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.IR.Transformations;

namespace QuadEngine.Gpu;

/// <summary>
/// Makes ILGPU unroll the loops of one kernel (<see cref="IKernel.Unrolled"/>). ILGPU has this transformation but never runs it. When indices are
/// constant, ILGPU's later steps turn local arrays into registers.
/// </summary>
static class LoopUnroller
{
    // A loop of at most MostRounds rounds is unrolled; loops may be nested Nesting deep.
    const int MostRounds = 128, Nesting = 3;

    /// <summary>Compiles with unrolled loops. The context compiles nothing else in the meantime.</summary>
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
