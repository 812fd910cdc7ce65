using System.Runtime.CompilerServices;

namespace QuadEngine;

/// <summary>Argument checks. A message names the operation, what it got, what it expected and a fix.</summary>
public static class Check
{
    /// <summary>Throws <see cref="ArgumentException"/> with "operation: message" unless the condition holds; the message is built only then.</summary>
    public static void That(bool condition, string operation, [InterpolatedStringHandlerArgument(nameof(condition))] ref MessageHandler message)
    {
        if (!condition) throw new ArgumentException($"{operation}: {message.ToString()}");
    }

    /// <summary>Both tensors live on one device.</summary>
    internal static void SameDevice(string operation, Tensor a, Tensor b) =>
        That(ReferenceEquals(a.Device, b.Device), operation, $"the operands are on different devices ({a.Device} and {b.Device}); move one with To(...).");

    /// <summary>An interpolated string that formats nothing when the condition holds.</summary>
    [InterpolatedStringHandler]
    public ref struct MessageHandler
    {
        DefaultInterpolatedStringHandler text;
        readonly bool enabled;

        /// <summary>Called by the compiler.</summary>
        public MessageHandler(int literalLength, int formattedCount, bool condition, out bool enabled)
        {
            this.enabled = enabled = !condition;
            text = enabled ? new(literalLength, formattedCount) : default;
        }

        /// <summary>Called by the compiler.</summary>
        public void AppendLiteral(string value) => text.AppendLiteral(value);

        /// <summary>Called by the compiler.</summary>
        public void AppendFormatted<T>(T value) => text.AppendFormatted(value);

        /// <summary>Called by the compiler.</summary>
        public void AppendFormatted<T>(T value, string? format) => text.AppendFormatted(value, format);

        /// <summary>The message, empty when the condition held.</summary>
        public override string ToString() => enabled ? text.ToStringAndClear() : "";
    }
}
