namespace QuadEngine;

/// <summary>How a parameter or buffer lies in files, which other programs read too.</summary>
public enum FileLayout
{
    /// <summary>As in memory.</summary>
    AsInMemory,

    /// <summary>Output channels first, as PyTorch has weights: matrices [out, in] and filters [out, in, kH, kW], in memory [in, out] and [kH, kW, in, out].</summary>
    OutputsFirst,
}
