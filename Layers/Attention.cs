namespace QuadEngine.Layers;

/// <summary>
/// Attention of a sequence to itself (Vaswani et al. 2017): [..., tokens, channels] to the same shape. One projection gives queries, keys and values of all heads, and
/// another one mixes the results of the heads. Names and layouts in files are those of PyTorch's <c>MultiheadAttention</c>. See <see cref="Tensor.SelfAttention"/>.
/// </summary>
public sealed class MultiHeadAttention : Module
{
    readonly int channels, heads;
    readonly float dropout;
    readonly bool causal;
    readonly Linear outProjection;
    readonly Generator? generator;

    /// <summary>An attention with new weights: <see cref="Initializers.XavierUniform"/>, and offsets of 0.</summary>
    /// <param name="channels">The channels of a token; a multiple of the heads.</param>
    /// <param name="heads">The number of heads.</param>
    /// <param name="causal">Whether a token sees only itself and the tokens before it.</param>
    /// <param name="dropout">The probability that a weight of the attention is dropped in training, in [0, 1).</param>
    /// <param name="bias">Whether the projections have learned offsets.</param>
    /// <param name="generator">The generator of the dropout; its state is saved in checkpoints. Null for <see cref="Generator.Default"/>.</param>
    /// <exception cref="ArgumentException">The heads do not divide the channels, or dropout is outside [0, 1).</exception>
    public MultiHeadAttention(int channels, int heads, bool causal = false, float dropout = 0f, bool bias = true, Generator? generator = null)
    {
        Check.That(heads > 0 && channels > 0 && channels % heads == 0, nameof(MultiHeadAttention), $"{heads} heads do not divide {channels} channels; choose heads that do.");
        Check.That(dropout is >= 0f and < 1f, nameof(MultiHeadAttention), $"the probability of dropout is {dropout}; it must be at least 0 and under 1.");
        (this.channels, this.heads, this.causal, this.dropout) = (channels, heads, causal, dropout);
        InProjection = Register("in_proj_weight", new Parameter(Initializers.XavierUniform([channels, 3 * channels])) { Layout = FileLayout.OutputsFirst });
        if (bias) InBias = Register("in_proj_bias", new Parameter(Tensor.Zeros([3 * channels])));
        outProjection = Register("out_proj", new Linear(channels, channels, bias, Initializers.XavierUniform));
        if (generator is not null) this.generator = Register("generator", generator);
    }

    /// <summary>The weights of queries, keys and values, [channels, 3 * channels].</summary>
    public Parameter InProjection { get; }

    /// <summary>The offsets of queries, keys and values, [3 * channels], or null.</summary>
    public Parameter? InBias { get; }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        Check.That(x.Rank >= 2 && x.Shape.Channels == channels, nameof(MultiHeadAttention), $"the input has shape {x.Shape} but the layer reads [..., tokens, {channels}].");
        return outProjection[x.MatMul(InProjection, bias: InBias).SelfAttention(heads, causal, dropout: Training ? dropout : 0f, generator: generator)];
    }

    /// <inheritdoc/>
    public override long MultiplyAdds(Shape input, Shape output) => 3L * input.Elements * channels + 2L * input.Elements * input[^2];

    /// <inheritdoc/>
    protected override string Describe() => $"MultiHeadAttention({channels}, {heads} heads{(causal ? ", causal" : "")}{(dropout > 0f ? $", dropout {dropout}" : "")})";
}

/// <summary>
/// A block of a transformer with the norms in front (Xiong et al. 2020; Dosovitskiy et al. 2021): y = x + attention(norm(x)), then y + mlp(norm(y)), where the MLP is linear, GELU, linear.
/// [..., tokens, channels] to the same shape. Names in files are those of torchvision's vision transformer.
/// </summary>
public sealed class TransformerBlock : Module
{
    readonly LayerNorm norm1, norm2;
    readonly MultiHeadAttention attention;
    readonly Module mlp;
    readonly Dropout? dropout;

    /// <summary>A block with new weights.</summary>
    /// <param name="channels">The channels of a token; a multiple of the heads.</param>
    /// <param name="heads">The number of heads.</param>
    /// <param name="hidden">The channels between the two layers of the MLP, often 4 times the channels.</param>
    /// <param name="causal">Whether a token sees only itself and the tokens before it.</param>
    /// <param name="dropout">The probability that an element is dropped in training: of the weights of the attention, of its result, and after both layers of the MLP.</param>
    /// <param name="epsilon">Added to the variances of the norms.</param>
    /// <exception cref="ArgumentException">The heads do not divide the channels, or dropout is outside [0, 1).</exception>
    public TransformerBlock(int channels, int heads, int hidden, bool causal = false, float dropout = 0f, float epsilon = 1e-6f)
    {
        norm1 = Register("ln_1", new LayerNorm(channels, epsilon));
        attention = Register("self_attention", new MultiHeadAttention(channels, heads, causal, dropout));
        if (dropout > 0f) this.dropout = Register("dropout", new Dropout(dropout));
        norm2 = Register("ln_2", new LayerNorm(channels, epsilon));
        Linear Layer(int from, int to) => new(from, to, initializer: Initializers.XavierUniform);
        Module Dropped() => dropout > 0f ? new Dropout(dropout) : new Identity();
        mlp = Register("mlp", new Sequential(Layer(channels, hidden), new Gelu(), Dropped(), Layer(hidden, channels), Dropped()));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        var mixed = attention[norm1[x]];
        var y = x + (dropout is null ? mixed : dropout[mixed]);
        return y + mlp[norm2[y]];
    }
}
