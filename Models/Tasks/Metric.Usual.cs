namespace QuadEngine.Models;

// The usual ones.
public abstract partial class Metric
{
    /// <summary>The share of classes found right, in percent.</summary>
    public static ClassMetric Accuracy { get; } = new("accuracy", 2, (found, truth, sums) =>
    {
        for (var i = 0; i < found.Length; i++)
            if (found[i] == truth[i]) sums[0]++;
        sums[1] += found.Length;
    }, sums => 100.0 * sums[0] / sums[1]) { Unit = "%" };

    /// <summary>The mean over classes of (found and true) / (found or true), in percent; classes that occur nowhere are left out.</summary>
    /// <param name="classes">Classes to tell apart.</param>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static ClassMetric MeanIntersectionOverUnion(int classes)
    {
        Check.That(classes > 0, nameof(MeanIntersectionOverUnion), $"there are {classes} classes, expected 1 or more.");
        return new("mean_iou", 2 * classes, (found, truth, sums) =>
        {
            for (var i = 0; i < found.Length; i++)
            {
                Check.That((uint)found[i] < (uint)classes && (uint)truth[i] < (uint)classes, nameof(MeanIntersectionOverUnion),
                    $"a row of class {truth[i]} was found to be of class {found[i]}, expected 0 to {classes - 1}. Give the metric as many classes as the network has.");
                sums[2 * truth[i] + 1]++;
                if (found[i] == truth[i]) sums[2 * truth[i]]++;
                else sums[2 * found[i] + 1]++;
            }
        }, sums => 100.0 * Enumerable.Range(0, classes).Where(c => sums[2 * c + 1] > 0).Average(c => sums[2 * c] / sums[2 * c + 1])) { Unit = "%" };
    }

    /// <summary>mean |prediction - target|.</summary>
    public static ValueMetric MeanAbsoluteError { get; } = new("mean_absolute_error", 2, (predicted, truth, sums) =>
    {
        for (var i = 0; i < predicted.Length; i++) sums[0] += Math.Abs((double)predicted[i] - truth[i]);
        sums[1] += predicted.Length;
    }, sums => sums[0] / sums[1]) { HigherIsBetter = false };

    /// <summary>sqrt(mean (prediction - target)^2).</summary>
    public static ValueMetric RootMeanSquareError { get; } = new("root_mean_square_error", 2, (predicted, truth, sums) =>
    {
        for (var i = 0; i < predicted.Length; i++) sums[0] += ((double)predicted[i] - truth[i]) * ((double)predicted[i] - truth[i]);
        sums[1] += predicted.Length;
    }, sums => Math.Sqrt(sums[0] / sums[1])) { HigherIsBetter = false };

    /// <summary>Of yes-or-no labels, the share that is right, in percent: a logit above 0 says yes, and so does a target above 1/2.</summary>
    public static ValueMetric LabelAccuracy { get; } = new("label_accuracy", 2, (logits, truth, sums) =>
    {
        for (var i = 0; i < logits.Length; i++)
            if (logits[i] > 0f == truth[i] > 0.5f) sums[0]++;
        sums[1] += logits.Length;
    }, sums => 100.0 * sums[0] / sums[1]) { Unit = "%" };

    /// <summary>Of yes-or-no labels, 2 (found and true) / (found + true) over all of them, in percent (micro F1): it does not gain by labels that are nearly always no.</summary>
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
