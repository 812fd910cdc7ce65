// Two new operations for the engine, with a check of their gradients:   dotnet run Examples/new-operation.cs
#:project ../Engine/Core/QuadEngine.csproj

using QuadEngine;
using QuadEngine.Operations;

var x = Tensor.FromArray([0.5f, -1f, 2f, 0.25f, -3f, 1.5f], [2, 3]);
x.RequiresGrad = true;

var y = RootMeanSquare.Normalize(Elementwise.Apply<Softsign>(x));
y.Sum().Backward();
Console.WriteLine(y);
Console.WriteLine(x.Grad);

// Compares with finite differences, for random weights of the outputs. If the gradients differ, it throws and names the result and the expected value.
GradCheck.Check("softsign", inputs => Elementwise.Apply<Softsign>(inputs[0]), [Tensor.FromArray([0.5f, -1f, 2f], [3])]);
GradCheck.Check("root mean square", inputs => RootMeanSquare.Normalize(inputs[0]), [Tensor.Normal([4, 5], generator: new Generator(seed: 1))]);
Console.WriteLine("both gradients are correct");

/// <summary>The element-wise operation x / (1 + |x|). This struct is enough for every device.</summary>
readonly struct Softsign : IUnaryOp<Softsign>
{
    public static string Name => "softsign";

    public static Saves Saves => Saves.Input;

    public static float F(float x) => x / (1f + MathF.Abs(x));

    public static float Derivative(float x, float y) => 1f / ((1f + MathF.Abs(x)) * (1f + MathF.Abs(x)));
}

/// <summary>
/// y = x / r for each row, r^2 = mean x^2. Backward: dx = (dy - y mean(dy y)) / r, which needs only y and r.
/// (Without WithBackward, the tape computes the same gradient from the operations inside, and keeps more tensors.)
/// </summary>
static class RootMeanSquare
{
    public static Tensor Normalize(Tensor x)
    {
        var values = x.Detach();
        var r = values.Square().Mean([-1], keepDims: true).Sqrt();
        var y = values / r;
        return y.WithBackward(nameof(RootMeanSquare), inputs: [x], saves: [y, r], (dy, saved) =>
        {
            var (y, r) = saved;
            return [(dy - y * (dy * y).Mean([-1], keepDims: true)) / r];
        });
    }
}
