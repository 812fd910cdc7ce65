namespace QuadEngine.Operations;

/// <summary>A graph of ONNX nodes that is being written. Element-wise operations add what they are made of; each value has a name.</summary>
public interface IOnnxGraph
{
    /// <summary>Adds a node and gives the name of its result.</summary>
    /// <param name="operation">The operator of ONNX, such as "Relu".</param>
    /// <param name="inputs">Names of its inputs.</param>
    string Node(string operation, params ReadOnlySpan<string> inputs);

    /// <summary>A number, the same for all elements.</summary>
    /// <param name="value">The number.</param>
    string Number(float value);

    /// <summary>1 where a condition holds, else 0.</summary>
    /// <param name="condition">Name of a condition, as a comparison of ONNX gives one.</param>
    string ToNumbers(string condition);

    /// <summary>The condition that numbers are not 0.</summary>
    /// <param name="numbers">Name of the numbers.</param>
    string ToCondition(string numbers);
}
