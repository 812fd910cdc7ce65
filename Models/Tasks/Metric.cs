namespace QuadEngine.Models;

/// <summary>
/// A number that says how well a task is done, over all examples of an epoch: what it needs of each batch are sums, which add up. The
/// usual ones are members of this class.
/// </summary>
/// <param name="name">Its name in tables and files, e.g. "accuracy".</param>
/// <param name="sums">Number of sums.</param>
/// <param name="value">The number, of the sums over all batches.</param>
public abstract partial class Metric(string name, int sums, Func<double[], double> value)
{
    /// <summary>Its name in tables and files.</summary>
    public string Name => name;

    /// <summary>What stands behind the number, "%" or nothing.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Whether more is better, as of an accuracy; less is, of an error.</summary>
    public bool HigherIsBetter { get; init; } = true;

    internal int Sums => sums;

    internal double Value(double[] added) => value(added);
}

/// <summary>A metric of classes: what was found beside what is true.</summary>
/// <param name="name">Its name in tables and files.</param>
/// <param name="sums">Number of sums.</param>
/// <param name="add">Adds a batch to the sums: class numbers found, class numbers that are true, the sums.</param>
/// <param name="value">The number, of the sums over all batches.</param>
public sealed class ClassMetric(string name, int sums, Action<int[], int[], double[]> add, Func<double[], double> value) : Metric(name, sums, value)
{
    /// <summary>This metric of a batch; the host does not wait for the values.</summary>
    /// <param name="found">Class numbers, e.g. <c>logits.ArgMax()</c>.</param>
    /// <param name="truth">As many.</param>
    /// <exception cref="ArgumentException">There are more of one than of the other.</exception>
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

/// <summary>A metric of numbers: what was predicted beside what is true.</summary>
/// <param name="name">Its name in tables and files.</param>
/// <param name="sums">Number of sums.</param>
/// <param name="add">Adds a batch to the sums: predicted numbers, true numbers, the sums.</param>
/// <param name="value">The number, of the sums over all batches.</param>
public sealed class ValueMetric(string name, int sums, Action<float[], float[], double[]> add, Func<double[], double> value) : Metric(name, sums, value)
{
    /// <summary>This metric of a batch; the host does not wait for the values.</summary>
    /// <param name="predicted">Of any shape.</param>
    /// <param name="truth">Of the same shape.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public Measure Of(Tensor predicted, Tensor truth)
    {
        Check.That(predicted.Shape == truth.Shape, Name, $"the prediction has shape {predicted.Shape} but the truth {truth.Shape}.");
        Tensor ownPredicted = predicted.Detach().Keep(), ownTruth = truth.Detach().Keep();
        return new(this, [ownPredicted, ownTruth], () =>
        {
            var (a, b) = (ownPredicted.BeginToArray(), ownTruth.BeginToArray());
            return sums => add(a(), b(), sums);
        });
    }
}

/// <summary>A metric of one batch, whose tensors may still be under way on the device.</summary>
public sealed class Measure : IDisposable
{
    readonly IDisposable[] tensors;
    readonly Func<Action<double[]>> begin;

    internal Measure(Metric metric, IDisposable[] tensors, Func<Action<double[]>> begin) => (Metric, this.tensors, this.begin) = (metric, tensors, begin);

    /// <summary>Of what.</summary>
    public Metric Metric { get; }

    /// <summary>Starts to read; what it gives waits for the device where it has to.</summary>
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
