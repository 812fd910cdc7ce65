namespace QuadEngine.Devices;

/// <summary>A point-wise function that kernels apply to a result before they write it. It is part of an <see cref="Epilogue{T}"/> and of a batch norm.</summary>
public enum Activation
{
    /// <summary>y = z.</summary>
    None,

    /// <summary>y = max(z, 0).</summary>
    Relu,
}
