using ILGPU;
using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void Softmax(Operand x, bool logarithm, Operand y)
    {
        var rows = new RowLanes(x.Shape.Rows, x.Shape.Channels);
        device.Launch(new SoftmaxRows(rows, x.View(), logarithm ? 1 : 0, y.View()), rows.Groups);
    }

    public override void SoftmaxBackward(Operand dy, Operand y, bool logarithm, Operand dx)
    {
        var rows = new RowLanes(dy.Shape.Rows, dy.Shape.Channels);
        device.Launch(new SoftmaxGradient(rows, dy.View(), y.View(), logarithm ? 1 : 0, dx.View()), rows.Groups);
    }

    public override void CrossEntropy(Operand logits, Operand labels, float smoothing, Operand probabilities, Operand losses)
    {
        var rows = new RowLanes(logits.Shape.Rows, logits.Shape.Channels);
        device.Launch(new CrossEntropyRows(rows, logits.View(), labels.Integers(), smoothing, probabilities.View(), losses.View()), rows.Groups);
    }

    public override void CrossEntropyBackward(Operand dLosses, Operand probabilities, Operand labels, float smoothing, Operand dLogits) =>
        Each(new CrossEntropyGradient(dLosses.View(), probabilities.View(), labels.Integers(), smoothing, new FastDivisor(probabilities.Shape.Channels), dLogits.View()), dLogits.Length);
}

/// <summary>The largest element of a row, for softmax.</summary>
readonly struct Largest : ICombine<float>
{
    public static float Identity => float.NegativeInfinity;

    public static float Combine(float a, float b) => a > b || float.IsNaN(a) ? a : b;
}

/// <summary>The largest logit of a row and log sum exp(x - largest): log p = x - Max - LogSum.</summary>
readonly struct LogNormalizer
{
    public LogNormalizer(RowLanes rows, ArrayView<float> x)
    {
        var largest = float.NegativeInfinity;
        for (var i = rows.Start + rows.Lane; i < rows.End; i += rows.Lanes) largest = Largest.Combine(largest, x[i]);
        Max = rows.Fold<float, Largest>(largest);

        var sum = new LongSum(0f, 0f);
        for (var i = rows.Start + rows.Lane; i < rows.End; i += rows.Lanes) sum += MathF.Exp(x[i] - Max);
        Sum = rows.Fold(sum);
    }

    public readonly float Max, Sum;

    public float LogSum => MathF.Log(Sum);
}

/// <summary>Softmax of each row, or its logarithm.</summary>
readonly struct SoftmaxRows(RowLanes rows, ArrayView<float> x, int logarithm, ArrayView<float> y) : IKernel
{
    public void Run()
    {
        var normalizer = new LogNormalizer(rows, x);
        var logSum = normalizer.LogSum;
        for (var i = rows.Start + rows.Lane; i < rows.End; i += rows.Lanes)
        {
            var centred = x[i] - normalizer.Max;
            y[i] = logarithm != 0 ? centred - logSum : MathF.Exp(centred) / normalizer.Sum;
        }
    }
}

/// <summary>dx = y (dy - sum dy y), or dx = dy - exp(y) sum dy for the logarithm.</summary>
readonly struct SoftmaxGradient(RowLanes rows, ArrayView<float> dy, ArrayView<float> y, int logarithm, ArrayView<float> dx) : IKernel
{
    public void Run()
    {
        var partial = new LongSum(0f, 0f);
        for (var i = rows.Start + rows.Lane; i < rows.End; i += rows.Lanes) partial += logarithm != 0 ? dy[i] : dy[i] * y[i];
        var sum = rows.Fold(partial);
        for (var i = rows.Start + rows.Lane; i < rows.End; i += rows.Lanes)
            dx[i] = logarithm != 0 ? dy[i] - MathF.Exp(y[i]) * sum : y[i] * (dy[i] - sum);
    }
}

/// <summary>p = softmax(logits); loss = -(1 - smoothing) log p[label] - smoothing / C sum_c log p[c], NaN if the label is not a class.</summary>
readonly struct CrossEntropyRows(RowLanes rows, ArrayView<float> logits, ArrayView<int> labels, float smoothing, ArrayView<float> probabilities, ArrayView<float> losses) : IKernel
{
    public void Run()
    {
        var normalizer = new LogNormalizer(rows, logits);
        var logSum = normalizer.LogSum;
        var logs = new LongSum(0f, 0f);
        for (var i = rows.Start + rows.Lane; i < rows.End; i += rows.Lanes)
        {
            var centred = logits[i] - normalizer.Max;
            logs += centred - logSum;
            probabilities[i] = MathF.Exp(centred) / normalizer.Sum;
        }

        var sumOfLogs = rows.Fold(logs);
        if (rows.Lane != 0 || rows.Start >= rows.End) return;
        var label = labels[rows.Row];
        var chosen = label >= 0 && label < rows.Channels ? logits[rows.Start + label] - normalizer.Max - logSum : float.NaN;
        losses[rows.Row] = -(1f - smoothing) * chosen - smoothing / rows.Channels * sumOfLogs;
    }
}

/// <summary>dLogits[row] = dLosses[row] (p - (1 - smoothing) onehot(label) - smoothing / C).</summary>
readonly struct CrossEntropyGradient(ArrayView<float> dLosses, ArrayView<float> probabilities, ArrayView<int> labels, float smoothing, FastDivisor channels, ArrayView<float> dLogits) : IPointwise<float>
{
    public float Compute(int i)
    {
        var row = channels.Divide(i);
        var target = (i - row * channels.Divisor == labels[row] ? 1f - smoothing : 0f) + smoothing / channels.Divisor;
        return dLosses[row] * (probabilities[i] - target);
    }

    public void Store(int i, float value) => dLogits[i] = value;
}
