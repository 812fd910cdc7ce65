namespace QuadEngine.Models;

// The usual metrics.
public abstract partial class Metric
{
    /// <summary>The share of classes that are correct, in percent.</summary>
    public static ClassMetric Accuracy { get; } = new("accuracy", 2, (found, truth, sums) =>
    {
        for (var i = 0; i < found.Length; i++)
            if (found[i] == truth[i]) sums[0]++;
        sums[1] += found.Length;
    }, sums => 100.0 * sums[0] / sums[1]) { Unit = "%" };

    /// <summary>Creates the mean over classes of (found and true) / (found or true), in percent. Classes that never occur are left out.</summary>
    /// <param name="classes">The number of classes.</param>
    /// <exception cref="ArgumentException">The number of classes is below 1.</exception>
    public static ClassMetric MeanIntersectionOverUnion(int classes)
    {
        Check.That(classes > 0, nameof(MeanIntersectionOverUnion), $"there are {classes} classes, expected 1 or more.");
        return new("mean_iou", 2 * classes, (found, truth, sums) =>
        {
            for (var i = 0; i < found.Length; i++)
            {
                Check.That((uint)found[i] < (uint)classes && (uint)truth[i] < (uint)classes, nameof(MeanIntersectionOverUnion),
                    $"a row of class {truth[i]} was given class {found[i]}, expected classes from 0 to {classes - 1}. Give the metric the number of classes of the network.");
                sums[2 * truth[i] + 1]++;
                if (found[i] == truth[i]) sums[2 * truth[i]]++;
                else sums[2 * found[i] + 1]++;
            }
        }, sums => 100.0 * Enumerable.Range(0, classes).Where(c => sums[2 * c + 1] > 0).Average(c => sums[2 * c] / sums[2 * c + 1])) { Unit = "%" };
    }

    /// <summary>The mean absolute error, mean |prediction - target|.</summary>
    public static ValueMetric MeanAbsoluteError { get; } = new("mean_absolute_error", 2, (predicted, truth, sums) =>
    {
        for (var i = 0; i < predicted.Length; i++) sums[0] += Math.Abs((double)predicted[i] - truth[i]);
        sums[1] += predicted.Length;
    }, sums => sums[0] / sums[1]) { HigherIsBetter = false };

    /// <summary>The root of the mean squared error, sqrt(mean (prediction - target)^2).</summary>
    public static ValueMetric RootMeanSquareError { get; } = new("root_mean_square_error", 2, (predicted, truth, sums) =>
    {
        for (var i = 0; i < predicted.Length; i++) sums[0] += ((double)predicted[i] - truth[i]) * ((double)predicted[i] - truth[i]);
        sums[1] += predicted.Length;
    }, sums => Math.Sqrt(sums[0] / sums[1])) { HigherIsBetter = false };

    /// <summary>The share of yes-or-no labels that are correct, in percent. A logit above 0 means yes, and so does a target above 1/2.</summary>
    public static ValueMetric LabelAccuracy { get; } = new("label_accuracy", 2, (logits, truth, sums) =>
    {
        for (var i = 0; i < logits.Length; i++)
            if (logits[i] > 0f == truth[i] > 0.5f) sums[0]++;
        sums[1] += logits.Length;
    }, sums => 100.0 * sums[0] / sums[1]) { Unit = "%" };

    /// <summary>2 (found and true) / (found + true) over all yes-or-no labels, in percent (micro F1). Labels that are nearly always no do not raise it.</summary>
    public static ValueMetric F1 { get; } = new("f1", 2, (logits, truth, sums) =>
    {
        for (var i = 0; i < logits.Length; i++)
        {
            var (found, right) = (logits[i] > 0f, truth[i] > 0.5f);
            if (found && right) sums[0] += 2;
            sums[1] += (found ? 1 : 0) + (right ? 1 : 0);
        }
    }, sums => sums[1] == 0 ? 100.0 : 100.0 * sums[0] / sums[1]) { Unit = "%" };
}
