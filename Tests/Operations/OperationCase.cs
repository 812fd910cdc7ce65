namespace QuadEngine.Tests.Operations;

/// <summary>One call of an operation: inputs on the CPU, and a function of them that runs on the device of its arguments.</summary>
/// <param name="Inputs">All differentiable inputs.</param>
/// <param name="Apply">The operation; smooth within four steps of <see cref="GradCheck"/> around the inputs, and the same at every call.</param>
/// <param name="Arguments">The other arguments, for messages.</param>
public sealed record OperationCall(Tensor[] Inputs, Func<Tensor[], Tensor> Apply, string Arguments = "")
{
    /// <summary>The same function written plainly in double, or null.</summary>
    public Func<Array64[], Array64>? Oracle { get; init; }

    public override string ToString() => $"({string.Join(", ", Inputs.Select(input => input.Shape))}{(Arguments.Length > 0 ? ", " : "")}{Arguments})";
}

/// <summary>
/// One operation with a way to draw calls of it. The gradient check, the comparison with double, the laws of the tape,
/// the parity of devices and a benchmark row use it.
/// </summary>
/// <param name="Name">The name in messages and tables.</param>
/// <param name="Draw">Draws a random call.</param>
public sealed record OperationCase(string Name, Func<Dice, OperationCall> Draw)
{
    public override string ToString() => Name;
}

/// <summary>Marks a method <c>static OperationCall Name(Dice)</c> as a case of a public operation.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class CaseForAttribute(Type type, string method) : Attribute
{
    /// <summary>The name of the operation, e.g. "Conv2d.Apply".</summary>
    public string Operation { get; } = $"{type.Name}.{method}";
}
