namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>The text is not understood, or the kernel does something that a GPU may do differently.</summary>
sealed class PtxFault(string message) : Exception(message)
{
    /// <summary>Makes a fault with its place in the text.</summary>
    public static PtxFault At(string kernel, Instruction instruction, string where, string message) =>
        new($"{kernel}, line {instruction.Line}: {instruction.Text}{Environment.NewLine}  {where}{message}");
}
