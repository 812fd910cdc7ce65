using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Tests.Operations;

/// <summary>The scalar form of an element-wise struct is its definition (GPUs run it). The vector form gives the same results, also for special values.</summary>
public class ElementwiseStructTests
{
    static readonly float[] Values =
    [
        .. Enumerable.Range(-400, 801).Select(i => i * 0.0137f),
        0f, -0f, 1f, -1f, 1e-6f, -1e-6f, 1e-30f, 88f, -88f, 1e4f, -1e4f, 1e30f,
        float.NaN, float.PositiveInfinity, float.NegativeInfinity,
    ];

    static IEnumerable<Type> Unaries => OperationCases.Structs(typeof(IUnaryOp<>));

    static IEnumerable<Type> Binaries => OperationCases.Structs(typeof(IBinaryOp<>));

    static IEnumerable<Type> Reductions => OperationCases.Structs(typeof(IReduction<>));

    [TestCaseSource(nameof(Unaries))]
    public void Unary_vector_form_equals_the_scalar_form(Type type) => Call(nameof(Unary), type);

    [TestCaseSource(nameof(Unaries))]
    public void Every_width_gives_the_same_bits(Type type) => Call(nameof(Widths), type);

    [TestCaseSource(nameof(Binaries))]
    public void Binary_vector_form_equals_the_scalar_form(Type type) => Call(nameof(Binary), type);

    [TestCaseSource(nameof(Reductions))]
    public void Reduction_folds_as_its_scalar_form_does(Type type) => Call(nameof(Reduction), type);

    static void Call(string method, Type type) => typeof(ElementwiseStructTests).GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic)!
        .MakeGenericMethod(type).CreateDelegate<Action>()();

    static void Unary<TOp>() where TOp : struct, IUnaryOp<TOp>
    {
        foreach (var x in Values)
        {
            var y = TOp.F(x);
            Same($"{TOp.Name}({x:R})", First(TOp.F<Register128>(x)), y);
            Same($"derivative of {TOp.Name} at {x:R}", First(TOp.Derivative<Register128>(x, y)), TOp.Derivative(x, y));
        }
    }

    static void Widths<TOp>() where TOp : struct, IUnaryOp<TOp>
    {
        var narrow = Bits<TOp, Register128>();
        if (Vector256.IsHardwareAccelerated) Assert.That(Bits<TOp, Register256>(), Is.EqualTo(narrow), $"{TOp.Name}, 256 bits");
        if (Vector512.IsHardwareAccelerated) Assert.That(Bits<TOp, Register512>(), Is.EqualTo(narrow), $"{TOp.Name}, 512 bits");
    }

    // Of the function and the derivative at all values, in a lane that moves. All NaN are one.
    static int[] Bits<TOp, T>() where TOp : struct, IUnaryOp<TOp> where T : struct, IRegister<T>
    {
        List<int> bits = [];
        foreach (var value in Values)
        {
            T x = T.Broadcast(value), y = TOp.F(x), derivative = TOp.Derivative(x, y);
            bits.Add(One(Lanes.Of(ref y)[bits.Count % T.Count]));
            bits.Add(One(Lanes.Of(ref derivative)[bits.Count % T.Count]));
        }

        return [.. bits];

        static int One(float value) => BitConverter.SingleToInt32Bits(float.IsNaN(value) ? float.NaN : value);
    }

    static void Binary<TOp>() where TOp : struct, IBinaryOp<TOp>
    {
        float[] some = [.. Values.Where((_, place) => place % 50 == 0 || place > 801)];
        foreach (var a in some)
            foreach (var b in some)
            {
                Register128 va = a, vb = b;
                var y = TOp.F(a, b);
                Same($"{TOp.Name}({a:R}, {b:R})", First(TOp.F(va, vb)), y);
                Same($"first derivative of {TOp.Name} at ({a:R}, {b:R})", First(TOp.DerivativeA<Register128>(va, vb, y)), TOp.DerivativeA(a, b, y));
                Same($"second derivative of {TOp.Name} at ({a:R}, {b:R})", First(TOp.DerivativeB<Register128>(va, vb, y)), TOp.DerivativeB(a, b, y));
                if (TOp.Coefficients is { } linear)
                    Assert.That((TOp.DerivativeA(a, b, y), TOp.DerivativeB(a, b, y)), Is.EqualTo(linear), TOp.Name);
            }
    }

    static void Reduction<TOp>() where TOp : struct, IReduction<TOp>
    {
        for (var seed = 0ul; seed < 20; seed++)
        {
            var dice = new Dice(seed);
            int outer = dice.Extent(4), n = dice.Between(0, 40), inner = dice.Extent(20);
            using Tensor x = dice.Values([outer, n, inner]), y = Tensor.Empty([outer, inner]);
            Device.Cpu.Backend.Reduce<TOp>(x, outer, n, inner, y);
            var values = Array64.Of(x);
            var expected = Array64.From([outer, inner], at => Enumerable.Range(0, n).Aggregate(TOp.Identity, (fold, i) => TOp.Combine(fold, (float)values[at[0], i, at[1]])));
            var got = y.ToArray();
            for (var i = 0; i < got.Length; i++)
                Assert.That(got[i], Is.EqualTo((float)expected.Values[i]).Within(1e-5f), $"{TOp.Name} of {outer} x {n} x {inner}, element {i}");
        }
    }

    static float First(Register128 vector) => Lanes.Of(ref vector)[0];

    // Ten units in the last place of the larger of 1 and the value; non-finite values exactly.
    static void Same(string what, float got, float expected)
    {
        if (float.IsFinite(expected) && float.IsFinite(got)) Assert.That(got, Is.EqualTo(expected).Within(1e-6f * Math.Max(1f, MathF.Abs(expected))), what);
        else Assert.That(got, Is.EqualTo(expected), what);
    }
}
