namespace QuadEngine.Devices;

/// <summary>
/// The extents of an attention: queries [Batch, Queries, Heads, Depth], keys [Batch, Keys, Heads, Depth], values [Batch, Keys, Heads, ValueDepth], result
/// [Batch, Queries, Heads, ValueDepth]. Heads are side by side, as a dense layer leaves them, and are read in place.
/// </summary>
/// <param name="Batch">Number of sequences.</param>
/// <param name="Heads">Number of heads; each has its own attention.</param>
/// <param name="Queries">Query tokens of a sequence.</param>
/// <param name="Keys">Key tokens of a sequence.</param>
/// <param name="Depth">Channels of a query and of a key, in one head.</param>
/// <param name="ValueDepth">Channels of a value, in one head.</param>
/// <param name="Scale">Multiplies each product of a query and a key.</param>
public readonly record struct AttentionGeometry(int Batch, int Heads, int Queries, int Keys, int Depth, int ValueDepth, float Scale)
{
    /// <summary>Whether query i sees only the keys 0 to i.</summary>
    public bool Causal { get; init; }

    /// <summary>Whether queries, keys and values are one tensor [Batch, Queries, 3, Heads, Depth], which is given three times; likewise their gradients.</summary>
    public bool Packed { get; init; }

    /// <summary>Elements from the mask of one sequence to the next; 0 if all sequences share a mask.</summary>
    public int MaskOfBatch { get; init; }

    /// <summary>Elements from the mask of one head to the next; 0 if all heads share a mask.</summary>
    public int MaskOfHead { get; init; }

    /// <summary>The probability that a weight is dropped, in [0, 1).</summary>
    public float Dropout { get; init; }

    /// <summary>Elements from one query to the next.</summary>
    public int QueryStep => Packed ? 3 * Heads * Depth : Heads * Depth;

    /// <summary>Elements from one key to the next.</summary>
    public int KeyStep => QueryStep;

    /// <summary>Elements from one value to the next.</summary>
    public int ValueStep => Packed ? QueryStep : Heads * ValueDepth;

    /// <summary>The first key of the tensor.</summary>
    public int KeyOffset => Packed ? Heads * Depth : 0;

    /// <summary>The first value of the tensor.</summary>
    public int ValueOffset => 2 * KeyOffset;

    /// <summary>Elements from one row of the result to the next.</summary>
    public int OutputStep => Heads * ValueDepth;

    /// <summary>Attentions: one for each sequence and head.</summary>
    public int Sequences => Batch * Heads;

    /// <summary>Multiply-adds of the forward, without regard to masks.</summary>
    public long MultiplyAdds => (long)Sequences * Queries * Keys * (Depth + ValueDepth);
}
