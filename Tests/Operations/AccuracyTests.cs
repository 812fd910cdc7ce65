using System.Globalization;
using System.Reflection;
using System.Runtime.Intrinsics;
using QuadEngine.Devices.Cpu;
using QuadEngine.Tests.Formats;

namespace QuadEngine.Tests.Operations;

/// <summary>
/// Measures the error of every element-wise function on the CPU, in units in the last place of the exact result, for floats of every size. The bounds are those
/// in docs/accuracy.md. QUADENGINE_FLOAT_STRIDE=1 tries all 2^32 arguments, which takes some minutes for each function.
/// </summary>
public class AccuracyTests
{
    /// <summary>The difference of the bits of consecutive arguments. It is a prime, so that the last bits of the arguments take all values.</summary>
    static readonly uint Stride = uint.Parse(Environment.GetEnvironmentVariable("QUADENGINE_FLOAT_STRIDE") ?? "9973", CultureInfo.InvariantCulture);

    const int Pairs = 1 << 20;

    /// <summary>The functions in double, with the correct NaN and infinities.</summary>
    static readonly Dictionary<string, Func<double, double>> Unaries = new()
    {
        ["negate"] = x => -x,
        ["exp"] = Math.Exp,
        ["log"] = Math.Log,
        ["expm1"] = ExpMinusOne,
        ["log1p"] = x => x < -1 ? double.NaN : x == -1 ? double.NegativeInfinity : double.IsInfinity(x) ? x : LogOnePlus(x),
        ["sign"] = x => double.IsNaN(x) ? x : Math.Sign(x),
        ["sin"] = Math.Sin,
        ["cos"] = Math.Cos,
        ["sqrt"] = Math.Sqrt,
        ["square"] = x => x * x,
        ["abs"] = Math.Abs,
        ["tanh"] = Math.Tanh,
        ["sigmoid"] = Sigmoid,
        ["relu"] = x => double.IsNaN(x) ? x : Math.Max(x, 0),
        ["silu"] = x => x < -1000 ? 0 : x * Sigmoid(x),
        ["gelu"] = x => x < -100 ? 0 : x > 100 ? x : x * NormalBelow(x),
        ["softplus"] = x => Math.Max(x, 0) + SoftplusTail(x),
    };

    static readonly Dictionary<string, Func<double, double, double>> Binaries = new()
    {
        ["add"] = (a, b) => a + b,
        ["subtract"] = (a, b) => a - b,
        ["multiply"] = (a, b) => a * b,
        ["divide"] = (a, b) => a / b,
        ["power"] = Math.Pow,
        ["maximum"] = Math.Max,
        ["minimum"] = Math.Min,
        ["at-least"] = Math.Max,
        ["at-most"] = Math.Min,
        ["leaky-relu"] = (a, b) => a > 0 ? a : a * b,
        ["greater"] = (a, b) => a > b ? 1 : 0,
        ["greater-equal"] = (a, b) => a >= b ? 1 : 0,
        ["less"] = (a, b) => a < b ? 1 : 0,
        ["less-equal"] = (a, b) => a <= b ? 1 : 0,
        ["equal"] = (a, b) => a == b ? 1 : 0,
        ["not-equal"] = (a, b) => a != b ? 1 : 0,
        ["is-extreme"] = (a, b) => a == b || double.IsNaN(a) ? 1 : 0,
        ["where-true"] = (a, b) => b != 0 ? a : 0,
        ["where-false"] = (a, b) => b != 0 ? 0 : a,
        ["binary-cross-entropy"] = (x, t) => SoftplusTail(x) + Math.Abs(x) * (x > 0 ? 1 - t : t),
    };

    static IEnumerable<Type> OfOne => OperationCases.Structs(typeof(IUnaryOp<>));

    static IEnumerable<Type> OfTwo => OperationCases.Structs(typeof(IBinaryOp<>));

    [Test]
    public void Error_of_a_function_of_one_number([ValueSource(nameof(OfOne))] Type type, [Values(512, 256, 128)] int bits) => Call(nameof(Unary), bits, type);

    [Test]
    public void Error_of_a_function_of_two_numbers([ValueSource(nameof(OfTwo))] Type type, [Values(512, 256, 128)] int bits) => Call(nameof(Binary), bits, type);

    [Test]
    public void The_error_function_is_right_to_two_units([Values(512, 256, 128)] int bits) => Call(nameof(ErrorFunction), bits);

    static void Call(string method, int bits, params Type[] types) => typeof(AccuracyTests).GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic)!
        .MakeGenericMethod([.. types, RegisterOf(bits)]).CreateDelegate<Action>()();

    static Type RegisterOf(int bits)
    {
        if (bits == 512 && !Vector512.IsHardwareAccelerated || bits == 256 && !Vector256.IsHardwareAccelerated) Assert.Ignore($"This processor has no vectors of {bits} bits.");
        return bits == 512 ? typeof(Register512) : bits == 256 ? typeof(Register256) : typeof(Register128);
    }

    static void Unary<TOp, T>() where TOp : struct, IUnaryOp<TOp> where T : struct, IRegister<T> => Measure<T>(TOp.Name, Bound(TOp.Name), TOp.F, Unaries[TOp.Name]);

    static void ErrorFunction<T>() where T : struct, IRegister<T> =>
        Measure<T>("erf", 2, Scalar.Erf, x => double.IsNaN(x) ? x : Math.Abs(x) > 100 ? Math.Sign(x) : x < 0 ? -Erf(-x) : Erf(x));

    static void Measure<T>(string name, double bound, Func<T, T> function, Func<double, double> right) where T : struct, IRegister<T>
    {
        var worst = new Worst();
        Parallel.For(0, 1 << 8, () => new Worst(), (part, _, found) =>
        {
            T vector = default, result;
            var x = Lanes.Of(ref vector);
            var at = (ulong)part << 24;
            for (var end = at + (1 << 24); at < end;)
            {
                for (var lane = 0; lane < x.Length; lane++, at += Stride) x[lane] = BitConverter.UInt32BitsToSingle((uint)at);
                result = function(vector);
                var y = Lanes.Of(ref result);
                for (var lane = 0; lane < x.Length; lane++) found = found.With(Units(y[lane], right(x[lane])), x[lane], null, y[lane]);
            }

            return found;
        }, found => { lock (worst) worst.Merge(found); });
        worst.Check(name, bound);
    }

    static void Binary<TOp, T>() where TOp : struct, IBinaryOp<TOp> where T : struct, IRegister<T>
    {
        var (worst, right, random) = (new Worst(), Binaries[TOp.Name], new SplitMix64(1));
        T left = default, other = default;
        Span<float> a = Lanes.Of(ref left), b = Lanes.Of(ref other);
        for (var pair = 0; pair < Pairs; pair += a.Length)
        {
            for (var lane = 0; lane < a.Length; lane++)
            {
                // Half of the pairs have similar sizes, so that sums cancel and powers are finite.
                a[lane] = BitConverter.UInt32BitsToSingle((uint)random.Next());
                b[lane] = TOp.Name == "binary-cross-entropy" ? (random.Next() >> 40) * (1f / (1 << 24))
                    : (lane & 1) == 0 ? BitConverter.UInt32BitsToSingle((uint)random.Next()) : ((random.Next() >> 40) * (1f / (1 << 22)) - 2f) * (TOp.Name == "power" ? 1f : a[lane]);
            }

            var result = TOp.F(left, other);
            var y = Lanes.Of(ref result);
            for (var lane = 0; lane < a.Length; lane++) worst = worst.With(Units(y[lane], right(a[lane], b[lane])), a[lane], b[lane], y[lane]);
        }

        worst.Check(TOp.Name, Bound(TOp.Name));
    }

    // The table of the documentation: | name | ... | bound |.
    static double Bound(string name)
    {
        var rows = File.ReadLines(Repository.PathOf("docs", "accuracy.md")).Where(line => line.StartsWith($"| `{name}` |", StringComparison.Ordinal)).ToArray();
        Assert.That(rows, Has.Length.EqualTo(1), $"docs/accuracy.md needs one row for {name}");
        return double.Parse(rows[0].Split('|')[^2], CultureInfo.InvariantCulture);
    }

    /// <summary>Returns the distance of a float from the exact result, in units in the last place of that result; 0 if the float is the rounded result.</summary>
    static double Units(float got, double right)
    {
        if (double.IsNaN(right)) return float.IsNaN(got) ? 0 : double.PositiveInfinity;
        var rounded = (float)right;
        if (got == rounded) return float.IsInfinity(rounded) ? 0 : Math.Abs(got - right) / UnitOf(right);
        return float.IsFinite(got) && float.IsFinite(rounded) ? Math.Abs(got - right) / UnitOf(right) : double.PositiveInfinity;
    }

    static double UnitOf(double value) => value == 0 ? float.Epsilon : Math.ScaleB(1, Math.Max(-149, Math.ILogB(value) - 23));

    static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    static double SoftplusTail(double x) => LogOnePlus(Math.Exp(-Math.Abs(x)));

    // Kahan's method: the quotient corrects the error of the sum.
    static double LogOnePlus(double x) => 1 + x is var sum && sum == 1 ? x : Math.Log(sum) * x / (sum - 1);

    // tanh(x / 2) (e^x + 1), in which nothing cancels.
    static double ExpMinusOne(double x) => Math.Abs(x) < 1 ? Math.Tanh(x / 2) * (Math.Exp(x) + 1) : Math.Exp(x) - 1;

    static double NormalBelow(double x) => x < 0 ? 0.5 * ErfComplement(-x / Math.Sqrt(2)) : 1 - 0.5 * ErfComplement(x / Math.Sqrt(2));

    static double Erf(double x) => x < 1 ? ErfSeries(x) : 1 - ErfComplement(x);

    static double ErfComplement(double x) => x < 1 ? 1 - ErfSeries(x) : ErfFraction(x);

    // 2 / sqrt(pi) exp(-x^2) sum 2^n x^(2n + 1) / (2n + 1)!!, whose terms are all positive.
    static double ErfSeries(double x)
    {
        double term = x, sum = x;
        for (var n = 1; term > 1e-18 * sum; n++) sum += term *= 2 * x * x / (2 * n + 1);
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    // exp(-x^2) / sqrt(pi) / (x + 1/2 / (x + 1 / (x + 3/2 / (x + 2 / ...)))).
    static double ErfFraction(double x)
    {
        var rest = x;
        for (var k = x < 2 ? 120 : 40; k > 0; k--) rest = x + 0.5 * k / rest;
        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / rest;
    }

    /// <summary>The largest error and its argument.</summary>
    sealed class Worst
    {
        double units;
        string at = "", got = "";

        public Worst With(double error, float a, float? b, float result)
        {
            if (error > units) (units, at, got) = (error, FormattableString.Invariant($"{a:R} {b:R}"), FormattableString.Invariant($"{result:R}"));
            return this;
        }

        public void Merge(Worst other)
        {
            if (other.units > units) (units, at, got) = (other.units, other.at, other.got);
        }

        public void Check(string name, double bound)
        {
            TestContext.Out.WriteLine($"{name}: {units:F3} units in the last place at {at}, got {got}");
            Assert.That(units, Is.LessThanOrEqualTo(bound), $"{name} at {at}: got {got}");
        }
    }
}
