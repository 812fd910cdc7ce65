using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>
/// Examples for tasks other than telling images apart: inputs of any shape, and one label an example (a table) or one a pixel (a segmentation).
/// </summary>
/// <param name="Inputs">[Count, ...ExampleShape], row-major.</param>
/// <param name="ExampleShape">Of one input.</param>
/// <param name="Labels">The same number for every example, each in [0, Classes).</param>
/// <param name="Classes">Classes to tell apart.</param>
sealed record LabelledExamples(float[] Inputs, Shape ExampleShape, int[] Labels, int Classes)
{
    public int Count => Inputs.Length / ExampleShape.Elements;

    int LabelsOfOne => Labels.Length / Count;

    /// <summary>Trains a network from inputs to logits [..., Classes] as a protocol says; gives the mean loss of each epoch.</summary>
    public double[] Train(Module network, ExperimentScale scale, ulong seed, CancellationToken cancellation)
    {
        var options = scale.Training;
        var batches = Count / options.BatchSize;
        var optimizer = options.CreateOptimizer(network.ParameterGroups());
        var schedule = options.CreateSchedule(batches);
        var losses = new double[options.Epochs];
        network.Train();
        for (var epoch = 0; epoch < options.Epochs; epoch++)
        {
            var order = Order(seed, epoch);
            for (var batch = 0; batch < batches; batch++)
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = new TensorScope();
                var (x, labels) = Batch(order.AsSpan(batch * options.BatchSize, options.BatchSize), scale.Device);
                var loss = Losses.CrossEntropy(network[x], labels);
                loss.Backward();
                GradientClipping.ByNorm(network.Parameters(), 5f);
                optimizer.LearningRate = options.LearningRate * schedule.At(epoch * batches + batch);
                optimizer.Step();
                losses[epoch] += loss.Item() / (double)batches;
            }
        }

        return losses;
    }

    /// <summary>How often each class (row) was taken for each (column).</summary>
    public long[,] Confusion(Module network, ExperimentScale scale)
    {
        var confusion = new long[Classes, Classes];
        using var evaluation = new EvaluationMode();
        using var noGrad = new NoGrad();
        foreach (var batch in Enumerable.Range(0, Count).Chunk(scale.Training.BatchSize))
        {
            using var scope = new TensorScope();
            var (x, labels) = Batch(batch, scale.Device);
            using var found = network[x].ArgMax();
            foreach (var (label, guess) in labels.ToArray().Zip(found.ToArray())) confusion[label, guess]++;
        }

        return confusion;
    }

    // A shuffle that depends on seed and epoch alone: sorted by random keys.
    int[] Order(ulong seed, int epoch)
    {
        using var keys = Tensor.Uniform([Count], generator: new Generator(seed) { Position = 1_000_000 + (ulong)epoch });
        var order = Enumerable.Range(0, Count).ToArray();
        Array.Sort(keys.ToArray(), order);
        return order;
    }

    (Tensor Inputs, IntTensor Labels) Batch(ReadOnlySpan<int> examples, Device device)
    {
        int size = ExampleShape.Elements, labelled = LabelsOfOne;
        float[] x = new float[examples.Length * size];
        int[] labels = new int[examples.Length * labelled];
        for (var i = 0; i < examples.Length; i++)
        {
            Inputs.AsSpan(examples[i] * size, size).CopyTo(x.AsSpan(i * size));
            Labels.AsSpan(examples[i] * labelled, labelled).CopyTo(labels.AsSpan(i * labelled));
        }

        return (Tensor.FromArray(x, [examples.Length, .. ExampleShape.AsSpan()], device), IntTensor.FromArray(labels, device));
    }
}
