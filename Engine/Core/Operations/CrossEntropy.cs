using QuadEngine.Operations;

namespace QuadEngine;

/// <summary>See <see cref="Losses.CrossEntropy"/>.</summary>
static class CrossEntropyOp
{
    public static Tensor Apply(Tensor logits, IntTensor labels, float smoothing = 0f)
    {
        var rows = logits.Shape.Rows;
        Check.That(logits.Rank > 0 && labels.Length == rows, nameof(Losses.CrossEntropy), $"there are {labels.Length} labels for {rows} rows of logits (shape {logits.Shape}).");
        Check.That(logits.Length > 0, nameof(Losses.CrossEntropy), $"the logits have shape {logits.Shape}; a mean over rows needs 1 row and 1 class or more. Skip empty batches.");
        Check.That(smoothing is >= 0f and < 1f, nameof(Losses.CrossEntropy), $"the smoothing is {smoothing}; it must be at least 0 and under 1.");
        if (!ReferenceEquals(labels.Device, logits.Device)) CheckLabels(labels.ToArray(), logits.Shape);
        using var local = labels.To(logits.Device);
        Tensor probabilities = Tensor.Like(logits), losses = Tensor.Empty([rows], logits.Device);
        logits.Device.Backend.CrossEntropy(logits, local, smoothing, probabilities, losses);
        return losses.WithBackward(nameof(Losses.CrossEntropy), [logits], [probabilities], (dy, saved) =>
        {
            var dLogits = Tensor.Like(saved[0]);
            dy.Device.Backend.CrossEntropyBackward(dy, saved[0], saved.Indices, smoothing, dLogits);
            return [dLogits];
        }, local).Mean();
    }

    internal static void CheckLabels(ReadOnlySpan<int> labels, Shape logits)
    {
        for (var row = 0; row < logits.Rows; row++)
            Check.That((uint)labels[row] < (uint)logits.Channels, nameof(Losses.CrossEntropy),
                $"the label of row {row} is {labels[row]}, but the logits have {logits.Channels} classes (shape {logits}); labels count from 0 to {logits.Channels - 1}.");
    }
}
