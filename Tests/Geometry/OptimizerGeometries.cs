using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>Steps of any number of parameters of any lengths, including no parameter and empty ones. A gradient scale of 0 or NaN changes nothing but the count of such steps.</summary>
static class OptimizerGeometries
{
    public static IEnumerable<GeometryCase> All =>
    [
        new(nameof(Backend.Sgd), s =>
        {
            var lengths = Lengths(s);
            bool momentum = s.Noted(s.Chance()), nesterov = momentum && s.Chance();
            var step = new SgdStep(0.1f, momentum ? 0.9f : 0f, nesterov ? 0f : 0.2f, 0.01f, nesterov, s.Noted(s.Between(1, 4)));
            var (gradientScale, leftOut, taken) = Guard(s, step.Step);
            Tensor[] w = State(s, lengths), dw = Gradients(s, lengths), v = momentum ? State(s, lengths) : [];
            s.Backend.Sgd(w, dw, v, step, gradientScale, leftOut);

            ForEach(s, w, gradientScale, leftOut, (tensor, scale) =>
            {
                Approximate[] g = [.. s.Initial(w[tensor]).Select((weight, i) => scale * s.Initial(dw[tensor])[i] + step.WeightDecay * (Approximate)weight)];
                Approximate[] velocity = !momentum ? [] : taken == 1 ? g : [.. g.Select((d, i) => (Approximate)step.Momentum * s.Initial(v[tensor])[i] + (1 - (Approximate)step.Dampening) * d)];
                if (momentum) s.Expect("momentum", v[tensor], () => velocity);
                s.Expect("parameter", w[tensor], () => [.. g.Select((d, i) =>
                    s.Initial(w[tensor])[i] - step.LearningRate * (!momentum ? d : nesterov ? d + step.Momentum * velocity[i] : velocity[i]))]);
            });
        }),
        new(nameof(Backend.AdamW), s =>
        {
            var lengths = Lengths(s);
            var step = new AdamStep(0.01f, 0.9f, 0.999f, 1e-8f, 0.05f, s.Noted(s.Between(1, 1000)));
            var (gradientScale, leftOut, taken) = Guard(s, step.Step);
            Tensor[] w = State(s, lengths), dw = Gradients(s, lengths), first = State(s, lengths), second = State(s, lengths, low: 0f);
            s.Backend.AdamW(w, dw, first, second, step, gradientScale, leftOut);

            Approximate Corrected(float beta) => new(1 / (1 - Math.Pow(beta, taken)), 2 * Approximate.Roundoff / (1 - Math.Pow(beta, taken)));
            ForEach(s, w, gradientScale, leftOut, (tensor, scale) =>
            {
                Approximate[] g = [.. s.Initial(dw[tensor]).Select(d => scale * d)];
                Approximate[] m = [.. g.Select((d, i) => (Approximate)step.Beta1 * s.Initial(first[tensor])[i] + (1 - (Approximate)step.Beta1) * d)];
                Approximate[] v = [.. g.Select((d, i) => (Approximate)step.Beta2 * s.Initial(second[tensor])[i] + (1 - (Approximate)step.Beta2) * d * d)];
                s.Expect("first moment", first[tensor], () => m);
                s.Expect("second moment", second[tensor], () => v);
                s.Expect("parameter", w[tensor], () => [.. s.Initial(w[tensor]).Select((weight, i) => weight * (1 - (Approximate)step.LearningRate * step.WeightDecay)
                    - step.LearningRate * Corrected(step.Beta1) * m[i] / ((v[i] * Corrected(step.Beta2)).Sqrt() + step.Epsilon))]);
            });
        }),
    ];

    static void ForEach(Draw s, Tensor[] parameters, Tensor? gradientScale, Tensor? leftOut, Action<int, Approximate> expect)
    {
        var scale = gradientScale is null ? 1f : s.Initial(gradientScale)[0];
        for (var tensor = 0; tensor < parameters.Length; tensor++)
            if (scale > 0f) expect(tensor, scale);
            else s.ExpectExactly("untouched parameter", parameters[tensor], Of(s, parameters[tensor]));
        if (leftOut is not null && parameters.Length > 0) s.ExpectExactly("steps left out", leftOut, () => [s.Initial(leftOut)[0] + (scale > 0f ? 0f : 1f)]);
    }

    static Func<float[]> Of(Draw s, Tensor tensor) => () => s.Initial(tensor);

    static int[] Lengths(Draw s)
    {
        int[] lengths = [.. Enumerable.Range(0, s.Extent(s.MostTensors)).Select(_ => s.Extent(s.MostElements / 20))];
        s.Noted($"[{string.Join(", ", lengths)}]");
        return lengths;
    }

    // Returns a scale, the number of skipped steps before this one, and the number of this step without them.
    static (Tensor? GradientScale, Tensor? LeftOut, int Taken) Guard(Draw s, int step)
    {
        var gradientScale = s.Noted(s.OneOf(1f, 0.5f, 0.5f, 0f, float.NaN)) is not 1f and var scale ? s.Values([scale], []) : null;
        var before = s.Noted(s.Between(-1, step - 1));
        return (gradientScale, before < 0 ? null : s.InPlace([], before, before), step - Math.Max(0, before));
    }

    static Tensor[] State(Draw s, int[] lengths, float low = -1f) => [.. lengths.Select(length => s.InPlace([length], low))];

    static Tensor[] Gradients(Draw s, int[] lengths) => [.. lengths.Select(length => s.Values([length]))];
}
