namespace QuadEngine;

/// <summary>Losses by name; each is the mean over all elements or rows, a scalar.</summary>
public static class Losses
{
    /// <summary>
    /// Softmax and cross-entropy in one: with p = softmax(logits), e the smoothing and C the number of classes,
    ///   loss = mean over rows of  -(1 - e) log p[label] - e / C sum_c log p_c          (Szegedy et al. 2016, section 7)
    /// Backward: dlogits = dloss / rows (p - (1 - e) onehot(label) - e / C).
    /// </summary>
    /// <remarks>A label that is no class is refused where the host has the labels. Those of a GPU are not waited for: there the loss is NaN.</remarks>
    /// <param name="logits">[rows, classes]; leading axes are rows too</param>
    /// <param name="labels">[rows], each in [0, classes)</param>
    /// <param name="smoothing">e, in [0, 1).</param>
    /// <returns>A scalar.</returns>
    /// <exception cref="ArgumentException">There are no logits, more or fewer labels than rows, the smoothing is outside [0, 1), or a label that the host has is no class.</exception>
    public static Tensor CrossEntropy(Tensor logits, IntTensor labels, float smoothing = 0f) => CrossEntropyOp.Apply(logits, labels, smoothing);

    /// <summary>mean (prediction - target)^2.</summary>
    /// <param name="prediction">Of any shape that has elements.</param>
    /// <param name="target">Of the same shape; it gets a gradient too where it requires one.</param>
    /// <exception cref="ArgumentException">The shapes or the devices differ, or there are no elements.</exception>
    public static Tensor MeanSquaredError(Tensor prediction, Tensor target)
    {
        SameShape(nameof(MeanSquaredError), prediction, target);
        return (prediction - target).Square().Mean();
    }

    /// <summary>Binary cross-entropy of sigmoid(logits): mean of log(1 + exp(-|x|)) + |x| (1 - t) for x &gt; 0 and + |x| t elsewhere, which neither overflows nor cancels.</summary>
    /// <param name="logits">x, of any shape that has elements.</param>
    /// <param name="target">t, of the same shape: the probability of a yes, in [0, 1] (not checked).</param>
    /// <exception cref="ArgumentException">The shapes or the devices differ, or there are no elements.</exception>
    public static Tensor BinaryCrossEntropyWithLogits(Tensor logits, Tensor target)
    {
        SameShape(nameof(BinaryCrossEntropyWithLogits), logits, target);
        return Elementwise.Apply<BinaryCrossEntropyOp>(logits, target).Mean();
    }

    static void SameShape(string loss, Tensor prediction, Tensor target) =>
        Check.That(prediction.Shape == target.Shape, loss, $"the prediction has shape {prediction.Shape} but the target {target.Shape}.");
}
