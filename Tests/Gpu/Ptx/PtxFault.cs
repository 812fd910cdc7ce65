namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>A text that is not understood, or a kernel that does what a GPU need not do as intended.</summary>
sealed class PtxFault(string message) : Exception(message)
{
    /// <summary>The same, with the place in the text that it is about.</summary>
    public static PtxFault At(string kernel, Instruction instruction, string where, string message) =>
        new($"{kernel}, line {instruction.Line}: {instruction.Text}{Environment.NewLine}  {where}{message}");
}
