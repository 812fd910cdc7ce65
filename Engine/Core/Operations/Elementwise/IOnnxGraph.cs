namespace QuadEngine.Operations;

/// <summary>An ONNX graph that is being written. Element-wise operations add their nodes to it. Each value has a name.</summary>
public interface IOnnxGraph
{
    /// <summary>Adds a node and returns the name of its result.</summary>
    /// <param name="operation">The ONNX operator, for example "Relu".</param>
    /// <param name="inputs">The names of its inputs.</param>
    string Node(string operation, params ReadOnlySpan<string> inputs);

    /// <summary>Adds a number, the same for all elements, and returns its name.</summary>
    /// <param name="value">The number.</param>
    string Number(float value);

    /// <summary>Adds the numbers that are 1 where a condition holds and 0 elsewhere, and returns their name.</summary>
    /// <param name="condition">The name of a condition, such as the result of an ONNX comparison.</param>
    string ToNumbers(string condition);

    /// <summary>Adds the condition that numbers are not 0, and returns its name.</summary>
    /// <param name="numbers">The name of the numbers.</param>
    string ToCondition(string numbers);
}
