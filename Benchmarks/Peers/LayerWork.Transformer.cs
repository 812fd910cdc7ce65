using QuadEngine.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace QuadEngine.Benchmarks.Peers;

// Attention and a block of a transformer, with the gradients of the input and of all parameters.
sealed partial record LayerWork
{
    static IEnumerable<LayerWork> Transformers =>
    [
        new("attention, 3 heads of 64, 197 tokens, batch 8", 0.6,
            () => Gradients(x => x[0].SelfAttention(3), Random(8, 197, 3 * 192)),
            _ => Gradients(x => TorchTransformerBlock.Attend(x[0], 3), randn(8, 197, 3 * 192))),
        Transformer("transformer block, d 192, 3 heads, 197 tokens, batch 8", 0.6, batch: 8, tokens: 197, channels: 192, heads: 3),
    ];

    static LayerWork Transformer(string name, double target, int batch, int tokens, int channels, int heads) => new(name, target,
        () =>
        {
            var block = new TransformerBlock(channels, heads, 4 * channels);
            return Gradients(x => block.Forward(x[0]), [Random(batch, tokens, channels), .. block.Parameters()]);
        },
        _ =>
        {
            var block = new TorchTransformerBlock(channels, heads);
            return Gradients(x => block.forward(x[0]), [randn(batch, tokens, channels), .. block.parameters()]);
        });
}

/// <summary>The same block of libtorch's operations, with its fused attention.</summary>
sealed class TorchTransformerBlock : Native.Module<NativeTensor, NativeTensor>
{
    readonly NativeModule norm1, inProjection, outProjection, norm2, mlp;
    readonly int heads;

    public TorchTransformerBlock(int channels, int heads) : base(nameof(TorchTransformerBlock))
    {
        this.heads = heads;
        (norm1, norm2) = (Native.LayerNorm(channels, 1e-6), Native.LayerNorm(channels, 1e-6));
        (inProjection, outProjection) = (Native.Linear(channels, 3 * channels), Native.Linear(channels, channels));
        mlp = Native.Sequential(Native.Linear(channels, 4 * channels), Native.GELU(), Native.Linear(4 * channels, channels));
        RegisterComponents();
    }

    public override NativeTensor forward(NativeTensor x)
    {
        var y = x + outProjection.forward(Attend(inProjection.forward(norm1.forward(x)), heads));
        return y + mlp.forward(norm2.forward(y));
    }

    /// <summary>The attention of [batch, tokens, 3 * heads * depth]; the heads are strided views.</summary>
    public static NativeTensor Attend(NativeTensor packed, int heads)
    {
        long batch = packed.shape[0], tokens = packed.shape[1], channels = packed.shape[2] / 3;
        var parts = packed.view(batch, tokens, 3, heads, channels / heads).permute(2, 0, 3, 1, 4);
        return Native.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2]).transpose(1, 2).reshape(batch, tokens, channels);
    }
}
