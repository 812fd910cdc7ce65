namespace QuadEngine.Operations;

/// <summary>
/// Softmax and cross-entropy in one: with p = softmax(logits), e the smoothing and C the number of classes,
///   loss = mean over rows of  -(1 - e) log p[label] - e / C sum_c log p_c          (Szegedy et al. 2016, section 7)
/// Backward: dlogits = dloss / rows (p - (1 - e) onehot(label) - e / C).
/// </summary>
/// <remarks>A label that is no class is refused where the host has the labels. Those of a GPU are not waited for: there the loss is NaN.</remarks>
public static class CrossEntropy
{
    /// <param name="logits">[rows, classes]; leading axes are rows too</param>
    /// <param name="labels">[rows], each in [0, classes)</param>
    /// <param name="smoothing">e, in [0, 1).</param>
    /// <returns>A scalar.</returns>
    /// <exception cref="ArgumentException">There are no logits, more or fewer labels than rows, the smoothing is outside [0, 1), or a label that the host has is no class.</exception>
    public static Tensor Apply(Tensor logits, IntTensor labels, float smoothing = 0f)
    {
        var rows = logits.Shape.Rows;
        Check.That(logits.Rank > 0 && labels.Length == rows, nameof(CrossEntropy), $"there are {labels.Length} labels for {rows} rows of logits (shape {logits.Shape}).");
        Check.That(logits.Length > 0, nameof(CrossEntropy), $"the logits have shape {logits.Shape}; a mean over rows needs 1 row and 1 class or more. Leave out empty batches.");
        Check.That(smoothing is >= 0f and < 1f, nameof(CrossEntropy), $"the smoothing is {smoothing}; it must be at least 0 and under 1.");
        if (!ReferenceEquals(labels.Device, logits.Device)) CheckLabels(labels.ToArray(), logits.Shape);
        using var local = labels.To(logits.Device);
        Tensor probabilities = Tensor.Like(logits), losses = Tensor.Empty([rows], logits.Device);
        logits.Device.Backend.CrossEntropy(logits, local, smoothing, probabilities, losses);
        return losses.WithBackward(nameof(CrossEntropy), [logits], [probabilities], (dy, saved) =>
        {
            var dLogits = Tensor.Like(saved[0]);
            dy.Device.Backend.CrossEntropyBackward(dy, saved[0], saved.Indices, smoothing, dLogits);
            return [dLogits];
        }, local).Mean();
    }

    internal static void CheckLabels(ReadOnlySpan<int> labels, Shape logits)
    {
        for (var row = 0; row < logits.Rows; row++)
            Check.That((uint)labels[row] < (uint)logits.Channels, nameof(CrossEntropy),
                $"the label of row {row} is {labels[row]}, but the logits have {logits.Channels} classes (shape {logits}); labels count from 0 to {logits.Channels - 1}.");
    }
}
