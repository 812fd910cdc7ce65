using System.Runtime.CompilerServices;

namespace QuadEngine;

/// <summary>Argument checks. A message names the operation, what it got, what it expected and a fix.</summary>
public static class Check
{
    /// <summary>Throws <see cref="ArgumentException"/> with "operation: message" if the condition does not hold. The message is built only then.</summary>
    /// <param name="condition">The condition that the arguments must meet.</param>
    /// <param name="operation">The name of the operation or type that checks, e.g. <c>nameof(Reshape)</c>.</param>
    /// <param name="message">An interpolated string: the value, the expected value and a fix.</param>
    public static void That(bool condition, string operation, [InterpolatedStringHandlerArgument(nameof(condition))] ref MessageHandler message)
    {
        if (!condition) throw new ArgumentException($"{operation}: {message.ToString()}");
    }

    /// <summary>Checks that both tensors are on one device.</summary>
    internal static void SameDevice(string operation, Tensor a, Tensor b) =>
        That(ReferenceEquals(a.Device, b.Device), operation, $"the operands are on different devices ({a.Device} and {b.Device}); move one with To(...).");

    /// <summary>An interpolated string that formats nothing if the condition holds.</summary>
    [InterpolatedStringHandler]
    public ref struct MessageHandler
    {
        DefaultInterpolatedStringHandler text;
        readonly bool enabled;

        /// <summary>Called by the compiler.</summary>
        /// <param name="literalLength">The number of characters of the string outside its placeholders.</param>
        /// <param name="formattedCount">The number of placeholders.</param>
        /// <param name="condition">The condition that is checked.</param>
        /// <param name="enabled">Whether the condition does not hold. Only then is anything formatted.</param>
        public MessageHandler(int literalLength, int formattedCount, bool condition, out bool enabled)
        {
            this.enabled = enabled = !condition;
            text = enabled ? new(literalLength, formattedCount) : default;
        }

        /// <summary>Called by the compiler.</summary>
        /// <param name="value">The text between placeholders.</param>
        public void AppendLiteral(string value) => text.AppendLiteral(value);

        /// <summary>Called by the compiler.</summary>
        /// <param name="value">The value of a placeholder.</param>
        public void AppendFormatted<T>(T value) => text.AppendFormatted(value);

        /// <summary>Called by the compiler.</summary>
        /// <param name="value">The value of a placeholder.</param>
        /// <param name="format">The format after the colon, e.g. F2; null for none.</param>
        public void AppendFormatted<T>(T value, string? format) => text.AppendFormatted(value, format);

        /// <summary>The message; empty if the condition holds.</summary>
        public override string ToString() => enabled ? text.ToStringAndClear() : "";
    }
}
