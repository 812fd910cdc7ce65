namespace QuadEngine;

// Each value is computed in double from its index, and rounded once.
public partial class Tensor
{
    /// <summary>start, start + step, start + 2 step, ... up to but not including the end; [count].</summary>
    /// <param name="start">The first number.</param>
    /// <param name="end">The bound, not included: above the start, or below it if the step is negative.</param>
    /// <param name="step">The difference between adjacent numbers, not 0.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    /// <exception cref="ArgumentException">A number is not finite, the step is 0, it leads away from the end, or there are more than 2^31 - 1 steps.</exception>
    /// <remarks>Number i is start + i step, rounded once, so that no error accumulates. The rounding error of end - start does not add a number.</remarks>
    public static Tensor Arange(double start, double end, double step = 1, Device? device = null)
    {
        Check.That(double.IsFinite(start) && double.IsFinite(end) && double.IsFinite(step) && step != 0, nameof(Arange),
            $"the range is from {start} to {end} in steps of {step}; expected finite numbers and a step other than 0.");
        Check.That(start == end || start < end == step > 0, nameof(Arange), $"steps of {step} lead from {start} away from {end}; change the sign of the step.");
        var steps = (end - start) / step;
        var rounding = Rounding * (Math.Abs(start) + Math.Abs(end)) / Math.Abs(step);
        var count = Math.Abs(steps - Math.Round(steps)) <= rounding ? Math.Round(steps) : Math.Ceiling(steps);
        Check.That(count <= int.MaxValue, nameof(Arange), $"the range from {start} to {end} in steps of {step} has {count:G6} numbers; a tensor holds at most 2^31 - 1.");
        return Computed((int)count, i => start + i * step, device);
    }

    /// <summary>0, 1, 2, ... count - 1; [count].</summary>
    /// <param name="count">The number of elements, 0 or more.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    /// <exception cref="ArgumentException">The count is negative.</exception>
    public static Tensor Arange(int count, Device? device = null)
    {
        Check.That(count >= 0, nameof(Arange), $"the count is {count}; expected 0 or more.");
        return Computed(count, i => i, device);
    }

    /// <summary>Numbers at equal distances from start to end. The first is exactly start, the last exactly end; [count].</summary>
    /// <param name="start">The first number.</param>
    /// <param name="end">The last number; not used if the count is 1.</param>
    /// <param name="count">The number of elements, 0 or more.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    /// <exception cref="ArgumentException">A bound is not finite as a float, or the count is negative.</exception>
    public static Tensor Linspace(double start, double end, int count, Device? device = null)
    {
        Check.That(count >= 0, nameof(Linspace), $"the count is {count}; expected 0 or more.");
        Check.That(float.IsFinite((float)start) && float.IsFinite((float)end), nameof(Linspace), $"the range is from {start} to {end}; expected bounds that are finite as float32.");

        // Each number is computed from the nearer end. So both ends are exact, and the numbers of a symmetric range are symmetric.
        var step = count > 1 ? (end - start) / (count - 1) : 0;
        return Computed(count, i => i <= (count - 1) / 2 ? start + i * step : end - (count - 1 - i) * step, device);
    }

    /// <summary>The identity matrix: 1 on the diagonal, 0 elsewhere; [size, size].</summary>
    /// <param name="size">The number of rows and of columns, 0 or more.</param>
    /// <param name="device">The device of the tensor; null for the CPU.</param>
    /// <exception cref="ArgumentException">The size is negative, or there are more than 2^31 - 1 elements.</exception>
    public static Tensor Eye(int size, Device? device = null)
    {
        var y = Zeros([size, size], device);
        using var ones = Ones([size], device);
        y.Device.Backend.CopyStrided(ones, 0, [1], [size], 0, [size + 1], y);
        return y;
    }

    // The largest error of a difference of two doubles, relative to their sizes: some units in the last place.
    const double Rounding = 4 * 2.220446049250313e-16;

    static Tensor Computed(int count, Func<int, double> number, Device? device)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = (float)number(i);
        return FromSpan(values, [count], device);
    }
}
