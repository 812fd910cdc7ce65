using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>Softmax and cross-entropy of [rows, classes].</summary>
static class SoftmaxGeometries
{
    public static IEnumerable<GeometryCase> All =>
    [
        new(nameof(Backend.Softmax), s =>
        {
            var (rows, classes) = s.Matrix();
            var logarithm = s.Noted(s.Chance());
            Tensor y = s.InPlace([rows, classes], -9f, 9f), x = s.Chance() ? y : s.Values([rows, classes], -9f, 9f);
            s.Backend.Softmax(x, logarithm, y);
            s.Expect("y", y, () => [.. Rows(s.Initial(x), classes).SelectMany(row => Softmax(row, logarithm))]);
        }),
        new(nameof(Backend.SoftmaxBackward), s =>
        {
            var (rows, classes) = s.Matrix();
            var logarithm = s.Noted(s.Chance());
            Tensor y = logarithm ? s.Values([rows, classes], -5f, 0f) : s.Values([rows, classes], 0f), dx = s.InPlace([rows, classes]), dy = s.Chance() ? dx : s.Values([rows, classes]);
            s.Backend.SoftmaxBackward(dy, y, logarithm, dx);
            s.Expect("dx", dx, () => [.. Rows(s.Initial(dy), classes).Zip(Rows(s.Initial(y), classes), (d, p) =>
            {
                var sum = Approximate.Sum(d.Select((value, c) => logarithm ? value : (Approximate)value * p[c]));
                return d.Select((value, c) => logarithm ? value - ((Approximate)p[c]).Exp() * sum : p[c] * (value - sum));
            }).SelectMany(row => row)]);
        }),
        new(nameof(Backend.CrossEntropy), s =>
        {
            var (rows, classes) = s.Matrix(someChannels: true);
            var smoothing = s.Noted(s.OneOf(0f, 0.1f, 0.9f));
            var logits = s.Values([rows, classes], -9f, 9f);
            var labels = s.Integers(rows, classes);
            Tensor probabilities = s.Output([rows, classes]), losses = s.Output([rows]);
            s.Backend.CrossEntropy(logits, labels, smoothing, probabilities, losses);
            var label = labels.ToArray();
            s.Expect("probabilities", probabilities, () => [.. Rows(s.Initial(logits), classes).SelectMany(row => Softmax(row, logarithm: false))]);
            s.Expect("losses", losses, () => [.. Rows(s.Initial(logits), classes).Select((row, i) =>
            {
                var logs = Softmax(row, logarithm: true);
                return 0 - (1 - (Approximate)smoothing) * logs[label[i]] - smoothing * (Approximate.Sum(logs) / (double)classes);
            })]);
        }),
        new(nameof(Backend.CrossEntropyBackward), s =>
        {
            var (rows, classes) = s.Matrix(someChannels: true);
            var smoothing = s.Noted(s.OneOf(0f, 0.1f, 0.9f));
            Tensor dLosses = s.Values([rows]), dLogits = s.InPlace([rows, classes], 0f), probabilities = s.Chance() ? dLogits : s.Values([rows, classes], 0f);
            var labels = s.Integers(rows, classes);
            s.Backend.CrossEntropyBackward(dLosses, probabilities, labels, smoothing, dLogits);
            var label = labels.ToArray();
            s.Expect("dLogits", dLogits, () => [.. s.Initial(probabilities).Select((p, i) =>
                s.Initial(dLosses)[i / classes] * (p - (i % classes == label[i / classes] ? 1 - (Approximate)smoothing : 0) - (Approximate)smoothing / (double)classes))]);
        }),
    ];

    static Approximate[] Softmax(float[] row, bool logarithm)
    {
        var largest = row.Max();
        Approximate[] centred = [.. row.Select(value => (Approximate)value - largest)], powers = [.. centred.Select(value => value.Exp())];
        var sum = Approximate.Sum(powers);
        return logarithm ? [.. centred.Select(value => value - sum.Log())] : [.. powers.Select(value => value * (1 / sum))];
    }

    static IEnumerable<float[]> Rows(float[] values, int classes) => values.Length == 0 ? [] : values.Chunk(classes);
}
