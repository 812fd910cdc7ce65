namespace QuadEngine;

/// <summary>The layout of a parameter or buffer in files, which other programs read too.</summary>
public enum FileLayout
{
    /// <summary>The layout in memory.</summary>
    AsInMemory,

    /// <summary>Output channels first, as in PyTorch: matrices [out, in] and filters [out, in, kH, kW]. In memory they are [in, out] and [kH, kW, in, out].</summary>
    OutputsFirst,
}
