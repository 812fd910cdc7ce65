namespace QuadEngine.Models;

/// <summary>
/// A number that says how well a task is done over all examples of an epoch. It is computed from sums over each batch, which are added up. The
/// usual metrics are members of this class.
/// </summary>
/// <param name="name">The name in tables and files, e.g. "accuracy".</param>
/// <param name="sums">The number of sums.</param>
/// <param name="value">Computes the metric from the sums over all batches.</param>
public abstract partial class Metric(string name, int sums, Func<double[], double> value)
{
    /// <summary>The name in tables and files.</summary>
    public string Name => name;

    /// <summary>The unit after the number: "%" or empty.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Whether higher values are better, as for an accuracy. For an error it is false.</summary>
    public bool HigherIsBetter { get; init; } = true;

    internal int Sums => sums;

    internal double Value(double[] added) => value(added);
}

/// <summary>A metric of classes: it compares the classes that were found with the true classes.</summary>
/// <param name="name">The name in tables and files.</param>
/// <param name="sums">The number of sums.</param>
/// <param name="add">Adds a batch to the sums. Its arguments are the class numbers found, the true class numbers and the sums.</param>
/// <param name="value">Computes the metric from the sums over all batches.</param>
public sealed class ClassMetric(string name, int sums, Action<int[], int[], double[]> add, Func<double[], double> value) : Metric(name, sums, value)
{
    /// <summary>Measures a batch. The host does not wait for the values.</summary>
    /// <param name="found">The class numbers found, e.g. <c>logits.ArgMax()</c>.</param>
    /// <param name="truth">The true class numbers, one for each class number found.</param>
    /// <exception cref="ArgumentException">The numbers of elements differ.</exception>
    public Measure Of(IntTensor found, IntTensor truth)
    {
        Check.That(found.Length == truth.Length, Name, $"there are {found.Length} classes found and {truth.Length} true ones.");
        IntTensor ownFound = found.To(found.Device), ownTruth = truth.To(truth.Device);
        return new(this, [ownFound, ownTruth], () =>
        {
            var (a, b) = (ownFound.BeginToArray(), ownTruth.BeginToArray());
            return sums => add(a(), b(), sums);
        });
    }
}

/// <summary>A metric of numbers: it compares the predictions with the true values.</summary>
/// <param name="name">The name in tables and files.</param>
/// <param name="sums">The number of sums.</param>
/// <param name="add">Adds a batch to the sums. Its arguments are the predicted numbers, the true numbers and the sums.</param>
/// <param name="value">Computes the metric from the sums over all batches.</param>
public sealed class ValueMetric(string name, int sums, Action<float[], float[], double[]> add, Func<double[], double> value) : Metric(name, sums, value)
{
    /// <summary>Measures a batch. The host does not wait for the values.</summary>
    /// <param name="predicted">The predictions, of any shape.</param>
    /// <param name="truth">The true values, of the same shape.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public Measure Of(Tensor predicted, Tensor truth)
    {
        Check.That(predicted.Shape == truth.Shape, Name, $"the prediction has shape {predicted.Shape} but the truth has shape {truth.Shape}.");
        Tensor ownPredicted = predicted.Detach().Keep(), ownTruth = truth.Detach().Keep();
        return new(this, [ownPredicted, ownTruth], () =>
        {
            var (a, b) = (ownPredicted.BeginToArray(), ownTruth.BeginToArray());
            return sums => add(a(), b(), sums);
        });
    }
}

/// <summary>A metric of one batch. The device may not have computed its tensors yet.</summary>
public sealed class Measure : IDisposable
{
    readonly IDisposable[] tensors;
    readonly Func<Action<double[]>> begin;

    internal Measure(Metric metric, IDisposable[] tensors, Func<Action<double[]>> begin) => (Metric, this.tensors, this.begin) = (metric, tensors, begin);

    /// <summary>The metric that is measured.</summary>
    public Metric Metric { get; }

    /// <summary>Starts to read the values. The returned function waits for the device if necessary.</summary>
    internal Func<BatchSums> Begin()
    {
        var add = begin();
        return () =>
        {
            var sums = new double[Metric.Sums];
            add(sums);
            return new(Metric, sums);
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in tensors) tensor.Dispose();
    }
}

/// <summary>The sums of a metric over one batch.</summary>
readonly record struct BatchSums(Metric Metric, double[] Values);
