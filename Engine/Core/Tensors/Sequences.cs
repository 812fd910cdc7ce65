namespace QuadEngine;

// Values are computed in double, each from its index, and rounded once.
public partial class Tensor
{
    /// <summary>start, start + step, start + 2 step, ... as far as they are below the end; [count].</summary>
    /// <param name="start">The first number.</param>
    /// <param name="end">Bound that is not reached: above the start, or below it where the step is negative.</param>
    /// <param name="step">From one number to the next, not 0.</param>
    /// <param name="device">Where it lives; null for the CPU.</param>
    /// <exception cref="ArgumentException">A number is not finite, the step is 0, it leads away from the end, or there are more than 2^31 - 1 steps.</exception>
    /// <remarks>Number i is start + i step, rounded once, so that no error accumulates. What start and end lose when they are subtracted makes no number more.</remarks>
    public static Tensor Arange(double start, double end, double step = 1, Device? device = null)
    {
        Check.That(double.IsFinite(start) && double.IsFinite(end) && double.IsFinite(step) && step != 0, nameof(Arange),
            $"numbers from {start} to {end} in steps of {step} were asked for; expected finite numbers and a step other than 0.");
        Check.That(start == end || start < end == step > 0, nameof(Arange), $"steps of {step} lead from {start} away from {end}; change the sign of the step.");
        var steps = (end - start) / step;
        var rounding = Rounding * (Math.Abs(start) + Math.Abs(end)) / Math.Abs(step);
        var count = Math.Abs(steps - Math.Round(steps)) <= rounding ? Math.Round(steps) : Math.Ceiling(steps);
        Check.That(count <= int.MaxValue, nameof(Arange), $"numbers from {start} to {end} in steps of {step} are {count:G6}; a tensor holds 2^31 - 1 at most.");
        return Computed((int)count, i => start + i * step, device);
    }

    /// <summary>0, 1, 2, ... count - 1; [count].</summary>
    /// <param name="count">0 or more.</param>
    /// <param name="device">Where it lives; null for the CPU.</param>
    /// <exception cref="ArgumentException">The count is negative.</exception>
    public static Tensor Arange(int count, Device? device = null)
    {
        Check.That(count >= 0, nameof(Arange), $"{count} numbers were asked for; expected 0 or more.");
        return Computed(count, i => i, device);
    }

    /// <summary>Numbers at equal distances from start to end, both of them included as they are; [count].</summary>
    /// <param name="start">The first number.</param>
    /// <param name="end">The last number; left out where the count is 1.</param>
    /// <param name="count">0 or more.</param>
    /// <param name="device">Where it lives; null for the CPU.</param>
    /// <exception cref="ArgumentException">A bound is no finite float, or the count is negative.</exception>
    public static Tensor Linspace(double start, double end, int count, Device? device = null)
    {
        Check.That(count >= 0, nameof(Linspace), $"{count} numbers were asked for; expected 0 or more.");
        Check.That(float.IsFinite((float)start) && float.IsFinite((float)end), nameof(Linspace), $"numbers from {start} to {end} were asked for; expected bounds that are finite as float32.");

        // From the nearer end, so that both are exact and the numbers of a symmetric range are symmetric.
        var step = count > 1 ? (end - start) / (count - 1) : 0;
        return Computed(count, i => i <= (count - 1) / 2 ? start + i * step : end - (count - 1 - i) * step, device);
    }

    /// <summary>The identity matrix: 1 on the diagonal, 0 elsewhere; [size, size].</summary>
    /// <param name="size">Rows and columns, 0 or more.</param>
    /// <param name="device">Where it lives; null for the CPU.</param>
    /// <exception cref="ArgumentException">The size is negative, or the elements are more than 2^31 - 1.</exception>
    public static Tensor Eye(int size, Device? device = null)
    {
        var y = Zeros([size, size], device);
        using var ones = Ones([size], device);
        y.Device.Backend.CopyStrided(ones, 0, [1], [size], 0, [size + 1], y);
        return y;
    }

    // What a difference of two doubles may be off by, relative to their sizes: some units in the last place.
    const double Rounding = 4 * 2.220446049250313e-16;

    static Tensor Computed(int count, Func<int, double> number, Device? device)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = (float)number(i);
        return FromSpan(values, [count], device);
    }
}
