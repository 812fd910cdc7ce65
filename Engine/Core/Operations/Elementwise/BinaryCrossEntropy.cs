using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>
/// Binary cross-entropy of sigmoid(x) and a target t: log(1 + exp(x)) - x t = log(1 + exp(-|x|)) + |x| r, where r is 1 - t for x &gt; 0 and t
/// elsewhere, so that nothing cancels where the target is met. dF/dx = sigmoid(x) - t, with the sigmoid of -|x| and r likewise; dF/dt = -x.
/// </summary>
readonly struct BinaryCrossEntropy : IBinaryOp<BinaryCrossEntropy>
{
    public static string Name => "binary-cross-entropy";

    public static Saves Saves => Saves.Input;

    public static float F(float x, float target) => Scalar.SoftplusTail(x) + MathF.Abs(x) * (x > 0f ? 1f - target : target);

    public static float DerivativeA(float x, float target, float y)
    {
        var tail = Scalar.Sigmoid(-MathF.Abs(x));
        return x > 0f ? 1f - target - tail : tail - target;
    }

    public static float DerivativeB(float x, float target, float y) => -x;

    public static Vector<float> F(Vector<float> x, Vector<float> target) => Scalar.SoftplusTail(x)
        + Vector.Abs(x) * Vector.ConditionalSelect(Vector.GreaterThan(x, Vector<float>.Zero), Vector<float>.One - target, target);

    public static Vector<float> DerivativeA(Vector<float> x, Vector<float> target, Vector<float> y)
    {
        var tail = Scalar.Sigmoid(-Vector.Abs(x));
        return Vector.ConditionalSelect(Vector.GreaterThan(x, Vector<float>.Zero), Vector<float>.One - target - tail, tail - target);
    }

    public static Vector<float> DerivativeB(Vector<float> x, Vector<float> target, Vector<float> y) => -x;
}
