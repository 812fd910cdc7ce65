using System.Numerics;
using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Operations;

/// <summary>What the backward of an operation reads: the tape keeps that and nothing else.</summary>
[Flags]
public enum Saves
{
    /// <summary>The derivative depends on neither.</summary>
    Nothing = 0,

    /// <summary>The derivative reads the input(s).</summary>
    Input = 1,

    /// <summary>The derivative reads the output.</summary>
    Output = 2,
}

/// <summary>
/// A function of one element, y = F(x). One struct is the whole operation: the SIMD loop, the GPU kernel, the gradient, its
/// check and the device parity tests follow from it. The scalar forms are also compiled for GPUs, so they use plain
/// arithmetic, <see cref="MathF"/> and <see cref="Scalar"/> only.
/// </summary>
/// <typeparam name="TSelf">The operation itself.</typeparam>
public interface IUnaryOp<TSelf> where TSelf : struct, IUnaryOp<TSelf>
{
    /// <summary>Name in messages and tables.</summary>
    static abstract string Name { get; }

    /// <summary>What the derivative reads.</summary>
    static abstract Saves Saves { get; }

    /// <summary>y = F(x).</summary>
    /// <param name="x">An element of the input.</param>
    static abstract float F(float x);

    /// <summary>dy/dx; an argument that <see cref="Saves"/> leaves out is 0.</summary>
    /// <param name="x">An element of the input.</param>
    /// <param name="y">F(x), as the forward computed it.</param>
    static abstract float Derivative(float x, float y);

    /// <summary>F of each lane; optional, goes through the scalar form by default.</summary>
    /// <param name="x">An element of the input in each lane.</param>
    static virtual Vector<float> F(Vector<float> x) => Lanes.Map(x, TSelf.F);

    /// <summary>dy/dx of each lane; optional, goes through the scalar form by default.</summary>
    /// <param name="x">An element of the input in each lane.</param>
    /// <param name="y">F(x) of each lane.</param>
    static virtual Vector<float> Derivative(Vector<float> x, Vector<float> y) => Lanes.Map(x, y, TSelf.Derivative);

    /// <summary>dL/dx = dL/dy dy/dx, and 0 where dL/dy is 0, also where the derivative is infinite or NaN. Optional: for a function that passes a gradient on or cuts it, and multiplies nothing.</summary>
    /// <param name="dy">dL/dy.</param>
    /// <param name="x">An element of the input, as <see cref="Derivative(float, float)"/> gets it.</param>
    /// <param name="y">F(x), likewise.</param>
    static virtual float Backward(float dy, float x, float y)
    {
        var dx = dy * TSelf.Derivative(x, y);
        return dy == 0f ? 0f : dx;
    }

    /// <summary>The same of each lane; optional together with the scalar form.</summary>
    /// <param name="dy">dL/dy of each lane.</param>
    /// <param name="x">An element of the input in each lane.</param>
    /// <param name="y">F(x) of each lane.</param>
    static virtual Vector<float> Backward(Vector<float> dy, Vector<float> x, Vector<float> y) => Gradient.Of(dy, dy * TSelf.Derivative(x, y));

    /// <summary>The operation as nodes of ONNX; optional, null for one that networks to be exported do not use.</summary>
    /// <param name="graph">Where the nodes go.</param>
    /// <param name="x">Name of the input.</param>
    /// <returns>Name of the result.</returns>
    static virtual string? Onnx(IOnnxGraph graph, string x) => null;
}

/// <summary>A function of two elements, y = F(a, b), broadcast over shapes. See <see cref="IUnaryOp{TSelf}"/>.</summary>
/// <typeparam name="TSelf">The operation itself.</typeparam>
public interface IBinaryOp<TSelf> where TSelf : struct, IBinaryOp<TSelf>
{
    /// <summary>Name in messages and tables.</summary>
    static abstract string Name { get; }

    /// <summary>What the derivatives read.</summary>
    static abstract Saves Saves { get; }

    /// <summary>y = F(a, b).</summary>
    /// <param name="a">An element of the first operand.</param>
    /// <param name="b">The element of the second operand that meets it.</param>
    static abstract float F(float a, float b);

    /// <summary>F(a, b) is a + b, which may join the step before it as a residual.</summary>
    static virtual bool IsSum => false;

    /// <summary>Constant derivatives, where both are: then y is linear and its gradient is passed on or scaled, not multiplied. Where both are 0, y has no gradient.</summary>
    static virtual (float A, float B)? Coefficients => null;

    /// <summary>F(a, b) is linear in a: then the gradient of a is F(dy, b), which rounds once.</summary>
    static virtual bool IsLinearInA => false;

    /// <summary>dy/da; arguments that <see cref="Saves"/> leaves out are 0, but not a b that is one number for all elements (<see cref="Kernels.BinaryScalarBackward{TOp}"/>).</summary>
    /// <param name="a">An element of the first operand.</param>
    /// <param name="b">The element of the second operand that meets it.</param>
    /// <param name="y">F(a, b), as the forward computed it.</param>
    static abstract float DerivativeA(float a, float b, float y);

    /// <summary>dy/db; arguments that <see cref="Saves"/> leaves out are 0.</summary>
    /// <param name="a">An element of the first operand.</param>
    /// <param name="b">The element of the second operand that meets it.</param>
    /// <param name="y">F(a, b), as the forward computed it.</param>
    static abstract float DerivativeB(float a, float b, float y);

    /// <summary>F of each lane; optional, goes through the scalar form by default.</summary>
    /// <param name="a">Elements of the first operand.</param>
    /// <param name="b">Those of the second operand.</param>
    static virtual Vector<float> F(Vector<float> a, Vector<float> b) => Lanes.Map(a, b, TSelf.F);

    /// <summary>dy/da of each lane; optional, goes through the scalar form by default.</summary>
    /// <param name="a">Elements of the first operand.</param>
    /// <param name="b">Those of the second operand.</param>
    /// <param name="y">F(a, b) of each lane.</param>
    static virtual Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Lanes.Map(a, b, y, TSelf.DerivativeA);

    /// <summary>dy/db of each lane; optional, goes through the scalar form by default.</summary>
    /// <param name="a">Elements of the first operand.</param>
    /// <param name="b">Those of the second operand.</param>
    /// <param name="y">F(a, b) of each lane.</param>
    static virtual Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Lanes.Map(a, b, y, TSelf.DerivativeB);

    /// <summary>The operation as nodes of ONNX; optional, null for one that networks to be exported do not use.</summary>
    /// <param name="graph">Where the nodes go.</param>
    /// <param name="a">Name of the first operand.</param>
    /// <param name="b">Name of the second operand.</param>
    /// <returns>Name of the result.</returns>
    static virtual string? Onnx(IOnnxGraph graph, string a, string b) => null;
}

/// <summary>An associative, commutative way to fold many elements into one.</summary>
/// <typeparam name="TSelf">The reduction itself.</typeparam>
public interface IReduction<TSelf> where TSelf : struct, IReduction<TSelf>
{
    /// <summary>Name in messages and tables.</summary>
    static abstract string Name { get; }

    /// <summary>The fold of no elements.</summary>
    static abstract float Identity { get; }

    /// <summary>The fold of two.</summary>
    /// <param name="a">An element, or the fold of some.</param>
    /// <param name="b">Another element, or the fold of others.</param>
    static abstract float Combine(float a, float b);

    /// <summary>The fold of two, lane by lane.</summary>
    /// <param name="a">An element, or the fold of some, in each lane.</param>
    /// <param name="b">Another, or the fold of others, in each lane.</param>
    static abstract Vector<float> Combine(Vector<float> a, Vector<float> b);
}

/// <summary>Vector forms of operations that only have a scalar one.</summary>
static class Lanes
{
    public static Vector<float> Map(Vector<float> x, Func<float, float> f)
    {
        for (var i = 0; i < Vector<float>.Count; i++) x = x.WithElement(i, f(x[i]));
        return x;
    }

    public static Vector<float> Map(Vector<float> a, Vector<float> b, Func<float, float, float> f)
    {
        for (var i = 0; i < Vector<float>.Count; i++) a = a.WithElement(i, f(a[i], b[i]));
        return a;
    }

    public static Vector<float> Map(Vector<float> a, Vector<float> b, Vector<float> y, Func<float, float, float, float> f)
    {
        for (var i = 0; i < Vector<float>.Count; i++) a = a.WithElement(i, f(a[i], b[i], y[i]));
        return a;
    }
}
