namespace QuadEngine;

/// <summary>Losses by name; each is the mean over all elements or rows, a scalar.</summary>
public static class Losses
{
    /// <summary>
    /// Softmax and cross-entropy in one: with p = softmax(logits), e the smoothing and C the number of classes,
    ///   loss = mean over rows of  -(1 - e) log p[label] - e / C sum_c log p_c          (Szegedy et al. 2016, section 7)
    /// Backward: dlogits = dloss / rows (p - (1 - e) onehot(label) - e / C).
    /// </summary>
    /// <remarks>If the host has the labels, a label outside [0, classes) is an error. The operation does not wait for labels of a GPU: there such a label makes the loss NaN.</remarks>
    /// <param name="logits">[rows, classes]; leading axes are rows too.</param>
    /// <param name="labels">[rows], each in [0, classes).</param>
    /// <param name="smoothing">e, in [0, 1).</param>
    /// <returns>A scalar.</returns>
    /// <exception cref="ArgumentException">There are no logits, the number of labels differs from the number of rows, the smoothing is outside [0, 1), or the host has the labels and one is outside [0, classes).</exception>
    public static Tensor CrossEntropy(Tensor logits, IntTensor labels, float smoothing = 0f) => CrossEntropyOp.Apply(logits, labels, smoothing);

    /// <summary>The mean of (prediction - target)^2.</summary>
    /// <param name="prediction">A tensor of any shape with at least one element.</param>
    /// <param name="target">A tensor of the same shape. It gets a gradient if it requires one.</param>
    /// <exception cref="ArgumentException">The shapes or the devices differ, or there are no elements.</exception>
    public static Tensor MeanSquaredError(Tensor prediction, Tensor target)
    {
        SameShape(nameof(MeanSquaredError), prediction, target);
        return (prediction - target).Square().Mean();
    }

    /// <summary>Binary cross-entropy of sigmoid(logits): the mean of log(1 + exp(-|x|)) + |x| (1 - t) for x &gt; 0, and of log(1 + exp(-|x|)) + |x| t elsewhere. This form neither overflows nor cancels.</summary>
    /// <param name="logits">x, a tensor of any shape with at least one element.</param>
    /// <param name="target">t, a tensor of the same shape: the probability of the positive class, in [0, 1] (not checked).</param>
    /// <exception cref="ArgumentException">The shapes or the devices differ, or there are no elements.</exception>
    public static Tensor BinaryCrossEntropyWithLogits(Tensor logits, Tensor target)
    {
        SameShape(nameof(BinaryCrossEntropyWithLogits), logits, target);
        return Elementwise.Apply<BinaryCrossEntropyOp>(logits, target).Mean();
    }

    static void SameShape(string loss, Tensor prediction, Tensor target) =>
        Check.That(prediction.Shape == target.Shape, loss, $"the prediction has shape {prediction.Shape} but the target {target.Shape}.");
}
