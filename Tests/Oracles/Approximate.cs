namespace QuadEngine.Tests.Oracles;

/// <summary>
/// A number in double, and a bound for the distance of the float32 result from it. Running error analysis (Higham, Accuracy and Stability of Numerical Algorithms,
/// 2002, section 3.3): an operation passes on the errors of its operands, and its rounding adds at most half a unit in the last place of its result.
/// </summary>
public readonly record struct Approximate(double Value, double Error = 0)
{
    /// <summary>Half a unit in the last place of 1: the largest relative error of one operation.</summary>
    public const double Roundoff = 1.0 / (1 << 24);

    // Exponential and logarithm are right to four units in the last place. OpenCL requires 3 of devices, and the CPU has 1.
    const double OfFunctions = 8 * Roundoff;

    // The smallest numbers have fewer digits.
    const double Underflow = 4e-45;

    public static Approximate operator +(Approximate a, Approximate b) => Rounded(a.Value + b.Value, a.Error + b.Error);

    public static Approximate operator -(Approximate a, Approximate b) => a + new Approximate(-b.Value, b.Error);

    public static Approximate operator *(Approximate a, Approximate b) =>
        Rounded(a.Value * b.Value, Math.Abs(a.Value) * b.Error + Math.Abs(b.Value) * a.Error + a.Error * b.Error);

    public static Approximate operator /(Approximate a, Approximate b) => Math.Abs(b.Value) > b.Error
        ? Rounded(a.Value / b.Value, (a.Error + Math.Abs(a.Value / b.Value) * b.Error) / (Math.Abs(b.Value) - b.Error))
        : new(a.Value / b.Value, double.PositiveInfinity);

    public static Approximate Sqrt(Approximate a) => Rounded(Math.Sqrt(a.Value), Math.Min(Math.Sqrt(a.Error), a.Error / Math.Sqrt(a.Value)));

    public static implicit operator Approximate(double exact) => new(exact);

    /// <summary>
    /// Returns the error of a sum of n terms in any order, relative to the sum of their sizes. It is at most n roundings (Higham 2002, section 4.2), and at most
    /// 8 sqrt(n) roundings with a probability of 1 - 3e-14 n if roundings are independent (Higham and Mary 2019, theorem 2.4, lambda = 8).
    /// </summary>
    public static double OfSum(long n) => Math.Min(n, 8 * Math.Sqrt(n)) * Roundoff / (1 - n * Roundoff / 2);

    /// <summary>Returns the sum of all terms, in any order.</summary>
    public static Approximate Sum(IEnumerable<Approximate> terms)
    {
        double sum = 0, size = 0, error = 0;
        var n = 0;
        foreach (var term in terms)
        {
            sum += term.Value;
            size += Math.Abs(term.Value);
            error += term.Error;
            n++;
        }

        return OfTerms(sum, size, n, error);
    }

    /// <summary>Returns the sum of n terms, given their sum and the sum of their sizes.</summary>
    public static Approximate OfTerms(double sum, double size, long n, double error = 0) => new(sum, error + OfSum(n) * (size + error) + n * Underflow);

    public Approximate Sqrt() => Rounded(Math.Sqrt(Value), Error == 0 ? 0 : Error / Math.Sqrt(Math.Max(Value - Error, double.Epsilon)));

    public Approximate Exp() => Math.Exp(Value) is var e ? new(e, e * (Math.Exp(Error) - 1 + OfFunctions) + Underflow) : default;

    public Approximate Log() => Math.Log(Value) is var log ? new(log, Error / Math.Max(Value - Error, double.Epsilon) + OfFunctions * Math.Abs(log)) : default;

    /// <summary>Returns the larger of the number and 0.</summary>
    public Approximate Relu() => new(Math.Max(0, Value), Error);

    /// <summary>Returns the number, but at least 0 and at most 6.</summary>
    public Approximate Relu6() => new(Math.Clamp(Value, 0, 6), Error);

    /// <summary>Returns the values without errors.</summary>
    public static Approximate[] Exact(IEnumerable<float> values) => [.. values.Select(value => new Approximate(value))];

    static Approximate Rounded(double value, double error) => new(value, error + Roundoff * (Math.Abs(value) + error) + Underflow);
}
