using QuadEngine.Models;

namespace QuadEngine.Tests.Tasks;

/// <summary>Metrics over batches equal the metrics over all examples at once, by their definitions.</summary>
sealed class MetricTests
{
    static readonly Random Dice = new(4);

    [Test]
    public void Metrics_of_classes_follow_their_definitions()
    {
        const int classes = 4, count = 50;
        int[] truth = Draw(count, 3), found = Draw(count, classes);      // class 3 is predicted and never true
        Assert.That(Over(Metric.Accuracy, found, truth), Is.EqualTo(100.0 * found.Zip(truth).Count(pair => pair.First == pair.Second) / count).Within(1e-9));

        var ious = new List<double>();
        for (var c = 0; c < classes + 1; c++)
        {
            var either = found.Zip(truth).Count(pair => pair.First == c || pair.Second == c);
            if (either > 0) ious.Add(100.0 * found.Zip(truth).Count(pair => pair.First == c && pair.Second == c) / either);
        }

        Assert.That(Over(Metric.MeanIntersectionOverUnion(classes + 1), found, truth), Is.EqualTo(ious.Average()).Within(1e-9), "class 4 occurs nowhere");
        Assert.That(() => Metric.MeanIntersectionOverUnion(0), Throws.ArgumentException);
        Assert.That(() => Over(Metric.MeanIntersectionOverUnion(2), [1, 1], [0, 3]), Throws.ArgumentException.With.Message.Contains("class 3").And.Message.Contains("0 to 1"));
        Assert.That(() => Metric.Accuracy.Of(IntTensor.FromArray([1]), IntTensor.FromArray([1, 2])), Throws.ArgumentException.With.Message.Contains("1 classes found and 2 true"));
    }

    [Test]
    public void Metrics_of_numbers_follow_their_definitions()
    {
        float[] predicted = [.. Enumerable.Range(0, 40).Select(_ => Dice.NextSingle() * 4 - 2)], truth = [.. predicted.Select(value => value + Dice.NextSingle() - 0.5f)];
        var errors = predicted.Zip(truth, (p, t) => (double)p - t).ToArray();
        Assert.That(Over(Metric.MeanAbsoluteError, predicted, truth), Is.EqualTo(errors.Average(Math.Abs)).Within(1e-9));
        Assert.That(Over(Metric.RootMeanSquareError, predicted, truth), Is.EqualTo(Math.Sqrt(errors.Average(error => error * error))).Within(1e-9));

        float[] labels = [.. Enumerable.Range(0, 40).Select(_ => (float)Dice.Next(2))];
        var pairs = predicted.Zip(labels, (p, t) => (Found: p > 0, True: t > 0.5f)).ToArray();
        int both = pairs.Count(pair => pair.Found && pair.True), one = pairs.Count(pair => pair.Found != pair.True);
        Assert.That(Over(Metric.LabelAccuracy, predicted, labels), Is.EqualTo(100.0 * (40 - one) / 40).Within(1e-9));
        Assert.That(Over(Metric.F1, predicted, labels), Is.EqualTo(100.0 * 2 * both / (2 * both + one)).Within(1e-9));
        Assert.That(Over(Metric.F1, [-1f], [0f]), Is.EqualTo(100), "nothing to find, and nothing found");
        Assert.That(() => Metric.F1.Of(Tensor.Ones([2]), Tensor.Ones([2, 1])), Throws.ArgumentException.With.Message.Contains("[2, 1]"));
    }

    [Test]
    public void Values_keep_their_order_equal_others_and_name_what_is_missing()
    {
        MetricValues one = new([KeyValuePair.Create("b", 1.0), KeyValuePair.Create("a", double.NaN)]), same = new([KeyValuePair.Create("b", 1.0), KeyValuePair.Create("a", double.NaN)]);
        Assert.That(one.Keys, Is.EqualTo(new[] { "b", "a" }));
        Assert.That(one.Equals(same) && one.GetHashCode() == same.GetHashCode() && !one.Equals(MetricValues.None));
        Assert.That(() => one["c"], Throws.ArgumentException.With.Message.Contains("\"c\" (known: b, a)"));
        Assert.That(System.Text.Json.JsonSerializer.Deserialize<MetricValues>(System.Text.Json.JsonSerializer.Serialize(one)), Is.EqualTo(one));
        Assert.That(one.ToString(), Is.EqualTo("b 1, a NaN"));
    }

    static int[] Draw(int count, int below) => [.. Enumerable.Range(0, count).Select(_ => Dice.Next(below))];

    // In three batches, whose sizes differ.
    static double Over(ClassMetric metric, int[] found, int[] truth) => Sum(metric, [.. Parts(found.Length).Select(part => metric.Of(IntTensor.FromArray(found[part]), IntTensor.FromArray(truth[part])))]);

    static double Over(ValueMetric metric, float[] predicted, float[] truth) =>
        Sum(metric, [.. Parts(predicted.Length).Select(part => metric.Of(Values(predicted[part]), Values(truth[part])))]);

    static Tensor Values(float[] values) => Tensor.FromArray(values, [values.Length]);

    static IEnumerable<Range> Parts(int count) => count < 3 ? [Range.All] : [Range.EndAt(3), new Range(3, count / 2), Range.StartAt(count / 2)];

    static double Sum(Metric metric, Measure[] measures)
    {
        var totals = new EpochTotals();
        foreach (var measure in measures) totals = totals.With(1, 0f, [measure.Begin()()]);
        return totals.ValuesOf([metric])[metric.Name];
    }
}
