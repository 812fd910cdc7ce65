namespace QuadEngine.Tests.Geometry;

/// <summary>A function that is neither symmetric nor linear, with derivatives that read everything. If a kernel confuses two operands, this shows it.</summary>
public readonly struct Probe : IBinaryOp<Probe>
{
    public static string Name => "probe";

    public static Saves Saves => Saves.Input | Saves.Output;

    public static float F(float a, float b) => a * b - 2f * b + 0.5f * a;

    public static float DerivativeA(float a, float b, float y) => b + 0.25f * a + y;

    public static float DerivativeB(float a, float b, float y) => a - 2f * b - y;
}

/// <summary>A function whose derivative reads input and output.</summary>
public readonly struct Curve : IUnaryOp<Curve>
{
    public static string Name => "curve";

    public static Saves Saves => Saves.Input | Saves.Output;

    public static float F(float x) => x * x + 3f * x;

    public static float Derivative(float x, float y) => 2f * x - y;
}
