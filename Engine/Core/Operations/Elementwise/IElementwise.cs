using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Operations;

/// <summary>What the backward of an operation reads. The tape keeps only this.</summary>
[Flags]
public enum Saves
{
    /// <summary>The derivative reads neither input nor output.</summary>
    Nothing = 0,

    /// <summary>The derivative reads the input(s).</summary>
    Input = 1,

    /// <summary>The derivative reads the output.</summary>
    Output = 2,
}

/// <summary>
/// A function of one element, y = F(x). One struct is the whole operation: the SIMD loop, the GPU kernel, the gradient, the gradient
/// check and the tests of device parity follow from it. The scalar forms are compiled for GPUs too, so they use only plain
/// arithmetic, <see cref="MathF"/> and <see cref="Scalar"/>.
/// </summary>
/// <typeparam name="TSelf">The operation itself.</typeparam>
public interface IUnaryOp<TSelf> where TSelf : struct, IUnaryOp<TSelf>
{
    /// <summary>The name of the operation in messages and tables.</summary>
    static abstract string Name { get; }

    /// <summary>What the derivative reads.</summary>
    static abstract Saves Saves { get; }

    /// <summary>y = F(x).</summary>
    /// <param name="x">An element of the input.</param>
    static abstract float F(float x);

    /// <summary>dy/dx. An argument that <see cref="Saves"/> leaves out is 0.</summary>
    /// <param name="x">An element of the input.</param>
    /// <param name="y">F(x), as the forward computed it.</param>
    static abstract float Derivative(float x, float y);

    /// <summary>F of each lane. Optional: the default calls the scalar form.</summary>
    /// <param name="x">An element of the input in each lane.</param>
    static virtual T F<T>(T x) where T : struct, IVector<T> => Lanes.Map(x, TSelf.F);

    /// <summary>dy/dx of each lane. Optional: the default calls the scalar form.</summary>
    /// <param name="x">An element of the input in each lane.</param>
    /// <param name="y">F(x) of each lane.</param>
    static virtual T Derivative<T>(T x, T y) where T : struct, IVector<T> => Lanes.Map(x, y, TSelf.Derivative);

    /// <summary>dL/dx = dL/dy dy/dx; it is 0 where dL/dy is 0, even if the derivative is infinite or NaN. Optional: override it for a function that passes the gradient on or blocks it without a multiplication.</summary>
    /// <param name="dy">dL/dy.</param>
    /// <param name="x">An element of the input, as <see cref="Derivative(float, float)"/> gets it.</param>
    /// <param name="y">F(x), as <see cref="Derivative(float, float)"/> gets it.</param>
    static virtual float Backward(float dy, float x, float y)
    {
        var dx = dy * TSelf.Derivative(x, y);
        return dy == 0f ? 0f : dx;
    }

    /// <summary>dL/dx of each lane. Optional: override it together with the scalar form.</summary>
    /// <param name="dy">dL/dy of each lane.</param>
    /// <param name="x">An element of the input in each lane.</param>
    /// <param name="y">F(x) of each lane.</param>
    static virtual T Backward<T>(T dy, T x, T y) where T : struct, IVector<T> => Gradient.Of(dy, dy * TSelf.Derivative(x, y));

    /// <summary>Writes the operation as nodes of ONNX. Optional: null if the operation cannot be exported.</summary>
    /// <param name="graph">The graph that gets the nodes.</param>
    /// <param name="x">The name of the input.</param>
    /// <returns>The name of the result.</returns>
    static virtual string? Onnx(IOnnxGraph graph, string x) => null;
}

/// <summary>A function of two elements, y = F(a, b), broadcast over shapes. See <see cref="IUnaryOp{TSelf}"/>.</summary>
/// <typeparam name="TSelf">The operation itself.</typeparam>
public interface IBinaryOp<TSelf> where TSelf : struct, IBinaryOp<TSelf>
{
    /// <summary>The name of the operation in messages and tables.</summary>
    static abstract string Name { get; }

    /// <summary>What the derivatives read.</summary>
    static abstract Saves Saves { get; }

    /// <summary>y = F(a, b).</summary>
    /// <param name="a">An element of the first operand.</param>
    /// <param name="b">The element of the second operand at the same place.</param>
    static abstract float F(float a, float b);

    /// <summary>Whether F(a, b) is a + b, which may join the step before it as a residual.</summary>
    static virtual bool IsSum => false;

    /// <summary>The derivatives if both are constant, otherwise null. Then y is linear: its gradient is passed on or scaled, without a product of two tensors. If both are 0, y has no gradient.</summary>
    static virtual (float A, float B)? Coefficients => null;

    /// <summary>Whether F(a, b) is linear in a. Then the gradient of a is F(dy, b), which rounds once.</summary>
    static virtual bool IsLinearInA => false;

    /// <summary>dy/da. An argument that <see cref="Saves"/> leaves out is 0, except a b that is one number for all elements (<see cref="Kernels.BinaryScalarBackward{TOp}"/>).</summary>
    /// <param name="a">An element of the first operand.</param>
    /// <param name="b">The element of the second operand at the same place.</param>
    /// <param name="y">F(a, b), as the forward computed it.</param>
    static abstract float DerivativeA(float a, float b, float y);

    /// <summary>dy/db. An argument that <see cref="Saves"/> leaves out is 0.</summary>
    /// <param name="a">An element of the first operand.</param>
    /// <param name="b">The element of the second operand at the same place.</param>
    /// <param name="y">F(a, b), as the forward computed it.</param>
    static abstract float DerivativeB(float a, float b, float y);

    /// <summary>F of each lane. Optional: the default calls the scalar form.</summary>
    /// <param name="a">Elements of the first operand.</param>
    /// <param name="b">Elements of the second operand.</param>
    static virtual T F<T>(T a, T b) where T : struct, IVector<T> => Lanes.Map(a, b, TSelf.F);

    /// <summary>dy/da of each lane. Optional: the default calls the scalar form.</summary>
    /// <param name="a">Elements of the first operand.</param>
    /// <param name="b">Elements of the second operand.</param>
    /// <param name="y">F(a, b) of each lane.</param>
    static virtual T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => Lanes.Map(a, b, y, TSelf.DerivativeA);

    /// <summary>dy/db of each lane. Optional: the default calls the scalar form.</summary>
    /// <param name="a">Elements of the first operand.</param>
    /// <param name="b">Elements of the second operand.</param>
    /// <param name="y">F(a, b) of each lane.</param>
    static virtual T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => Lanes.Map(a, b, y, TSelf.DerivativeB);

    /// <summary>Writes the operation as nodes of ONNX. Optional: null if the operation cannot be exported.</summary>
    /// <param name="graph">The graph that gets the nodes.</param>
    /// <param name="a">The name of the first operand.</param>
    /// <param name="b">The name of the second operand.</param>
    /// <returns>The name of the result.</returns>
    static virtual string? Onnx(IOnnxGraph graph, string a, string b) => null;
}

/// <summary>An associative, commutative way to fold many elements into one.</summary>
/// <typeparam name="TSelf">The reduction itself.</typeparam>
public interface IReduction<TSelf> where TSelf : struct, IReduction<TSelf>
{
    /// <summary>The name of the reduction in messages and tables.</summary>
    static abstract string Name { get; }

    /// <summary>The fold of no elements.</summary>
    static abstract float Identity { get; }

    /// <summary>The fold of two values.</summary>
    /// <param name="a">An element, or the fold of several.</param>
    /// <param name="b">Another element, or the fold of several others.</param>
    static abstract float Combine(float a, float b);

    /// <summary>The fold of two values in each lane.</summary>
    /// <param name="a">An element, or the fold of several, in each lane.</param>
    /// <param name="b">Another element, or the fold of several others, in each lane.</param>
    static abstract T Combine<T>(T a, T b) where T : struct, IVector<T>;
}
